// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/profiler.hpp"
#include "lifecycle/program_stack.hpp"
#include "support/interrupt.hpp"

#include <algorithm>
#include <cstring>
#include <poll.h>

namespace ukl {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// What Linux calls while there is nothing to do: the loop, and where there are no tables its innermost
// functions.
constexpr const char* kIdle[] = {"do_idle",       "default_idle",        "default_idle_call",
                                 "arch_cpu_idle", "pv_native_safe_halt", "native_safe_halt",
                                 "native_halt",   "acpi_safe_halt"};

// The machine's memory while it stands: what was read once is not asked for again.
class StandingMemory {
public:
  explicit StandingMemory(GdbStub& stub) : stub_(stub) {}
  void forget() { pieces_.clear(); }

  std::optional<std::uint64_t> word(std::uint64_t address) {
    Bytes bytes;
    for (std::uint64_t at = address; at != address + 8; ++at) {
      const auto& piece = piece_at(at / GdbStub::kMostMemory);
      const auto offset = at % GdbStub::kMostMemory;
      if (offset >= piece.size())
        return std::nullopt;
      bytes.push_back(piece[offset]);
    }
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

private:
  const Bytes& piece_at(std::uint64_t number) {
    const auto found = pieces_.find(number);
    if (found != pieces_.end())
      return found->second;
    auto bytes = stub_.memory(number * GdbStub::kMostMemory, GdbStub::kMostMemory);
    return pieces_[number] = bytes ? std::move(*bytes) : Bytes();
  }

  GdbStub& stub_;
  std::map<std::uint64_t, Bytes> pieces_;
};

class Profiler {
public:
  Profiler(const std::vector<LoadedFile>& program, std::optional<LoadedFile> kernel)
      : stacks_(program), kernel_(std::move(kernel)) {
    for (const auto& file : program)
      names_.add(file);
    if (!kernel_)
      return;
    names_.add(*kernel_);
    if (const auto bytes = read_file(kernel_->file))
      tables_ = OrcTables::read(*bytes, kernel_->file.string());
  }

  bool has_tables() const { return tables_.has_value(); }

  Result<void> sample(GdbStub& stub, const std::vector<std::string>& processors, Profile& profile) {
    StandingMemory memory(stub);
    const ReadWord read_word = [&](std::uint64_t address) { return memory.word(address); };
    for (const auto& processor : processors) {
      memory.forget(); // the next one may have other page tables
      TRY_LET(const auto registers, stub.registers(processor));
      add(registers, read_word, profile);
    }
    return {};
  }

private:
  void add(const Registers& at, const ReadWord& read_word, Profile& profile) {
    KernelStack kernel;
    if (!is_kernel(at.ip))
      kernel.program = at;
    else if (tables_)
      kernel = tables_->unwind(at, kernel_->slide, read_word);
    else
      kernel = innermost_call(at, read_word);
    std::vector<Call> stack;
    for (const auto address : kernel.calls)
      stack.push_back({names_.at(address), true});
    const bool idle = std::ranges::any_of(
        stack, [](const Call& call) { return std::ranges::find(kIdle, call.name) != std::end(kIdle); });
    if (idle) {
      ++profile.idle;
      return;
    }
    if (kernel.program)
      for (const auto address : stacks_.unwind(*kernel.program, read_word))
        stack.push_back({names_.at(address), false});
    std::ranges::reverse(stack);
    profile.calls.add(stack);
  }

  ProgramStacks stacks_;
  std::optional<LoadedFile> kernel_;
  std::optional<OrcTables> tables_;
  FunctionNames names_;
};

Result<void> take_samples(GdbStub& stub, Profiler& profiler, const ProfileOptions& options,
                          Profile& profile) {
  const auto pause = std::chrono::microseconds(1'000'000 / options.rate);
  const auto start = Clock::now();
  Clock::duration stood{0};
  TRY_LET(const auto processors, stub.processors());
  while (!interrupted() && (!options.time || Clock::now() - start < *options.time)) {
    TRY(stub.go_on());
    const timespec time = {pause.count() / 1'000'000, pause.count() % 1'000'000 * 1000};
    pollfd event = {interrupt_descriptor(), POLLIN, 0};
    ppoll(&event, 1, &time, nullptr);
    TRY_LET(const bool stands, stub.stop());
    const auto begin = Clock::now();
    profile.time = std::chrono::duration_cast<milliseconds>(begin - start);
    profile.ended = !stands;
    if (profile.ended)
      return {};
    TRY(profiler.sample(stub, processors, profile));
    stood += Clock::now() - begin;
    profile.stopped = std::chrono::duration_cast<milliseconds>(stood);
  }
  return {};
}

} // namespace

Result<Profile> profile_machine(const KnownMachine& machine, const ProfileOptions& options) {
  Profile profile;
  TRY_LET(const auto guard, close_gdb_stub_if_killed(machine));
  TRY_LET(auto qemu, QemuClient::connect(machine));
  TRY_LET(auto kernel, kernel_of(machine, qemu));
  if (!kernel)
    profile.notes.emplace_back(
        "its kernel is not in the cache (ukl kernel list), or has not come far: its functions have no names");
  TRY_LET(const auto folder, TemporaryFolder::create("ukl-profile"));
  TRY_LET(const auto program, program_files_of(machine, folder.path()));
  if (program.empty())
    profile.notes.emplace_back("the program's files could not be read: its functions have no names");
  Profiler profiler(program, kernel);
  if (kernel && !profiler.has_tables())
    profile.notes.emplace_back(
        "its kernel has no tables of its stacks: of it there is the innermost function alone");
  TRY_LET(auto socket, open_gdb_stub(qemu));
  GdbStub stub(std::move(socket));
  const auto sampled = take_samples(stub, profiler, options, profile);
  clear_interrupt(); // the machine is to go on in any case
  // One that has ended answers nothing, and has been looked at to its end.
  [[maybe_unused]] const auto closed = close_gdb_stub(qemu);
  if (!sampled && profile.calls.seen + profile.idle == 0)
    return sampled.error();
  return profile;
}

} // namespace ukl
