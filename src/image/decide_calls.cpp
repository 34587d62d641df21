// SPDX-License-Identifier: GPL-2.0-only
#include "image/decide_calls.hpp"
#include "image/gather.hpp"
#include "target/syscall_names.hpp"

#include <algorithm>
#include <array>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// Files larger than any script are not searched.
std::optional<std::string> find_script(const RootTree& tree) {
  constexpr std::uintmax_t kLargestScript = 4 << 20; ///< bytes
  for (const auto& [path, entry] : tree.entries()) {
    std::error_code ignored;
    if (entry.type != TreeEntry::Type::file || entry.host_path.empty() ||
        fs::file_size(entry.host_path, ignored) > kLargestScript)
      continue;
    const auto bytes = read_file(entry.host_path);
    if (bytes && !begins_as_elf(*bytes) && names_syscall(*bytes) && !is_web_page(*bytes))
      return path;
  }
  return std::nullopt;
}

} // namespace

bool decides_by_programs(const CallPolicy& policy) {
  return policy.answer == CallPolicy::Answer::by_programs;
}

ChosenCalls decide_calls(const CallPolicy& policy, const std::vector<ImageElf>& elves, const RootTree& tree,
                         bool gate) {
  if (!gate) {
    ChosenCalls chosen;
    for (const auto& [number, kind] : policy.kinds)
      chosen.table[number] = kind;
    return chosen;
  }
  std::vector<FileCalls> programs;
  if (decides_by_programs(policy))
    for (const auto& elf : elves)
      if (elf.plan && elf.path != kInitPath)
        programs.push_back(find_file_calls(*elf.file->view, *elf.plan, elf.path));
  return choose_calls(programs, policy, [&] { return find_script(tree); });
}

bool may_open_sockets(const ChosenCalls& calls) {
  // A ring of io_uring opens sockets, too.
  return std::ranges::any_of(std::array{"socket", "io_uring_setup"}, [&](const char* name) {
    return calls.table[*syscall_number(name)] != CallKind::masked;
  });
}

} // namespace ukl
