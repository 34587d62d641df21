// SPDX-License-Identifier: GPL-2.0-only
#include "prepare.hpp"
#include "session.hpp"
#include "support/files.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <mutex>

namespace fs = std::filesystem;

namespace boot {
namespace {

using namespace std::chrono_literals;

ukl::Error failed(const std::string& what, const std::string& output) {
  return {ukl::Failure::internal, what, output};
}

fs::file_time_type newest_source(const fs::path& folder) {
  auto newest = fs::file_time_type::min();
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.is_regular_file(error))
      newest = std::max(newest, entry.last_write_time(error));
  return newest;
}

ukl::Result<void> compile_one(const Product& product, bool library, const Settings& settings,
                              const Names& names) {
  const fs::path source = settings.source / product.source,
                 target = fs::path(names.at("build")) / product.name;
  const bool c = source.extension() == ".c";
  std::vector<std::string> command = {c ? "gcc" : "g++",
                                      c ? "-std=gnu17" : "-std=c++20",
                                      "-O2",
                                      "-g",
                                      "-Wall",
                                      "-Wextra",
                                      "-Werror",
                                      "-Wno-array-bounds",
                                      "-pthread"};
  if (!c)
    command.push_back("-Wno-volatile");
  const bool fixed = std::any_of(product.flags.begin(), product.flags.end(),
                                 [](const std::string& flag) { return flag.starts_with("-static"); });
  if (library)
    command.insert(command.end(), {"-shared", "-fPIC", "-Wl,-soname," + product.name});
  else if (!fixed)
    command.push_back("-Wl,-rpath,$ORIGIN");
  command.push_back(source.string());
  for (const auto& flag : substitute(product.flags, names))
    command.push_back(flag);
  command.insert(command.end(), {"-o", target.string()});

  // Kept if neither the command nor any source is newer.
  std::string line;
  for (const auto& word : command)
    line += word + "\n";
  const fs::path record = target.string() + ".command";
  std::error_code error;
  const auto made = fs::last_write_time(target, error);
  if (!error && made > newest_source(source.parent_path())) {
    const auto before = ukl::read_text(record);
    if (before && *before == line)
      return {};
  }
  auto output = run_limited(command, names.at("build"), {}, 300s);
  if (!output)
    return output.error();
  if (output->status != 0)
    return failed(fmt::format("{} does not compile", product.source), output->text);
  return ukl::write_text(record, line);
}

} // namespace

std::string substitute(std::string text, const Names& names) {
  for (const auto& [name, value] : names) {
    const std::string mark = "{" + name + "}";
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
      text.replace(at, mark.size(), value);
  }
  return text;
}

std::vector<std::string> substitute(std::vector<std::string> words, const Names& names) {
  for (auto& word : words)
    word = substitute(std::move(word), names);
  return words;
}

ukl::Result<void> fetch_packages(const std::vector<std::string>& packages, const Settings& settings) {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  const fs::path root = settings.build / "debian", downloads = settings.build / "downloads";
  std::error_code error;
  fs::create_directories(root / ".unpacked", error);
  fs::create_directories(downloads, error);
  for (const auto& package : packages) {
    const fs::path stamp = root / ".unpacked" / package;
    if (fs::exists(stamp))
      continue;
    // With what it depends on and this machine lacks: apt names just that.
    const std::string command = fmt::format(
        "set -e; wanted=$(apt-get install -qq -s --no-install-recommends {0} | awk '/^Inst/{{print $2}}'); "
        "for one in $(printf '%s\\n' {0} $wanted | sort -u); do rm -f \"$one\"_*.deb; "
        "apt-get -qq download \"$one\"; dpkg-deb -x \"$one\"_*.deb '{1}'; done; touch '{2}'",
        package, root.string(), stamp.string());
    auto output = run_bash(command, downloads.string(), {}, 300s);
    if (!output)
      return output.error();
    if (output->status != 0)
      return failed(fmt::format("cannot fetch the Debian package {}", package), output->text);
  }
  return {};
}

