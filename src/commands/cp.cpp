// SPDX-License-Identifier: GPL-2.0-only
// `ukl cp`: files in and out of a machine that runs.
#include "commands/lifecycle_command.hpp"
#include "lifecycle/copy.hpp"
#include "support/interrupt.hpp"

#include <fmt/format.h>
#include <memory>

namespace ukl {
namespace {

struct Options {
  std::string from, to;
};

// NAME:PATH; a host's path with a colon has a slash before it.
std::optional<std::pair<std::string, std::string>> in_machine(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || text.find('/') < colon)
    return std::nullopt;
  const auto path = text.substr(colon + 1);
  return std::pair(text.substr(0, colon), path.starts_with('/') ? path : "/" + path);
}

Result<int> run(const Options& options) {
  const auto from = in_machine(options.from), to = in_machine(options.to);
  if (from.has_value() == to.has_value())
    return Error{Failure::usage, from ? "both files are in machines" : "neither file is in a machine",
                 "write ukl cp NAME:PATH FILE, or ukl cp FILE NAME:PATH"};
  catch_interrupts();
  TRY_LET(const auto machine, find_machine((from ? from : to)->first));
  const auto copied =
      from ? copy_from(machine, from->second, options.to) : copy_to(machine, options.from, to->second);
  return copied ? Result<int>(0) : copied.error();
}

void add_cp(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("cp", "Copy files in and out of a machine that runs");
  command->add_option("FROM", options->from, "NAME:PATH in a machine, or a file or folder of this one")
      ->required();
  command->add_option("TO", options->to, "The same")->required();
  command->footer("Folders are copied with all that is below them; permissions stay, owners do not.\n"
                  "Examples:\n"
                  "  ukl cp web:/etc/hosts .\n"
                  "  ukl cp ./site web:/srv/www");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

const RegisterCommand registration{38, add_cp};

} // namespace
} // namespace ukl
