// SPDX-License-Identifier: GPL-2.0-only
#include "commands/old_call_options.hpp"
#include "commands/command.hpp"
#include "support/terminal.hpp"

#include <fmt/format.h>

namespace ukl {

void note_old_option(const std::string& old, const std::string& now) {
  print_note(fmt::format("{} is old and will go: write {}", old, now));
}

void add_old_call_options(CLI::App& command, OldCallOptions& options) {
  constexpr const char* kHidden = ""; // no group: not in --help
  add_repeatable(command, "--syscall", options.kinds, "")->group(kHidden);
  add_repeatable(command, "--allow-syscall", options.allowed, "")->group(kHidden);
  auto* only = add_repeatable(command, "--only-syscall", options.only, "")->group(kHidden);
  command.add_flag("--all-syscalls", options.all)->excludes(only)->group(kHidden);
  command.add_flag("--shortcut-tcp", options.shortcuts)->group(kHidden);
}

Result<void> read_old_call_options(const OldCallOptions& options, CallPolicy& policy) {
  if (options.all) {
    note_old_option("--all-syscalls", "--calls all");
    TRY(set_calls(policy, "all"));
  }
  for (const auto& call : options.only) {
    const bool is_list = call.starts_with('@');
    note_old_option("--only-syscall " + call,
                    is_list ? "--calls " + call : fmt::format("--calls none --call {}=default", call));
    TRY(set_calls(policy, is_list ? call : "none"));
    if (!is_list)
      TRY(set_call(policy, call + "=default"));
  }
  for (const auto& call : options.allowed) {
    note_old_option("--allow-syscall " + call, fmt::format("--call {}=default", call));
    TRY(set_call(policy, call + "=default"));
  }
  if (options.shortcuts) {
    note_old_option("--shortcut-tcp", "--call all=shortcut");
    TRY(set_call(policy, "all=shortcut"));
  }
  for (const auto& choice : options.kinds) {
    const auto colon = choice.rfind(':');
    const auto now =
        colon == std::string::npos ? choice : choice.substr(0, colon) + "=" + choice.substr(colon + 1);
    note_old_option("--syscall " + choice, "--call " + now);
    TRY(set_call(policy, now));
  }
  return {};
}

} // namespace ukl
