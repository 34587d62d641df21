// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/program_stack.hpp"
#include "elf/view.hpp"
#include "support/files.hpp"

#include <algorithm>
#include <cstdlib>
#include <cxxabi.h>
#include <elfutils/libdwfl.h>
#include <fmt/format.h>

namespace ukl {
namespace {

constexpr std::size_t kMostCalls = 256;
constexpr pid_t kAnyNumber = 1; // libdw wants one of a process; it reads nothing of that

// By DWARF's numbers for x86-64 (System V ABI, AMD64 supplement, 3.6.2); the last is the return address.
constexpr std::size_t kDwarfOrder[] = {0, 3, 2, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

std::string demangled(std::string_view name) {
  const std::string text(name);
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> readable(
      text.starts_with("_Z") ? abi::__cxa_demangle(text.c_str(), nullptr, nullptr, &status) : nullptr,
      &std::free);
  return readable && status == 0 ? readable.get() : text;
}

} // namespace

struct ProgramStacks::Reader {
  // One question: where the stack is, and what came of it.
  struct Question {
    const Registers* at;
    const ReadWord* read_word;
    std::vector<std::uint64_t> calls;
  };

  Dwfl_Callbacks callbacks = {};
  Dwfl_Thread_Callbacks threads = {};
  Dwfl* dwfl = nullptr;
  Question question = {};
  bool attached = false;

  Reader() {
    callbacks.find_elf = dwfl_build_id_find_elf;
    callbacks.find_debuginfo = dwfl_standard_find_debuginfo;
    dwfl = dwfl_begin(&callbacks);
    threads.next_thread = [](Dwfl*, void* self, void** thread) -> pid_t {
      const bool first = *thread == nullptr;
      *thread = self;
      return first ? kAnyNumber : 0;
    };
    threads.memory_read = [](Dwfl*, Dwarf_Addr address, Dwarf_Word* result, void* self) {
      const auto word = (*static_cast<Reader*>(self)->question.read_word)(address);
      *result = word.value_or(0);
      return word.has_value();
    };
    threads.set_initial_registers = [](Dwfl_Thread* thread, void* self) {
      const auto& at = *static_cast<Reader*>(self)->question.at;
      Dwarf_Word words[std::size(kDwarfOrder)];
      for (std::size_t number = 0; number < std::size(kDwarfOrder); ++number)
        words[number] = at.general[kDwarfOrder[number]];
      dwfl_thread_state_register_pc(thread, at.ip);
      return dwfl_thread_state_registers(thread, 0, std::size(words), words);
    };
  }
  ~Reader() { dwfl_end(dwfl); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

ProgramStacks::ProgramStacks(const std::vector<LoadedFile>& files) : reader_(std::make_unique<Reader>()) {
  auto& reader = *reader_;
  if (!reader.dwfl)
    return;
  dwfl_report_begin(reader.dwfl);
  bool any = false;
  for (const auto& file : files)
    any =
        dwfl_report_elf(reader.dwfl, file.file.c_str(), file.file.c_str(), -1, file.slide, true) != nullptr ||
        any;
  dwfl_report_end(reader.dwfl, nullptr, nullptr);
  reader.attached = any && dwfl_attach_state(reader.dwfl, nullptr, kAnyNumber, &reader.threads, &reader);
}

ProgramStacks::~ProgramStacks() = default;
ProgramStacks::ProgramStacks(ProgramStacks&&) noexcept = default;

std::vector<std::uint64_t> ProgramStacks::unwind(const Registers& at, const ReadWord& read_word) const {
  auto& reader = *reader_;
  if (!reader.attached)
    return {at.ip};
  reader.question = {&at, &read_word, {}};
  dwfl_getthread_frames(
      reader.dwfl, kAnyNumber,
      [](Dwfl_Frame* frame, void* self) -> int {
        auto& calls = static_cast<Reader*>(self)->question.calls;
        Dwarf_Addr ip = 0;
        bool interrupted = false;
        if (!dwfl_frame_pc(frame, &ip, &interrupted) || calls.size() >= kMostCalls)
          return DWARF_CB_ABORT;
        calls.push_back(interrupted ? ip : ip - 1);
        return DWARF_CB_OK;
      },
      &reader);
  auto calls = std::move(reader.question.calls);
  if (calls.empty())
    calls.push_back(at.ip);
  return calls;
}

void FunctionNames::add(const LoadedFile& file) {
  const auto bytes = read_file(file.file);
  if (!bytes)
    return;
  const auto elf = rewrite::ElfView::parse(*bytes, file.file.string(), rewrite::kAllAddresses);
  if (!elf)
    return;
  const auto symbols = elf->symbols();
  for (const auto& region : elf->executable) {
    Code code{region.address + file.slide, region.end() + file.slide, file.file.filename().string(), {}};
    for (const auto& symbol : symbols) {
      const bool seen = !code.functions.empty() && code.functions.back().start == symbol.address + file.slide;
      if (region.contains(symbol.address) && !seen)
        code.functions.push_back({symbol.address + file.slide,
                                  symbol.size ? symbol.address + symbol.size + file.slide : code.end,
                                  std::string(symbol.name)});
    }
    codes_.push_back(std::move(code));
  }
}

std::string FunctionNames::at(std::uint64_t address) const {
  for (const auto& code : codes_) {
    if (address < code.start || address >= code.end)
      continue;
    const auto after = std::ranges::upper_bound(code.functions, address, {}, &Function::start);
    if (after == code.functions.begin() || address >= std::prev(after)->end)
      return "[" + code.file + "]";
    return demangled(std::prev(after)->name);
  }
  return "[unknown]";
}

} // namespace ukl
