// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/debug_view.hpp"
#include "elf/view.hpp"
#include "image/write.hpp"
#include "kernel/cache.hpp"
#include "lifecycle/copy.hpp"
#include "ukl/gate.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <sstream>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// A name that is no command to gdb's parser, whatever the machine calls its files.
bool is_harmless(const std::string& name) {
  return !name.empty() && name[0] != '.' && name[0] != '-' &&
         std::ranges::all_of(name, [](unsigned char byte) {
           return std::isalnum(byte) || byte == '.' || byte == '_' || byte == '-' || byte == '+';
         });
}

// Numbers of processes are given in turn; so many in a row that nobody has, and there are no more.
constexpr unsigned kGap = 64, kMostProcesses = 1024;

// Of a text like /proc/PID/stat; 0 if it is none.
std::uint64_t parent_in(const std::string& stat) {
  const auto name_end = stat.rfind(") ");
  return name_end == std::string::npos || stat.size() < name_end + 5
             ? 0
             : std::strtoull(stat.c_str() + name_end + 4, nullptr, 10);
}

std::optional<std::uint64_t> first_address(const Bytes& bytes, const std::string& name) {
  const auto elf = rewrite::ElfView::parse(bytes, name);
  if (!elf)
    return std::nullopt;
  for (const auto& segment : elf->segments)
    if (segment.p_type == PT_LOAD)
      return segment.p_vaddr & ~(kPage - 1);
  return std::nullopt;
}

} // namespace

Result<std::optional<LoadedFile>> kernel_of(const KnownMachine& machine, QemuClient& qemu) {
  TRY_LET(const auto image, read_image(machine.plan.image));
  const auto hash = value_of(image.manifest, key::kernel);
  const auto kernels = cached_kernels();
  const auto found = std::ranges::find(kernels, hash, &CachedKernel::hash);
  if (hash.empty() || found == kernels.end())
    return std::optional<LoadedFile>();
  const auto vmlinux = kernel_in(found->folder, found->profile, found->hash).vmlinux;
  TRY_LET(const auto bytes, read_file(vmlinux));
  const auto elf = rewrite::ElfView::parse(bytes, vmlinux.string(), rewrite::kAllAddresses);
  const auto* text = elf ? elf->section(".text") : nullptr;
  // `ADDRESS: 0xVALUE`, or that it cannot be read.
  TRY_LET(const auto said, qemu.human(fmt::format("x /1gx {:#x}", UKL_GATE + 8ULL * UKL_GATE_TEXT)));
  const auto value = said.find(": 0x");
  const auto linked = text ? text->header.sh_addr : 0;
  const auto now = value == std::string::npos ? 0 : std::strtoull(said.c_str() + value + 2, nullptr, 16);
  if (linked == 0 || now < linked)
    return std::optional<LoadedFile>();
  return std::optional(LoadedFile{vmlinux, now - linked});
}

std::vector<std::pair<std::string, std::uint64_t>> code_in_maps(const std::string& maps) {
  std::vector<std::pair<std::string, std::uint64_t>> starts, code;
  std::istringstream lines(maps);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string range, rights, offset, device, inode, path;
    words >> range >> rights >> offset >> device >> inode >> std::ws;
    std::getline(words, path);
    if (!path.starts_with('/'))
      continue;
    if (std::ranges::find(starts, path, &decltype(starts)::value_type::first) == starts.end())
      starts.emplace_back(path, std::strtoull(range.c_str(), nullptr, 16));
    const auto start = std::ranges::find(starts, path, &decltype(starts)::value_type::first);
    if (rights.find('x') != std::string::npos && std::ranges::find(code, *start) == code.end())
      code.push_back(*start);
  }
  return code;
}

// init's first child watches the program, which is its only one (init/program.cpp). By looking at one process
// after the other: a small kernel has no lists of children.
unsigned program_of(const KnownMachine& machine) {
  unsigned watcher = 0;
  for (unsigned pid = 2, missing = 0; pid < kMostProcesses && missing < kGap; ++pid) {
    const auto stat = read_from(machine, fmt::format("/proc/{}/stat", pid));
    missing = stat ? 0 : missing + 1;
    const auto parent = stat ? parent_in(*stat) : 0;
    if (watcher != 0 && parent == watcher)
      return pid;
    if (watcher == 0 && parent == 1)
      watcher = pid;
  }
  return 0;
}

Result<std::vector<LoadedFile>> program_files_of(const KnownMachine& machine, const fs::path& folder) {
  std::vector<LoadedFile> files;
  const auto maps = read_from(machine, fmt::format("/proc/{}/maps", program_of(machine)));
  if (!maps)
    return files;
  for (const auto& [path, start] : code_in_maps(*maps)) {
    const auto name = fs::path(path).filename().string();
    if (!is_harmless(name))
      continue;
    // Two may have one name.
    const auto place = folder / fmt::format("{}", files.size());
    std::error_code ignored;
    fs::create_directory(place, ignored);
    if (!copy_from(machine, path, place / name))
      continue; // it was removed
    TRY_LET(const auto bytes, read_file(place / name));
    if (const auto first = first_address(bytes, name))
      files.push_back({place / name, start - *first});
  }
  return files;
}

std::string symbol_commands(const std::vector<LoadedFile>& files) {
  std::string text;
  for (const auto& file : files)
    text += fmt::format("add-symbol-file {} -o {:#x}\n", file.file.string(), file.slide);
  return text;
}

} // namespace ukl