ukl::Result<void> compile(const Test& test, const Settings& settings, const Names& names) {
  for (const auto& library : test.libraries)
    if (auto done = compile_one(library, true, settings, names); !done)
      return done;
  for (const auto& program : test.programs)
    if (auto done = compile_one(program, false, settings, names); !done)
      return done;
  for (const auto& check : test.checks)
    if (auto done = compile_one(check.program, false, settings, names); !done)
      return done;
  if (!test.checks.empty() || !test.list.empty())
    if (auto done = compile_one({"driver", "programs/driver.cpp", {"-static"}}, false, settings, names);
        !done)
      return done;
  for (const auto& command : test.prepare) {
    auto output = run_bash(substitute(command, names), names.at("build"), {}, 1200s);
    if (!output)
      return output.error();
    if (output->status != 0)
      return failed(fmt::format("the preparation of {} failed", test.name), output->text);
  }
  return {};
}

std::vector<Outcome> run_on_host(const Test& test, const Names& names) {
  std::vector<Outcome> outcomes;
  Names here = names;
  here["checks"] = names.at("build");
  for (const auto& check : test.checks) {
    if (!check.on_host)
      continue;
    // As init starts it, whatever we were started with: nohup and background jobs of scripts leave signals
    // ignored.
    std::vector<std::string> command = {"env", "--default-signal",
                                        names.at("build") + "/" + check.program.name};
    for (auto& argument : substitute(check.arguments, here))
      command.push_back(argument);
    auto output = run_limited(command, names.at("build"), {}, std::chrono::seconds(check.seconds));
    if (output && output->status == 0)
      continue;
    if (output && output->status == 4)
      continue; // its own way to say that this machine lacks something
    // Either the test is wrong, or this machine's own processor or hypervisor has peculiarities (one steps
    // over CPUID): somebody has to look, but the guest's result is what the test is about.
    if (output)
      outcomes.push_back({Outcome::Kind::skipped, check.program.name + " (on this machine)",
                          fmt::format("fails on this machine's own Linux (status {}): {}", output->status,
                                      output->text.substr(0, output->text.find('\n'))),
                          ""});
    else
      outcomes.push_back({Outcome::Kind::failed, check.program.name, output.error().message, ""});
  }
  return outcomes;
}

ukl::Result<void> make_image(const Test& test, const Settings& settings, const Names& names) {
  const fs::path build = names.at("build");
  std::vector<std::string> command = {settings.ukl.string(), test.build.empty() ? "pack" : "build"};
  const bool has_driver = !test.checks.empty() || !test.list.empty();
  const auto given = substitute(split_words(test.build.empty() ? test.pack : test.build), names);
  if (!has_driver) {
    command.insert(command.end(), given.begin(), given.end());
  } else {
    // The driver, the programs that it runs, and their list.
    command.push_back((build / "driver").string());
    command.insert(command.end(), given.begin(), given.end());
    const auto add = [&](const std::string& name) {
      command.insert(command.end(), {"--file", (build / name).string() + ":/checks/" + name});
    };
    for (const auto& check : test.checks)
      add(check.program.name);
    for (const auto& library : test.libraries)
      add(library.name);
    for (const auto& program : test.programs)
      add(program.name);
    if (test.list.empty()) {
      std::ofstream list(build / "list");
      for (const auto& check : test.checks) {
        list << check.program.name << ' ' << check.seconds << " /tmp /checks/" << check.program.name;
        for (const auto& argument : substitute(check.arguments, names))
          list << ' ' << argument;
        list << '\n';
      }
    } else {
      std::error_code error;
      fs::copy_file(substitute(test.list, names), build / "list", fs::copy_options::overwrite_existing,
                    error);
    }
    add("list");
  }
  // Ours stand before the program's own arguments.
  std::vector<std::string> ours = {"-o", (build / "image.ukl").string(), "--library-path",
                                   (settings.build / "debian/usr/lib/x86_64-linux-gnu").string()};
  if (settings.kernel.empty() || names.at("profile") != settings.kernel_profile)
    ours.insert(ours.end(), {"--profile", names.at("profile")});
  else
    ours.insert(ours.end(), {"--kernel", settings.kernel});
  command.insert(std::find(command.begin(), command.end(), "--"), ours.begin(), ours.end());
  auto output = run_limited(command, build.string(), {}, 120s);
  if (!output)
    return output.error();
  if (output->status != 0)
    return failed(fmt::format("ukl {} failed with status {}", command[1], output->status), output->text);
  return {};
}

} // namespace boot
