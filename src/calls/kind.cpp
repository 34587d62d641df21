// SPDX-License-Identifier: GPL-2.0-only
#include "calls/kind.hpp"

#include <algorithm>
#include <asm/unistd_64.h>
#include <charconv>
#include <fmt/format.h>

namespace ukl {
namespace {

constexpr std::pair<CallKind, std::string_view> kNames[] = {{CallKind::standard, "default"},
                                                            {CallKind::full, "full"},
                                                            {CallKind::direct, "direct"},
                                                            {CallKind::masked, "masked"},
                                                            {CallKind::shortcut, "shortcut"}};

// As in the kernel's asm/ukl_shortcuts.h.
constexpr std::uint32_t kShortcuts[] = {__NR_read,   __NR_write,    __NR_writev,
                                        __NR_sendto, __NR_recvfrom, __NR_sendmsg};

} // namespace

std::string_view kind_name(CallKind kind) {
  return std::ranges::find(kNames, kind, &std::pair<CallKind, std::string_view>::first)->second;
}

std::optional<CallKind> parse_kind(std::string_view name) {
  for (const auto& [kind, text] : kNames)
    if (text == name)
      return kind;
  return std::nullopt;
}

std::span<const std::uint32_t> shortcut_calls() {
  return kShortcuts;
}

Manifest call_records(const CallTable& table) {
  Manifest records;
  for (std::uint32_t number = 0; number < table.size(); ++number)
    if (table[number] != CallKind::standard)
      records.emplace_back(key::syscall, fmt::format("{}:{}", number, kind_name(table[number])));
  return records;
}

Result<CallTable> read_calls(const Manifest& manifest) {
  CallTable table = {};
  for (const auto& record : values_of(manifest, key::syscall)) {
    std::uint32_t number = 0;
    const char* const last = record.data() + record.size();
    const auto [end, error] = std::from_chars(record.data(), last, number);
    const auto kind = end != last && *end == ':' ? parse_kind({end + 1, last}) : std::nullopt;
    if (error != std::errc() || number >= table.size() || !kind)
      return Error{Failure::not_an_image, fmt::format("the manifest has a system call {}", record),
                   "pack the program again"};
    table[number] = *kind;
  }
  return table;
}

} // namespace ukl
