// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/build.hpp"
#include "kernel/cache.hpp"
#include "kernel/source.hpp"
#include "kernel/store.hpp"
#include "support/environment.hpp"
#include "support/file_lock.hpp"
#include "support/interrupt.hpp"
#include "support/logged_command.hpp"
#include "support/places.hpp"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// Where one build stands. The objects lie inside the source tree because Linux then names its source files by
// relative paths, and no path of this machine gets into an object.
struct Build {
  const KernelInputs& inputs;
  std::string name;
  fs::path tree, objects, log;
};

// What the kernel's make starts, and the package each comes from.
constexpr std::pair<const char*, const char*> kBuildTools[] = {
    {"make", "make"}, {"gcc", "gcc"},     {"ld", "binutils"}, {"patch", "patch"},
    {"flex", "flex"}, {"bison", "bison"}, {"bc", "bc"},       {"perl", "perl"},
};

bool in_path(const std::string& tool) {
  std::istringstream folders(search_path());
  for (std::string folder; std::getline(folders, folder, ':');)
    if (access((folder + "/" + tool).c_str(), X_OK) == 0)
      return true;
  return false;
}

Result<void> check_tools() {
  std::vector<std::string> tools, packages;
  for (const auto& [tool, package] : kBuildTools)
    if (!in_path(tool)) {
      tools.push_back(tool);
      packages.push_back(package);
    }
  if (tools.empty())
    return {};
  return Error{Failure::missing_tool, fmt::format("building a kernel needs {}", fmt::join(tools, ", ")),
               fmt::format("sudo apt-get install {}", fmt::join(packages, " "))};
}

// The date that the kernel shows: that of its source, so that it does not depend on when it is built.
std::string source_date(const fs::path& tree) {
  struct stat info = {};
  if (stat((tree / "Makefile").c_str(), &info) != 0)
    return "Thu Jan  1 00:00:00 UTC 1970";
  tm when = {};
  gmtime_r(&info.st_mtime, &when);
  char text[64];
  std::strftime(text, sizeof text, "%a %b %e %H:%M:%S UTC %Y", &when);
  return text;
}

Error build_error(const Build& build, const std::string& doing) {
  const std::string end = last_lines(build.log, 15);
  if (end.find("No space left on device") != std::string::npos)
    return {Failure::disk_full, fmt::format("no room in {} while {} the kernel", build.tree.string(), doing),
            "free some space and run the command again: it goes on where it stopped"};
  return {Failure::kernel_build,
          fmt::format("{} the kernel {} failed:\n{}", doing, build.inputs.profile, end),
          fmt::format("the whole log is {}", build.log.string())};
}

// Runs the kernel's make on `targets`.
Result<void> make(const Build& build, const std::string& doing, const std::vector<std::string>& targets,
                  const std::function<void(const std::string&)>& on_line = {}) {
  std::vector<std::string> command = {"env"};
  // What an outer make or the user's shell may have set would get into the kernel.
  for (const char* name : {"MAKEFLAGS",
                           "MAKELEVEL",
                           "MFLAGS",
                           "MAKEOVERRIDES",
                           "ARCH",
                           "CROSS_COMPILE",
                           "LLVM",
                           "O",
                           "V",
                           "C",
                           "W",
                           "M",
                           "KBUILD_OUTPUT",
                           "KBUILD_VERBOSE",
                           "KCFLAGS",
                           "KCPPFLAGS",
                           "KAFLAGS",
                           "KCONFIG_CONFIG",
                           "CC",
                           "LD",
                           "LOCALVERSION",
                           "SOURCE_DATE_EPOCH",
                           "CPATH",
                           "C_INCLUDE_PATH",
                           "LIBRARY_PATH",
                           "GCC_EXEC_PREFIX"}) {
    command.push_back("-u");
    command.push_back(name);
  }
  for (const std::string& setting :
       {std::string("LC_ALL=C"), "KBUILD_BUILD_TIMESTAMP=" + source_date(build.tree),
        std::string("KBUILD_BUILD_USER=ukl"), std::string("KBUILD_BUILD_HOST=ukl"),
        std::string("KBUILD_BUILD_VERSION=1"),
        "KCONFIG_ALLCONFIG=" + (build.objects / "wanted.config").string()})
    command.push_back(setting);
  for (const char* word : {"make", "-C"})
    command.push_back(word);
  command.push_back(build.tree);
  command.push_back("O=" + build.objects.filename().string());
  command.insert(command.end(), targets.begin(), targets.end());
  const auto settings = make_settings(build.inputs.configuration);
  command.insert(command.end(), settings.begin(), settings.end());
  auto status = run_logged(command, {}, build.log, on_line);
  if (!status)
    return status.error();
  if (*status != 0)
    return build_error(build, doing);
  return {};
}

