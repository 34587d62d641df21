// SPDX-License-Identifier: GPL-2.0-only
#include "calls/reachable.hpp"

#include <algorithm>
#include <asm/unistd_64.h>
#include <fmt/format.h>

namespace ukl {
namespace {

// What the kernel itself makes a program do: leave a signal handler, restart a call, and what its vDSO does
// where it cannot answer by itself (arch/x86/entry/vdso). And the ways to end, so that a program always can.
constexpr std::uint32_t kAlways[] = {__NR_rt_sigreturn, __NR_restart_syscall, __NR_exit,
                                     __NR_exit_group,   __NR_clock_gettime,   __NR_clock_getres,
                                     __NR_getcpu,       __NR_gettimeofday,    __NR_time};

std::string file_part(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// By which other files know it.
std::string library_name(const FileCalls& file) {
  return file.links.soname.empty() ? file_part(file.name) : file.links.soname;
}

// Its exported functions may be found by name while the program runs.
bool looks_up_names(const FileCalls& file) {
  for (const char* name : {"dlsym", "dlvsym"})
    if (file.links.imports.contains(name) && !file.links.exports.contains(name))
      return true;
  return false;
}

void visit(const FileCalls& file, std::vector<std::uint32_t> open, ReachableCalls& result) {
  std::vector<bool> seen(file.nodes.size());
  std::sort(open.begin(), open.end());
  open.erase(std::unique(open.begin(), open.end()), open.end());
  for (const auto root : open)
    seen[root] = true;
  auto& numbers = result.by_file[file.name];
  std::vector<std::uint64_t> unknown;
  while (!open.empty()) {
    const auto& node = file.nodes[open.back()];
    open.pop_back();
    result.numbers.insert(node.numbers.begin(), node.numbers.end());
    numbers.insert(node.numbers.begin(), node.numbers.end());
    if (node.unknown)
      unknown.push_back(node.start);
    for (const auto next : node.leads_to)
      if (!seen[next]) {
        seen[next] = true;
        open.push_back(next);
      }
  }
  if (!unknown.empty()) {
    std::sort(unknown.begin(), unknown.end());
    const auto more = unknown.size() > 1 ? fmt::format(" and {} other places", unknown.size() - 1) : "";
    result.doubts.push_back(fmt::format("{}: the code at {:#x}{} makes calls whose numbers are not known",
                                        file.name, unknown.front(), more));
  }
}

// Calls whose numbers come from another file, or from a name.
void add_doubts_between_files(const std::vector<FileCalls>& files, const std::set<std::string>& forwarders,
                              ReachableCalls& result) {
  for (const auto& file : files) {
    if (file.links.held.contains("syscall"))
      result.doubts.push_back(fmt::format("{}: its data holds the address of syscall(2)", file.name));
    if (file.says_syscall && looks_up_names(file))
      result.doubts.push_back(fmt::format("{} may look up syscall(2) by its name", file.name));
    for (const auto& name : file.links.imports)
      if (name != "syscall" && forwarders.contains(name) && !file.links.exports.contains(name))
        result.doubts.push_back(
            fmt::format("{}: it calls {}, which makes the system call that it is told", file.name, name));
  }
}

} // namespace

std::set<std::uint32_t> unavoidable_calls() {
  return {std::begin(kAlways), std::end(kAlways)};
}

ReachableCalls find_reachable_calls(const std::vector<FileCalls>& files) {
  ReachableCalls result;
  result.numbers = unavoidable_calls();
  std::set<std::string> used, needed, forwarders;
  for (const auto& file : files) {
    used.insert(file.links.imports.begin(), file.links.imports.end());
    needed.insert(file.links.needed.begin(), file.links.needed.end());
    forwarders.insert(file.forwarders.begin(), file.forwarders.end());
    result.looks_up_names |= looks_up_names(file);
  }
  for (const auto& file : files) {
    auto roots = file.roots;
    // A file that no other one asks for is loaded by name, and its functions are looked up by name.
    const bool all = result.looks_up_names || (!file.program && !needed.contains(library_name(file)));
    for (const auto& [name, address] : file.links.exports)
      if (all || used.contains(name))
        if (const auto node = file.node_at(address))
          roots.push_back(*node);
    visit(file, std::move(roots), result);
  }
  add_doubts_between_files(files, forwarders, result);
  const auto is_none = [](std::uint32_t number) { return number >= 512; }; // none of Linux's
  std::erase_if(result.numbers, is_none);
  for (auto& [name, numbers] : result.by_file)
    std::erase_if(numbers, is_none);
  return result;
}

} // namespace ukl
