// SPDX-License-Identifier: GPL-2.0-only
// The benchmark's tool. bench/run builds and starts it.
#include "applications.hpp"
#include "documents.hpp"
#include "operations.hpp"
#include "plot.hpp"
#include "profile.hpp"
#include "servers.hpp"
#include "start.hpp"
#include "start_plot.hpp"
#include "start_profile.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/terminal.hpp"
#include "support/tool.hpp"
#include "table.hpp"
#include "targets.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ukl::bench {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string what = "all";
  unsigned rounds = 3;
  double seconds = 3;
  std::vector<std::string> only, systems, kernels;
  fs::path json = fs::path(UKL_SOURCE_DIR) / "bench/results/latest.json";
  std::string network = "tap";
  bool update_documents = false, show = false;
};

KernelFiles kernel_files(const std::vector<std::string>& given) {
  KernelFiles files;
  for (const auto& word : given)
    if (const auto equals = word.find('='); equals != std::string::npos)
      files[word.substr(0, equals)] = word.substr(equals + 1);
  return files;
}

// What was asked for, as a command that asks for it again. Kernels given by hand are left out: another
// machine does not have them.
std::string command_of(const Options& options, const std::string& what) {
  std::string command = fmt::format("bench/run {} --rounds {}", what, options.rounds);
  if (what == "applications")
    command += fmt::format(" --seconds {} --network {}", options.seconds, options.network);
  for (const auto& name : options.only)
    command += name.find(' ') == std::string::npos ? " --only " + name : fmt::format(" --only \"{}\"", name);
  for (const auto& name : options.systems)
    command += " --system " + name;
  return command;
}

Result<Part> run_operations(const Options& options) {
  auto names = options.systems;
  if (names.empty())
    names = {"cloud", "cloud-mitigations-off", "classic", "ring0", "full", "direct"};
  auto systems = find_systems(names, kernel_files(options.kernels));
  if (!systems)
    return systems.error();
  Part part = begin_part(command_of(options, "operations"), false);
  OperationsPlan plan{*systems, options.only, options.rounds, UKL_BENCH_OPERATIONS};
  if (auto measured = measure_operations(plan, part); !measured)
    return measured.error();
  return part;
}

bool is_workload(const std::string& name) {
  return std::ranges::any_of(known_servers(), [&](const auto& server) { return name.starts_with(server); });
}

// One line per target; an error if one is missed by more than what is accepted.
Result<void> targets(const Options& options) {
  auto systems = find_systems(target_systems(), kernel_files(options.kernels));
  if (!systems)
    return systems.error();
  Part part = begin_part("bench/run targets", false);
  if (auto measured = measure_operations(
          {*systems, target_operations(), options.rounds, UKL_BENCH_OPERATIONS, false}, part);
      !measured)
    return measured.error();
  const auto verdicts = check_targets(part);
  for (const auto& verdict : verdicts)
    fmt::print("{}\n", verdict.line);
  const auto good = std::ranges::count(verdicts, true, &Verdict::good);
  fmt::print("{} passed, {} failed\n", good, std::ssize(verdicts) - good);
  if (good == std::ssize(verdicts))
    return {};
  return Error{Failure::internal, "a target is missed",
               "bench/run profile --only OPERATION tells where the instructions go"};
}

// One table per operation or workload and system.
Result<void> profile(const Options& options) {
  if (options.only == std::vector<std::string>{"start"}) {
    TRY_LET(const auto table, profile_start({UKL_TOOL, UKL_BENCH_HELLO, UKL_BENCH_PROFILE}));
    fmt::print("start of a static hello, with the kernel that fits\n{}", table);
    return {};
  }
  if (options.only.empty())
    return Error{Failure::usage, "profile needs to know which operation or load",
                 "bench/run profile --only read-1, --only \"memcached TCP 1c\", or --only start"};
  auto systems = find_systems(options.systems.empty() ? std::vector<std::string>{"direct"} : options.systems,
                              kernel_files(options.kernels));
  if (!systems)
    return systems.error();
  for (const auto& name : options.only)
    for (const auto& system : *systems) {
      const ProfilePlan plan{system, name, UKL_BENCH_OPERATIONS, UKL_BENCH_START, UKL_BENCH_PROFILE};
      auto table = is_workload(name) ? profile_workload(plan) : profile_operation(plan);
      if (!table)
        return table.error();
      fmt::print("{} on {}\n{}", name, system.title, *table);
    }
  return {};
}

Result<Part> run_applications(const Options& options) {
  auto names = options.systems;
  if (names.empty())
    names = {"cloud", "classic", "direct", "shortcut", "polling"};
  auto systems = find_systems(names, kernel_files(options.kernels));
  if (!systems)
    return systems.error();
  Part part = begin_part(command_of(options, "applications"), true);
  part.network = options.network;
  ApplicationsPlan plan;
  plan.systems = *systems;
  plan.only = options.only;
  plan.rounds = options.rounds;
  plan.seconds = options.seconds;
  plan.start = UKL_BENCH_START;
  plan.plugin = UKL_BENCH_COUNT;
  plan.tap = options.network == "tap";
  if (auto measured = measure_applications(plan, part); !measured)
    return measured.error();
  return part;
}

