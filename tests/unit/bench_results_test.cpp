// SPDX-License-Identifier: GPL-2.0-only
#include "bench/documents.hpp"
#include "bench/plot.hpp"
#include "bench/results.hpp"
#include "bench/table.hpp"
#include "bench/targets.hpp"
#include "support/files.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ukl::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Part part_of(const std::map<std::string, std::map<std::string, double>>& instructions) {
  Part part = begin_part("bench/run operations", false);
  for (const auto& name : target_systems())
    part.systems.push_back({name, name, "kernel of " + name});
  for (const auto& [operation, systems] : instructions) {
    Row row{operation, {}};
    for (const auto& [system, count] : systems)
      row.cells[system].instructions.values = {count};
    part.rows.push_back(row);
  }
  return part;
}

// Every target met to the instruction.
std::map<std::string, std::map<std::string, double>> targets_just_met() {
  return {{"getppid", {{"direct", 40}}},
          {"read-1", {{"cloud", 300}, {"direct", 100}}},
          {"pipe", {{"cloud", 200}, {"direct", 100}}},
          {"unix", {{"cloud", 200}, {"direct", 100}}},
          {"fork-exit-wait", {{"classic", 1000}, {"direct", 1000}}},
          {"page-fault", {{"classic", 1000}, {"direct", 1000}}}};
}

std::string verdicts_of(const Part& part, std::ptrdiff_t good) {
  const auto verdicts = check_targets(part);
  EXPECT_EQ(std::ranges::count(verdicts, true, &Verdict::good), good);
  std::string text;
  for (const auto& verdict : verdicts)
    text += verdict.line + "\n";
  return text;
}

TEST(BenchSamples, MedianAndSpread) {
  EXPECT_EQ(Samples{}.median(), 0);
  EXPECT_EQ((Samples{{4, 1, 2}}.median()), 2);
  EXPECT_EQ((Samples{{4, 1, 2, 3}}.median()), 2.5);
  EXPECT_EQ((Samples{{4, 1, 2}}.spread()), 1.5);
  EXPECT_EQ((Samples{{100, 4, 1, 2}}.spread()), 2 / 3.0); // without 1 and 100
}

TEST(BenchTargets, JustMet) {
  const auto text = verdicts_of(part_of(targets_just_met()), 6);
  EXPECT_THAT(text, HasSubstr("40 instructions, target at most 40: met"));
  EXPECT_THAT(text, Not(HasSubstr("missed")));
}

TEST(BenchTargets, OneInstructionTooMany) {
  for (const auto& operation : target_operations()) {
    if (operation == "fork-exit-wait" || operation == "page-fault")
      continue; // a miss is accepted
    auto counts = targets_just_met();
    counts[operation]["direct"]++;
    EXPECT_THAT(verdicts_of(part_of(counts), 5), HasSubstr("missed")) << operation;
  }
}

TEST(BenchTargets, AcceptedMissIsNamed) {
  auto counts = targets_just_met();
  counts["fork-exit-wait"]["direct"] = 1019;
  EXPECT_THAT(verdicts_of(part_of(counts), 6), HasSubstr("missed, accepted (the new process"));
  counts["fork-exit-wait"]["direct"] = 1040;
  EXPECT_THAT(verdicts_of(part_of(counts), 5), HasSubstr("target 1: missed\n"));
}

TEST(BenchTargets, NotMeasuredIsNotMet) {
  auto counts = targets_just_met();
  counts["read-1"].erase("cloud");
  counts.erase("getppid");
  EXPECT_THAT(verdicts_of(part_of(counts), 4), HasSubstr("not measured"));
}

TEST(BenchTable, RatiosSayHowManyTimesBetter) {
  const auto grid = figure_grid(part_of({{"pipe", {{"cloud", 300}, {"direct", 100}}}}), Figure::instructions);
  EXPECT_THAT(grid, ElementsAre(ElementsAre("", "cloud", "classic", "direct", "× classic", "× direct"),
                                ElementsAre("pipe", "300", "-", "100", "-", "3.00")));
  EXPECT_THAT(as_markdown(grid), HasSubstr("| pipe | "));
}

TEST(BenchTable, RatiosAreThoseOfTheTurns) {
  Part part = part_of({{"pipe", {{"cloud", 0}, {"direct", 0}}}});
  part.requests = true;
  auto& cells = part.rows[0].cells;
  cells["cloud"].value.values = {100, 1000, 200};
  cells["direct"].value.values = {300, 2000, 800};
  EXPECT_EQ(figure_grid(part, Figure::value)[1].back(), "3.00");
}

TEST(BenchResults, SurviveTheirFile) {
  auto folder = TemporaryFolder::create("ukl-test");
  ASSERT_TRUE(folder);
  const auto file = folder->path() / "results.json";
  Results results;
  results.applications = begin_part("bench/run applications", true);
  results.applications->network = "tap";
  results.applications->systems = {{"cloud", "(a)", "6.1"}};
  results.applications->rows = {{"memcached TCP 1c", {}}};
  auto& cell = results.applications->rows[0].cells["cloud"];
  cell.value.values = {1000, 1100, 900};
  cell.failure = "once";
  ASSERT_TRUE(write_results(file, results));
  const auto read = read_results(file);
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->operations);
  EXPECT_EQ(terminal_report(*read), terminal_report(results));
  EXPECT_THAT(terminal_report(*read), HasSubstr("network: tap"));
  EXPECT_EQ(plot(*read), plot(results));
}

TEST(BenchResults, DamagedFile) {
  auto folder = TemporaryFolder::create("ukl-test");
  ASSERT_TRUE(folder);
  const auto file = folder->path() / "results.json";
  for (const std::string text : {"", "{", R"({"operations": {"date": 1}})", R"({"applications": []})"}) {
    ASSERT_TRUE(write_text(file, text));
    const auto read = read_results(file);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().failure, Failure::unreadable);
  }
}

TEST(BenchDocuments, ReplacesItsSectionOnly) {
  const auto replaced = replace_section("a\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nz\n", "new\n");
  ASSERT_TRUE(replaced);
  EXPECT_EQ(*replaced, "a\n<!-- bench:begin -->\nnew\n<!-- bench:end -->\nz\n");
  EXPECT_FALSE(replace_section("<!-- bench:end --><!-- bench:begin -->", ""));
}

TEST(BenchDocuments, TheExcerptHasOneRunAndThreeSystems) {
  Results results;
  EXPECT_EQ(short_report(results), "");
  results.operations = part_of({{"pipe", {{"cloud", 300}}}});
  results.applications = begin_part("bench/run applications", true);
  results.applications->systems = {{"cloud", "(a)", "6.1"}, {"direct", "(e)", "k"}, {"polling", "(g)", "k"}};
  results.applications->rows = {{"nginx 612 B 16c", {}}, {"nginx 612 B 1c", {}}};
  for (auto& row : results.applications->rows)
    for (const char* system : {"cloud", "direct", "polling"})
      row.cells[system].value.values = {100};
  const auto kept = excerpt(results);
  EXPECT_FALSE(kept.operations);
  ASSERT_EQ(kept.applications->rows.size(), 1U);
  EXPECT_EQ(kept.applications->systems.size(), 2U);
  EXPECT_THAT(short_report(results), AllOf(HasSubstr("nginx 612 B 16c"), Not(HasSubstr("polling"))));
}

} // namespace
} // namespace ukl::bench
