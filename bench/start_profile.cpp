// SPDX-License-Identifier: GPL-2.0-only
#include "start_profile.hpp"
#include "machine.hpp"
#include "support/files.hpp"
#include "support/process.hpp"
#include "symbols.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <vector>

namespace ukl::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFunctions = 40;
constexpr std::uint64_t kKernel =
    0xffffffff80000000; // __START_KERNEL_map; what lies lower is not Linux's yet

struct Spent {
  std::string name;
  double executed = 0, different = 0;
};

Result<std::string> output_of(const std::vector<std::string>& command) {
  TRY_LET(auto output, run_command(command));
  if (output.status != 0)
    return Error{Failure::machine, fmt::format("{} failed: {}", command[1], output.text),
                 "ukl kernel build --profile nano"};
  while (output.text.ends_with('\n'))
    output.text.pop_back();
  return output.text;
}

Result<fs::path> kernel_of(const fs::path& tool, const fs::path& image) {
  TRY_LET(const auto text, output_of({tool, "inspect", "--json", image}));
  const auto inspected = nlohmann::json::parse(text, nullptr, false);
  const auto profile = inspected.is_object() ? inspected.value("profile", "") : "";
  TRY_LET(const auto path, output_of({tool, "kernel", "path", "--profile", profile}));
  return fs::path(path);
}

Result<std::vector<Spent>> spent_by_function(const fs::path& counts, const Functions& functions) {
  TRY_LET(const auto all_counts, read_counts(counts));
  std::map<std::string, Spent> by_name;
  for (const auto& [address, count] : all_counts) {
    const auto name =
        address >= kKernel ? name_in(functions, address) : "(firmware, the kernel's entry, init, program)";
    auto& spent = by_name[name];
    spent.name = name;
    spent.executed += count;
    spent.different += 1;
  }
  std::vector<Spent> all;
  for (auto& [name, spent] : by_name)
    all.push_back(std::move(spent));
  return all;
}

} // namespace

Result<std::string> profile_start(const StartProfilePlan& plan) {
  TRY_LET(const auto folder, TemporaryFolder::create("ukl-bench"));
  const auto image = folder.path() / "hello.ukl", counts = folder.path() / "counts";
  TRY(output_of({plan.tool, "pack", plan.program, "-o", image}));
  TRY_LET(const auto vmlinux, kernel_of(plan.tool, image));
  TRY_LET(const auto functions, functions_of_kernel(vmlinux));
  TRY_LET(const auto line,
          output_of({plan.tool, "run", "--accel", "tcg", "--append", "nokaslr", "--dry-run", image}));
  // The window that the plugin counts in is open from the start: the image's file is there.
  const auto plugin =
      fmt::format("{},out={},window={}", plan.plugin.string(), counts.string(), image.string());
  TRY(output_of({"sh", "-c", fmt::format("exec {} -plugin {} < /dev/null", line, plugin)}));
  TRY_LET(auto spent, spent_by_function(counts, functions));
  double executed = 0, different = 0;
  for (const auto& one : spent) {
    executed += one.executed;
    different += one.different;
  }
  auto text = fmt::format("{:>10}  {:>10}\n{:>10.0f}  {:>10.0f}  all\n", "executed", "different", executed,
                          different);
  std::ranges::sort(spent, std::greater(), &Spent::executed);
  for (std::size_t i = 0; i < std::min(spent.size(), kMostFunctions); ++i)
    text += fmt::format("{:>10.0f}  {:>10.0f}  {}\n", spent[i].executed, spent[i].different, spent[i].name);
  return text;
}

} // namespace ukl::bench