Result<void> measure(const Options& options, Results& results) {
  if (options.what == "operations" || options.what == "all") {
    auto part = run_operations(options);
    if (!part)
      return part.error();
    results.operations = *part;
  }
  if (options.what == "applications" || options.what == "all") {
    auto part = run_applications(options);
    if (!part)
      return part.error();
    results.applications = *part;
  }
  return {};
}

Result<void> write_section(const fs::path& path, const std::string& text) {
  auto document = read_text(path);
  if (!document)
    return document.error();
  auto replaced = replace_section(*document, text);
  if (!replaced)
    return replaced.error();
  return write_text(path, *replaced);
}

Result<void> write_documents(const Results& results) {
  const fs::path root = UKL_SOURCE_DIR;
  if (auto written = write_section(root / "docs/benchmarks.md", markdown_report(results)); !written)
    return written;
  if (auto written = write_text(root / "docs/servers.svg", plot(excerpt(results))); !written)
    return written;
  return write_section(root / "README.md", short_report(results));
}

Result<void> start(const Options& options) {
  const fs::path document = fs::path(UKL_SOURCE_DIR) / "docs/start.md";
  TRY_LET(const auto report,
          measure_start({options.rounds, UKL_TOOL, UKL_BENCH_FLOOR, UKL_BENCH_HELLO, UKL_BENCH_WEB}));
  fmt::print("{}", start_text(report, false));
  if (!options.update_documents)
    return {};
  TRY(write_text(fs::path(UKL_SOURCE_DIR) / "docs/start.svg", start_plot(report)));
  return write_section(document, start_text(report, true));
}

Result<void> run(const Options& options) {
  if (options.what == "start")
    return start(options);
  if (options.what == "profile")
    return profile(options);
  if (options.what == "targets")
    return targets(options);
  Results results;
  std::error_code ignored;
  if (fs::exists(options.json, ignored)) {
    auto earlier = read_results(options.json);
    if (!earlier)
      return earlier.error();
    results = *earlier;
  }
  if (!options.show && !options.update_documents) {
    Results fresh;
    if (auto measured = measure(options, fresh); !measured)
      return measured;
    fmt::print("{}", terminal_report(fresh));
    if (fresh.operations)
      results.operations = fresh.operations;
    if (fresh.applications)
      results.applications = fresh.applications;
    if (auto written = write_results(options.json, results); !written)
      return written;
    auto picture = options.json;
    picture.replace_extension(".svg");
    if (auto written = write_text(picture, plot(results)); !written)
      return written;
    print_note(fmt::format("wrote {} and {}", options.json.string(), picture.string()));
    return {};
  }
  if (options.show)
    fmt::print("{}", terminal_report(results));
  return options.update_documents ? write_documents(results) : Result<void>();
}

} // namespace

int start_with(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Measures system calls and servers on Debian's kernel and on ours, side by side under the same QEMU.",
      "bench/run");
  app.add_option("what", options.what,
                 "operations: what single system calls cost, in instructions and time\n"
                 "applications: memcached, Redis and nginx, driven from the host\n"
                 "all: both (default)\n"
                 "start: how soon a program runs, in how little memory, out of how small a file\n"
                 "profile: where the instructions of what --only names go, by function\n"
                 "targets: whether operations still cost no more than they may")
      ->check(CLI::IsMember({"operations", "applications", "start", "all", "profile", "targets"}));
  app.add_option("--rounds", options.rounds,
                 "how often each system boots and is measured (on servers, instructions are counted once)")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  app.add_option("--seconds", options.seconds,
                 "how long each load runs on each system and round, in short turns with the other systems")
      ->capture_default_str()
      ->check(CLI::Range(0.2, 600.0));
  app.add_option("--network", options.network,
                 "what the servers' network cards are attached to: tap (as hypervisors do; needs root and\n"
                 "/dev/net/tun), or user (QEMU's own TCP/IP stack, a slow one, but without any right)")
      ->capture_default_str()
      ->check(CLI::IsMember({"tap", "user"}));
  app.add_option(
         "--only", options.only,
         "only this operation, or applications that begin so: memcached, \"redis get\" (may be repeated)")
      ->allow_extra_args(false);
  app.add_option("--system", options.systems,
                 fmt::format("only this system (may be repeated; ratios are to the first): {}",
                             fmt::join(known_systems(), ", ")))
      ->allow_extra_args(false);
  app.add_option("--kernel", options.kernels,
                 "PROFILE=VMLINUX: a kernel to use instead of the one that `ukl kernel build` made")
      ->allow_extra_args(false);
  app.add_option("--json", options.json, "results file; the plot is written beside it")
      ->capture_default_str();
  app.add_flag("--show", options.show, "measure nothing, print the results file's tables");
  app.add_flag("--update-documents", options.update_documents,
               "measure nothing, write docs/benchmarks.md and the README's table and picture");
  app.footer("Examples:\n  bench/run operations --only getppid --only pipe --rounds 5\n"
             "  bench/run --system classic --system direct operations\n  bench/run --show");
  CLI11_PARSE(app, argc, argv);
  catch_interrupts();
  if (auto done = run(options); !done) {
    print_error(done.error());
    return static_cast<int>(done.error().failure);
  }
  return 0;
}

} // namespace ukl::bench

int main(int argc, char** argv) {
  return ukl::run_tool([&]() -> ukl::Result<int> { return ukl::bench::start_with(argc, argv); });
}
