// SPDX-License-Identifier: GPL-2.0-only
// ukl-cc and ukl-c++: gcc and g++ for `./configure CC=ukl-cc CXX=ukl-c++`. One program, told apart by its
// name.
#include "contents/compile.hpp"
#include "image/pack.hpp"
#include "support/interrupt.hpp"
#include "support/overwriting.hpp"
#include "support/standard_streams.hpp"
#include "support/tool.hpp"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

void print_help(const std::string& name, const std::string& compiler) {
  print_output(fmt::format(
      "Usage: {0} [OPTIONS OF {1}] FILES...\n\n"
      "{0} calls {1} with all its arguments and adds the folder of the headers <ukl/...> behind all others.\n"
      "What it makes is an ordinary Linux program: it also runs on this machine, so that ./configure and\n"
      "`make check` work as always, and nothing has to be recorded in it. Afterwards\n\n"
      "  ukl pack ./program        # makes an image of it\n\n"
      "If the output's name ends in .ukl, the image is made at once:\n\n"
      "  {0} main.c -o main.ukl\n\n"
      "  ./configure CC=ukl-cc CXX=ukl-c++ && make\n\n"
      "$UKL_CC and $UKL_CXX name other compilers than gcc and g++. The compiler's own help: {1} --help\n",
      name, compiler));
}

Result<void> make_image(const std::vector<std::string>& command, const fs::path& output) {
  catch_interrupts();
  TRY_LET(auto folder, TemporaryFolder::create("ukl-cc"));
  const auto program = folder.path() / output.stem();
  TRY(run_compiler(command, program, output));
  PackRequest request;
  TRY_LET(request.places, read_places());
  request.program = program.string();
  request.guest_path = "/usr/local/bin/" + output.stem().string();
  request.output = output;
  auto summary = pack(request);
  return summary ? Result<void>() : summary.error();
}

// Becomes the compiler. Returns only if that fails.
Error become(std::vector<std::string> command) {
  std::vector<char*> arguments;
  for (auto& argument : command)
    arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  restore_signals();
  execvp(arguments[0], arguments.data());
  return {Failure::missing_tool, fmt::format("cannot start {}: {}", command[0], std::strerror(errno)),
          "`make prepare` installs every program that ukl needs"};
}

Result<int> drive(const std::string& name, const std::vector<std::string>& arguments) {
  const auto language = name.ends_with("++") ? Language::cpp : Language::c;
  const auto compiler = compiler_of(language);
  if (arguments == std::vector<std::string>{"--help"}) {
    print_help(name, compiler);
    return 0;
  }
  std::vector<std::string> command = {compiler};
  for (const auto& option : common_options())
    command.push_back(option);

  const auto call = read_compiler_call(arguments);
  if (call.links && call.output.extension() == ".ukl") {
    command.insert(command.end(), call.arguments.begin(), call.arguments.end());
    auto made = make_image(command, call.output);
    return made ? Result<int>(0) : made.error();
  }
  if (!call.output.empty())
    if (auto distinct = refuse_overwriting(call.output, {call.sources.begin(), call.sources.end()});
        !distinct)
      return distinct.error();
  command.insert(command.end(), arguments.begin(), arguments.end());
  return become(command);
}

} // namespace
} // namespace ukl

int main(int argc, char** argv) {
  return ukl::run_tool([&] {
    return ukl::drive(std::filesystem::path(argv[0]).filename().string(), {argv + 1, argv + argc});
  });
}
