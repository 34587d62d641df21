// SPDX-License-Identifier: GPL-2.0-only
// How a subcommand joins the tool: a file of src/commands/ registers itself, and main never changes.
#pragma once

#include "support/result.hpp"

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace ukl {

/// What a parsed subcommand does. Returns the tool's exit status (0, or a program's own status).
using Action = std::function<Result<int>()>;

/// Adds one subcommand to `app` and stores through `action` what to run when it was the one chosen (that is,
/// from the subcommand's CLI callback). Options are bound to memory that lives as long as the action.
using AddCommand = void (*)(CLI::App& app, Action& action);

/// Adds an option that may be repeated, with one value each time, so that neither a `--` nor a name that
/// follows it is taken for a further value.
template <typename T>
CLI::Option* add_repeatable(CLI::App& command, const std::string& names, std::vector<T>& values,
                            const std::string& help) {
  return command.add_option(names, values, help)->allow_extra_args(false)->take_all();
}

/// All subcommands of the tool, in the order of `order` (see RegisterCommand).
struct RegisteredCommand {
  int order;
  AddCommand add;
};
std::vector<RegisteredCommand>& registered_commands();

/// `static RegisterCommand pack{20, add_pack};` in a file of src/commands/. `order` sorts `ukl --help`.
struct RegisterCommand {
  RegisterCommand(int order, AddCommand add) { registered_commands().push_back({order, add}); }
};

} // namespace ukl
