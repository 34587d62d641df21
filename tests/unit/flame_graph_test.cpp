// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/flame_graph.hpp"

#include <gmock/gmock.h>
#include <regex>

namespace ukl {
namespace {

using testing::HasSubstr;
using testing::Not;

CallTree sample_tree() {
  CallTree tree;
  for (int times = 0; times < 6; ++times)
    tree.add({{"main"}, {"hot"}});
  for (int times = 0; times < 3; ++times)
    tree.add({{"main"}, {"read"}, {"ksys_read", true}});
  tree.add({{"main"}});
  return tree;
}

// Whether each element is closed in its order, and no text has what XML keeps for itself.
bool is_well_formed(const std::string& text) {
  std::vector<std::string> open;
  const std::regex element("<(/?)([a-z]+)((?: [a-zA-Z:-]+=\"[^\"<&]*\")*)(/?)>");
  std::size_t at = 0;
  for (std::sregex_iterator found(text.begin(), text.end(), element), end; found != end; ++found) {
    const auto before = text.substr(at, static_cast<std::size_t>(found->position()) - at);
    if (before.find_first_of("<>") != std::string::npos ||
        std::regex_search(before, std::regex("&(?!(lt|gt|amp|quot|apos|#[0-9]+);)")))
      return false;
    at = static_cast<std::size_t>(found->position() + found->length());
    if ((*found)[4].length() > 0)
      continue;
    if ((*found)[1].length() == 0) {
      open.push_back((*found)[2]);
    } else {
      if (open.empty() || open.back() != (*found)[2])
        return false;
      open.pop_back();
    }
  }
  return open.empty() && at > 0 && text.substr(at).find_first_not_of('\n') == std::string::npos;
}

TEST(CallTree, AddsStacksUp) {
  const auto tree = sample_tree();
  EXPECT_EQ(tree.seen, 10u);
  const auto& main = tree.calls.at({"main"});
  EXPECT_EQ(main.seen, 10u);
  EXPECT_EQ(main.calls.at({"hot"}).seen, 6u);
  EXPECT_EQ(main.calls.at({"read"}).calls.at({"ksys_read", true}).seen, 3u);
}

TEST(FunctionShares, TellOwnTimeFromThatOfCalls) {
  const auto rows = function_shares(sample_tree());
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].call.name, "hot");
  EXPECT_DOUBLE_EQ(rows[0].own, 0.6);
  EXPECT_EQ(rows[1].call.name, "ksys_read");
  EXPECT_TRUE(rows[1].call.kernel);
  EXPECT_EQ(rows[2].call.name, "main");
  EXPECT_DOUBLE_EQ(rows[2].own, 0.1);
  EXPECT_DOUBLE_EQ(rows[2].all, 1.0);
  EXPECT_DOUBLE_EQ(rows[3].own, 0.0);
  EXPECT_DOUBLE_EQ(rows[3].all, 0.3);
}

TEST(FunctionShares, CountOneThatCallsItselfOnce) {
  CallTree tree;
  tree.add({{"f"}, {"f"}, {"g"}, {"f"}});
  tree.add({{"f"}, {"g"}});
  for (const auto& row : function_shares(tree)) {
    EXPECT_DOUBLE_EQ(row.all, 1.0) << row.call.name;
    EXPECT_DOUBLE_EQ(row.own, 0.5) << row.call.name;
  }
  EXPECT_TRUE(function_shares({}).empty());
}

TEST(FunctionTable, HasTheFirstRows) {
  const auto table = function_table(sample_tree(), 2);
  EXPECT_THAT(table, HasSubstr(" 60.0 %  60.0 %  hot\n"));
  EXPECT_THAT(table, HasSubstr(" 30.0 %  30.0 %  ksys_read (kernel)\n"));
  EXPECT_THAT(table, Not(HasSubstr("main")));
}

TEST(FlameGraph, IsXmlWhateverFunctionsAreCalled) {
  CallTree tree = sample_tree();
  tree.add({{"std::vector<int, \"a&b\">::operator<"}, {"\x01 ]]> --"}, {"größe_of_something_that_is_long"}});
  const auto svg = flame_graph(tree, "<web> & \"db\"");
  EXPECT_TRUE(is_well_formed(svg)) << svg;
  EXPECT_THAT(svg, HasSubstr("&lt;web&gt; &amp; "));
  EXPECT_THAT(svg, HasSubstr("hot: 54.5 %, 6 samples"));
  EXPECT_THAT(svg, HasSubstr("ksys_read (kernel)"));
  EXPECT_TRUE(is_well_formed(flame_graph({}, "nothing")));
  // The check itself can fail.
  EXPECT_FALSE(is_well_formed("<svg><g></svg>"));
  EXPECT_FALSE(is_well_formed("<svg>a < b</svg>"));
  EXPECT_FALSE(is_well_formed("<svg>a & b</svg>"));
}

TEST(FlameGraph, LeavesOutWhatIsTooNarrowToSee) {
  CallTree tree;
  for (int times = 0; times < 20000; ++times)
    tree.add({{"wide"}});
  tree.add({{"narrow"}});
  EXPECT_THAT(flame_graph(tree, ""), Not(HasSubstr("narrow")));
}

TEST(FlameGraph, StandsOnWhatCalled) {
  // The outermost call is below: its row is lower on the page.
  const auto svg = flame_graph(sample_tree(), "");
  const auto row = [&](const std::string& name) {
    std::smatch found;
    EXPECT_TRUE(std::regex_search(
        svg, found, std::regex("<title>" + name + ":[^<]*</title><rect x=\"[0-9.]+\" y=\"([0-9.]+)\"")));
    return std::stod(found[1].str());
  };
  EXPECT_GT(row("main"), row("hot"));
}

} // namespace
} // namespace ukl
