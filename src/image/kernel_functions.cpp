// SPDX-License-Identifier: GPL-2.0-only
#include "image/kernel_functions.hpp"
#include "image/kernel_elf.hpp"
#include "ukl/kernel.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

namespace ukl {
namespace {

using Record = detail::KernelFunctionRecord;

// From which offsets are counted; see <ukl/gate.h>, UKL_GATE_TEXT.
constexpr const char* kTextSymbol = "_text";

std::string name_of(const Record& record) {
  return {record.name, strnlen(record.name, sizeof record.name)};
}

} // namespace

Result<void> link_kernel_functions(ElfContents& program, const std::string& name,
                                   const std::filesystem::path& vmlinux) {
  const auto* section = program.view ? program.view->section("ukl_kernel") : nullptr;
  if (!section)
    return {};
  const auto start = static_cast<std::size_t>(section->bytes.data() - program.bytes.data());
  if (section->bytes.size() % sizeof(Record) != 0)
    return Error{Failure::not_elf, fmt::format("{}: its section ukl_kernel is damaged", name),
                 "compile it again with this version's <ukl/kernel.hpp>"};

  std::vector<Record> records(section->bytes.size() / sizeof(Record));
  if (!records.empty())
    std::memcpy(records.data(), section->bytes.data(), section->bytes.size());
  std::vector<std::string> wanted = {kTextSymbol};
  for (const auto& record : records)
    wanted.push_back(name_of(record));
  TRY_LET(auto kernel, read_kernel_elf(vmlinux, wanted));

  std::set<std::string> missing;
  for (auto& record : records) {
    const auto found = kernel.symbols.find(name_of(record));
    if (found == kernel.symbols.end())
      missing.insert(name_of(record));
    else
      record.offset = found->second - kernel.symbols[kTextSymbol];
  }
  if (!missing.empty())
    return Error{Failure::missing_symbol,
                 fmt::format("{} calls kernel functions that this kernel does not have: {}", name,
                             fmt::join(missing, ", ")),
                 "check the spelling, or look for the name in the kernel's System.map (`ukl kernel path`)"};
  if (!records.empty())
    std::memcpy(program.bytes.data() + start, records.data(), section->bytes.size());
  return {};
}

} // namespace ukl
