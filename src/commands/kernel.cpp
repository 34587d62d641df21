// SPDX-License-Identifier: GPL-2.0-only
// `ukl kernel …`: the kernels in the cache.
#include "commands/command.hpp"
#include "commands/kernel_start.hpp"
#include "kernel/build.hpp"
#include "kernel/cache.hpp"
#include "kernel/source.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/standard_streams.hpp"
#include "support/terminal.hpp"

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

namespace ukl {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> profiles = {"general"};
  std::string profile = "general";
  std::string release = kDefaultRelease;
  KernelBuildOptions build;
  bool unpatched = false;
  bool json = false;
  bool all = false;
  bool time = false;
};

// A profile that names its release itself keeps that.
std::string named(const std::string& profile, const Options& options) {
  return profile.find('@') == std::string::npos ? profile_name(profile, options.release) : profile;
}

Result<int> build(const Options& options) {
  for (const auto& profile : options.profiles) {
    TRY_LET(auto inputs, kernel_inputs(named(profile, options), options.unpatched));
    TRY_LET(auto kernel, build_kernel(inputs, options.build, terminal_reporter()));
    print_output(fmt::format("{}\n", kernel.vmlinux.string()));
    // The next one may take half an hour.
    TRY(flush_output());
  }
  return 0;
}

Result<int> path(const Options& options) {
  const auto profile = named(options.profile, options);
  TRY_LET(const auto inputs, kernel_inputs(profile, options.unpatched));
  auto kernel = cached_kernel(inputs);
  if (!kernel)
    return Error{
        Failure::no_kernel, fmt::format("no kernel of profile {} is built for the present inputs", profile),
        fmt::format("ukl kernel build --profile {}{}", profile, options.unpatched ? " --unpatched" : "")};
  print_output(fmt::format("{}\n", kernel->vmlinux.string()));
  return 0;
}

// "# Linux/x86 6.1.192 Kernel Configuration" in the head of every .config.
std::string linux_version(const fs::path& config) {
  auto text = read_text(config);
  if (!text)
    return {};
  const auto start = text->find("# Linux/");
  if (start == std::string::npos)
    return {};
  std::istringstream words(text->substr(start + 2, 80));
  std::string name, version;
  words >> name >> version;
  return version;
}

// What a cached kernel is to the present inputs of its profile.
std::string state_of(const CachedKernel& kernel) {
  for (const bool unpatched : {false, true})
    if (auto inputs = kernel_inputs(kernel.profile, unpatched))
      if (auto present = cached_kernel(*inputs); present && present->hash == kernel.hash)
        return unpatched ? "unpatched" : "current";
  return "old";
}

Result<int> list(const Options& options) {
  auto table = nlohmann::json::array();
  for (const auto& kernel : cached_kernels()) {
    const auto files = kernel_in(kernel.folder, kernel.profile, kernel.hash);
    std::error_code ignored;
    table.push_back({{"profile", kernel.profile},
                     {"hash", kernel.hash},
                     {"linux", linux_version(files.config)},
                     {"bytes", fs::file_size(files.vmlinux, ignored)},
                     {"state", state_of(kernel)},
                     {"vmlinux", files.vmlinux.string()}});
    if (options.time && table.back()["state"] == "current") {
      TRY_LET(const auto start, kernel_start(kernel.profile));
      table.back()["start_ms"] = start.count();
    }
  }
  if (options.json) {
    print_output(fmt::format("{}\n", table.dump(2)));
    return 0;
  }
  if (table.empty()) {
    print_note("no kernel is built yet; `ukl kernel build` makes one");
    return 0;
  }
  print_output(fmt::format("{:14} {:16} {:10} {:>8} {:9} {}\n", "PROFILE", "HASH", "LINUX", "MB", "STATE",
                           options.time ? "START" : ""));
  for (const auto& row : table)
    print_output(
        fmt::format("{:14} {:16} {:10} {:8.1f} {:9} {}\n", row["profile"].get<std::string>(),
                    row["hash"].get<std::string>(), row["linux"].get<std::string>(),
                    row["bytes"].get<double>() / 1e6, row["state"].get<std::string>(),
                    row.contains("start_ms") ? fmt::format("{} ms", row["start_ms"].get<long>()) : ""));
  return 0;
}

