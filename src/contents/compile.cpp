// SPDX-License-Identifier: GPL-2.0-only
#include "contents/compile.hpp"
#include "support/environment.hpp"
#include "support/installation.hpp"
#include "support/interrupt.hpp"
#include "support/overwriting.hpp"
#include "support/process.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// How long Ctrl-C may take to end the compiler.
constexpr std::chrono::milliseconds kPoll{50};

bool is_any_of(const std::string& text, std::initializer_list<const char*> list) {
  return std::ranges::find(list, text) != list.end();
}

// Options of gcc whose value is the next argument.
bool takes_value(const std::string& option) {
  return is_any_of(
      option, {"-I",        "-L",      "-l",       "-D",       "-U",       "-x",          "-T",
               "-u",        "-z",      "-include", "-imacros", "-isystem", "-iquote",     "-idirafter",
               "-isysroot", "-MF",     "-MT",      "-MQ",      "-Xlinker", "-Xassembler", "-Xpreprocessor",
               "-aux-info", "--param", "-e",       "-wrapper", "-dumpbase"});
}

bool has_suffix(const std::string& source, std::initializer_list<const char*> suffixes) {
  return is_any_of(fs::path(source).extension().string(), suffixes);
}

} // namespace

std::string compiler_of(Language language) {
  return language == Language::c ? variable_or("UKL_CC", "gcc") : variable_or("UKL_CXX", "g++");
}

std::vector<std::string> common_options() {
  return {"-idirafter", find_installation().include.string()};
}

CompilerCall read_compiler_call(const std::vector<std::string>& arguments) {
  CompilerCall call;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& argument = arguments[i];
    const bool has_next = i + 1 < arguments.size();
    if (argument == "-o" && has_next) {
      call.output = arguments[++i];
      continue;
    }
    if (argument.starts_with("-o") && argument.size() > 2) {
      call.output = argument.substr(2);
      continue;
    }
    call.arguments.push_back(argument);
    if (takes_value(argument) && has_next)
      call.arguments.push_back(arguments[++i]);
    else if (!argument.starts_with('-') || argument == "-")
      call.sources.push_back(argument);
    if (is_any_of(argument,
                  {"-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "--version", "-v", "-shared", "-r"}) ||
        argument.starts_with("-print") || argument.starts_with("-dump") || argument.starts_with("--help"))
      call.links = false;
    if (argument.starts_with("-O"))
      call.optimises = true;
  }
  return call;
}

Result<void> compile(const CompilerCall& call, const fs::path& output, const fs::path& image) {
  // gcc compiles by suffix but links no C++ library; g++ takes C sources for C++.
  const bool any_c =
      std::ranges::any_of(call.sources, [](const auto& one) { return has_suffix(one, {".c"}); });
  const bool only_c = any_c && std::ranges::none_of(call.sources, [](const auto& one) {
                        return has_suffix(one, {".cpp", ".cc", ".cxx", ".C", ".c++", ".cp", ".CPP"});
                      });
  std::vector<std::string> command = {compiler_of(any_c ? Language::c : Language::cpp)};
  if (!call.optimises)
    command.push_back("-O2");
  for (const auto& option : common_options())
    command.push_back(option);
  command.insert(command.end(), call.arguments.begin(), call.arguments.end());
  if (any_c && !only_c)
    command.insert(command.end(), {"-lstdc++", "-lm"});
  return run_compiler(std::move(command), output, image);
}

Result<void> run_compiler(std::vector<std::string> command, const fs::path& output, const fs::path& image) {
  TRY(refuse_overwriting(image, possible_inputs(command)));
  command.insert(command.end(), {"-o", output.string()});
  // gcc appends to that file which headers it read.
  const auto rules = output.parent_path() / ".ukl-dependencies";
  ProcessOptions options;
  options.environment = {"TMPDIR=" + output.parent_path().string()};
  if (!environment_variable("DEPENDENCIES_OUTPUT"))
    options.environment.push_back("DEPENDENCIES_OUTPUT=" + rules.string());
  TRY_LET(auto process, Process::start(command, options));
  std::optional<int> status;
  while (!(status = process.wait_for(kPoll)))
    if (interrupted())
      return Error{Failure::interrupted, fmt::format("interrupted while running {}", command[0]), ""};
  if (*status != 0)
    return Error{Failure::compile, fmt::format("{} ended with status {}", command[0], *status),
                 fmt::format("correct what it says above; the whole call was: {}", fmt::join(command, " "))};
  return refuse_overwriting(image, read_dependencies(rules));
}

} // namespace ukl