Result<void> configure(const Build& build) {
  std::error_code failure;
  fs::create_directories(build.objects, failure);
  if (failure)
    return file_error(build.objects, "create", failure.value());
  const fs::path result = build.objects / ".config";
  // A build that goes on keeps its .config: its time decides what make does over.
  if (!fs::exists(result, failure)) {
    TRY(write_text(build.objects / "wanted.config", build.inputs.configuration));
    if (auto made = make(build, "configuring", {"allnoconfig"}); !made)
      return made;
  }
  TRY_LET(auto text, read_text(result));
  const auto lost = lost_settings(build.inputs.configuration, text);
  if (lost.empty())
    return {};
  fs::remove(result, failure);
  return Error{
      Failure::kernel_build,
      fmt::format("Linux's Kconfig did not take these settings of profile {}:\n  {}", build.inputs.profile,
                  fmt::join(lost, "\n  ")),
      "each misses another setting that it depends on, or has another name in this version of Linux"};
}

// A line of the kernel's make about a new object file: "  CC      init/main.o".
bool makes_object(const std::string& line) {
  return (line.starts_with("  CC ") || line.starts_with("  AS ")) && line.ends_with(".o");
}

// How many a kernel of the profile `general` has, roughly: for the progress bar of the first build.
constexpr std::uint64_t kTypicalObjects = 1240;

// How many objects the newest kernel has, of this profile if there is one.
std::uint64_t expected_objects(const std::string& profile) {
  std::uint64_t same = 0, any = 0;
  for (const auto& kernel : cached_kernels()) {
    auto list = read_text(kernel.folder / "objects.sha256");
    if (!list)
      continue;
    any = static_cast<std::uint64_t>(std::ranges::count(*list, '\n'));
    if (kernel.profile == profile)
      same = any;
  }
  return same ? same : any ? any : kTypicalObjects;
}

Result<void> compile(const Build& build, unsigned jobs, Reporter& reporter) {
  const std::uint64_t total = expected_objects(build.inputs.profile);
  std::uint64_t done = object_files(build.objects).size();
  const auto progress = reporter.progress(fmt::format("compiling kernel {}", build.inputs.profile), total);
  progress->update(done);
  std::vector<std::string> targets = {fmt::format("-j{}", jobs), "vmlinux"};
  if (("\n" + build.inputs.configuration).find("\nCONFIG_EFI_STUB=y\n") != std::string::npos)
    targets.emplace_back("bzImage");
  auto made = make(build, "compiling", targets, [&](const std::string& line) {
    if (makes_object(line))
      progress->update(++done, line.substr(line.rfind(' ') + 1));
  });
  if (made)
    progress->update(total);
  return made;
}

} // namespace

std::vector<std::string> lost_settings(const std::string& wanted, const std::string& result) {
  std::set<std::string> present;
  std::istringstream result_lines(result), wanted_lines(wanted);
  for (std::string line; std::getline(result_lines, line);)
    present.insert(line);
  std::vector<std::string> lost;
  for (std::string line; std::getline(wanted_lines, line);) {
    if (line.starts_with("CONFIG_") && !present.contains(line))
      lost.push_back(line);
    if (!line.starts_with("# CONFIG_"))
      continue;
    const std::string prefix = line.substr(2, line.find(' ', 2) - 2) + "=";
    const auto other = present.lower_bound(prefix);
    if (other != present.end() && other->starts_with(prefix))
      lost.push_back(line);
  }
  return lost;
}

Result<Kernel> build_kernel(const KernelInputs& inputs, const KernelBuildOptions& options,
                            Reporter& reporter) {
  catch_interrupts();
  if (auto kernel = cached_kernel(inputs))
    return *kernel;
  if (inputs.source.empty())
    return find_linux_source(parse_profile(inputs.profile).release).error();
  TRY(check_tools());
  if (inputs.hash.empty())
    return Error{Failure::missing_tool, "gcc or ld does not say its version",
                 "sudo apt-get install gcc binutils"};

  const std::string name = inputs.profile + "-" + inputs.hash;
  const fs::path tree = cache_folder() / "build" / name;
  const Build build{inputs, name, tree, tree / "objects", tree.string() + ".log"};
  TRY_LET(auto lock, FileLock::wait(lock_path(name), "building the kernel " + name, reporter));
  if (auto kernel = cached_kernel(inputs))
    return *kernel;

  std::error_code failure;
  fs::create_directories(tree.parent_path(), failure);
  if (failure)
    return file_error(tree.parent_path(), "create", failure.value());
  if (!fs::exists(tree, failure))
    TRY(make_source_tree(inputs, tree, build.log, reporter));
  TRY(configure(build));
  const unsigned cpus = std::max(1u, std::thread::hardware_concurrency());
  TRY(compile(build, options.jobs ? options.jobs : cpus, reporter));
  auto kernel = store_kernel(inputs, build.objects, build.log);
  if (!kernel || options.keep)
    return kernel;
  fs::remove_all(tree, failure);
  fs::remove(build.log, failure);
  return kernel;
}

} // namespace ukl