Result<int> clean(const Options& options) {
  TRY_LET(auto removed, clean_kernels(options.all));
  for (const auto& folder : removed)
    print_output(fmt::format("removed {}\n", folder.string()));
  return 0;
}

Result<int> config(const Options& options) {
  TRY_LET(auto merged, merged_configuration(named(options.profile, options)));
  print_output(merged);
  return 0;
}

Result<int> source(const Options& options) {
  catch_interrupts();
  TRY_LET(auto inputs, kernel_inputs(named(options.profile, options), true));
  TRY_LET(auto folder, unpacked_source(inputs, terminal_reporter()));
  print_output(fmt::format("{}\n", folder.string()));
  return 0;
}

void add_kernel(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* kernel = app.add_subcommand("kernel", "Build Linux kernels and manage the cache of built ones");
  kernel->require_subcommand(1);
  kernel->footer(
      "Kernels are built once from Debian's package linux-source-6.1 and our files in kernel/, and kept\n"
      "in $UKL_CACHE, or else ~/.cache/ukl. Packing an image never builds one. Linux 6.12 is there too, "
      "from\n"
      "linux-source-6.12: ukl kernel build --release 6.12, and then ukl pack --profile general@6.12.");
  const auto add = [&](const char* name, const char* text, Result<int> (*run)(const Options&)) {
    auto* command = kernel->add_subcommand(name, text);
    command->callback([&action, options, run] { action = [options, run] { return run(*options); }; });
    return command;
  };
  const auto add_profile = [&](CLI::App* command) {
    command->add_option("--profile", options->profile, "Kernel profile (kernel/profiles)")
        ->capture_default_str();
  };
  const auto add_release = [&](CLI::App* command) {
    command
        ->add_option("--release", options->release,
                     "Release of Linux (kernel/patches); PROFILE@RELEASE says the same")
        ->capture_default_str();
  };
  const auto add_unpatched = [&](CLI::App* command) {
    command->add_flag("--unpatched", options->unpatched,
                      "Debian's source as it is, without our patches and files");
  };

  auto* build_command =
      add("build", "Build the kernel of one or more profiles, unless it is in the cache", build);
  add_repeatable(*build_command, "--profile", options->profiles,
                 "Kernel profile (kernel/profiles); may be repeated")
      ->capture_default_str();
  build_command->add_option("--jobs,-j", options->build.jobs,
                            "Compile this many files at a time (default: CPUs)");
  build_command->add_flag("--keep", options->build.keep, "Leave the build tree in the cache, for debugging");
  add_release(build_command);
  add_unpatched(build_command);
  build_command->footer(
      "Ctrl-C stops a build; the same command goes on with it. Prints where the kernel is.");

  auto* list_command = add("list", "List the kernels in the cache", list);
  list_command->add_flag("--json", options->json, "As JSON");
  list_command->add_flag(
      "--time", options->time,
      "Boot the current ones, three times each, and say how long they take from the key to "
      "where a program would start");
  auto* path_command = add("path", "Print where a profile's kernel is", path);
  add_profile(path_command);
  add_release(path_command);
  add_unpatched(path_command);
  auto* clean_command = add("clean", "Remove kernels and builds that are not for the present inputs", clean);
  clean_command->add_flag("--all", options->all, "Remove all kernels, and the unpacked source");
  auto* config_command =
      add("config", "Print a profile's settings: those of base, overridden by its own", config);
  add_profile(config_command);
  add_release(config_command);
  add_release(add("source", "Print where Linux's source is unpacked (unpacks it if needed); for reading only",
                  source));
}

const RegisterCommand registered{60, add_kernel};

} // namespace
} // namespace ukl
