// SPDX-License-Identifier: GPL-2.0-only
// ukl build: C and C++ sources become an image.
#include "commands/command.hpp"
#include "commands/image_options.hpp"
#include "contents/compile.hpp"
#include "support/interrupt.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

struct Options {
  ImageOptions image;
  std::vector<std::string> compiler; ///< everything before -- that is no option of ours
};

Result<int> build(const Options& options) {
  catch_interrupts();
  const auto call = read_compiler_call(options.compiler);
  if (call.sources.empty())
    return Error{Failure::usage, "ukl build needs at least one source file", "ukl build main.cpp -o app.ukl"};
  if (!call.links)
    return Error{Failure::usage, "ukl build makes a whole program: -c, -S, -E and -shared have no place here",
                 "compile parts with ukl-cc or ukl-c++, and give ukl build the objects"};
  auto image = options.image;
  auto& request = image.request;
  const auto stem = request.output.empty() ? fs::path(call.sources[0]).stem() : request.output.stem();
  if (request.output.empty())
    request.output = stem.string() + ".ukl";

  TRY_LET(auto folder, TemporaryFolder::create("ukl-build"));
  const auto program = folder.path() / stem;
  TRY(compile(call, program, request.output));
  request.program = program.string();
  request.guest_path = "/usr/local/bin/" + stem.string();
  return pack_and_report(image);
}

void add_build(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "build", "Make an image of C and C++ sources: ukl build [OPTIONS] SOURCES... [-- ARGUMENTS]");
  auto options = std::make_shared<Options>();
  add_image_options(*command, options->image);
  // What CLI11 does not know stays in order in remaining(), and so does the divider. A positional option
  // takes no argument before it, because sources and compiler options must keep their order.
  command->allow_extras();
  command->validate_positionals();
  command->add_option("ARGUMENTS", options->image.request.arguments, "The program's arguments, after --")
      ->check([command](const std::string&) {
        const auto rest = command->remaining();
        return std::ranges::find(rest, "--") == rest.end() ? "only after --" : "";
      });
  command->footer(
      "Everything that is not listed above goes to the compiler as it is: sources, objects and archives,\n"
      "-O3 -g -std=c++20 -pthread -Iinclude -Llib -lz -static and so on; -O2 is the default. C sources are\n"
      "compiled by $UKL_CC or gcc, others by $UKL_CXX or g++. ARGUMENTS are the program's.\n\n"
      "  ukl build main.cpp -o app.ukl\n"
      "  ukl build server.cpp pool.c -std=c++20 -pthread -lz --env PORT=80 -- --verbose\n\n"
      "Larger projects:\n"
      "  ./configure CC=ukl-cc CXX=ukl-c++ && make && ukl pack ./program");
  command->callback([options, command, &action] {
    options->compiler = command->remaining();
    std::erase(options->compiler, "--");
    action = [options] { return build(*options); };
  });
}

RegisterCommand registered{10, add_build};

} // namespace
} // namespace ukl
