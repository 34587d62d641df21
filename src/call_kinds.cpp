// SPDX-License-Identifier: GPL-2.0-only
#include "call_kinds.hpp"
#include "rewrite/syscall_names.hpp"
#include "ukl/gate.h"

#include <cstdint>
#include <fmt/format.h>
#include <map>
#include <set>

namespace ukl {
Result<Manifest> choose_call_kinds(const std::vector<std::string>& choices) {
  static const std::set<std::string> kinds = {"full", "direct", "masked", "shortcut"};
  std::map<std::uint32_t, std::string> chosen;
  for (const auto& choice : choices) {
    const auto colon = choice.find(':');
    const auto call = choice.substr(0, colon);
    const auto kind = colon == std::string::npos ? std::string() : choice.substr(colon + 1);
    const auto number = parse_syscall(call);
    if (!kinds.contains(kind) || (call != "all" && (!number || *number >= UKL_GATE_CALLS)))
      return Error{Failure::usage, fmt::format("--syscall {} is not understood", choice),
                   "expected: NAME:KIND, like getpid:masked; KIND is full, direct, masked or shortcut"};
    if (number) {
      chosen[*number] = kind;
      continue;
    }
    for (std::uint32_t each = 0; each < UKL_GATE_CALLS; ++each)
      chosen[each] = kind;
  }
  Manifest records;
  for (const auto& [number, kind] : chosen)
    records.emplace_back(key::syscall, fmt::format("{}:{}", number, kind));
  return records;
}

// As in the kernel's asm/ukl_shortcuts.h.
std::vector<std::string> tcp_shortcut_choices() {
  return {"read:shortcut",   "write:shortcut",    "writev:shortcut",
          "sendto:shortcut", "recvfrom:shortcut", "sendmsg:shortcut"};
}

} // namespace ukl
