// SPDX-License-Identifier: GPL-2.0-only
#include "commands/command.hpp"

namespace ukl {

std::vector<RegisteredCommand>& registered_commands() {
  static std::vector<RegisteredCommand> commands;
  return commands;
}

} // namespace ukl
