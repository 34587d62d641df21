// SPDX-License-Identifier: GPL-2.0-only
// A machine under QEMU's gdbstub (GDB's manual, appendix "Remote Serial Protocol"): its registers and memory
// while it stands still.
#pragma once

#include "lifecycle/qemu_client.hpp"
#include "support/if_killed.hpp"

#include <array>
#include <optional>

namespace ukl {

/// A connection with the stub of a machine, which stands still from then on. Errors: those of QemuClient;
/// machine (QEMU starts no stub).
Result<FileDescriptor> open_gdb_stub(QemuClient& qemu);
/// Ends it, and the machine goes on.
Result<void> close_gdb_stub(QemuClient& qemu);
/// The same if we are killed meanwhile. To be had before there is a client, whose connection would stay open
/// in the one that waits for that.
Result<IfKilled> close_gdb_stub_if_killed(const KnownMachine& machine);

struct Registers {
  /// As the stub numbers them: rax rbx rcx rdx rsi rdi rbp rsp r8 … r15.
  std::array<std::uint64_t, 16> general = {};
  std::uint64_t ip = 0;
  static constexpr std::size_t kBp = 6, kSp = 7;
  std::uint64_t bp() const { return general[kBp]; }
  std::uint64_t sp() const { return general[kSp]; }
};

/// The registers in the stub's answer to `g`; nothing if it is too short.
std::optional<Registers> registers_in(const std::string& answer);

class GdbStub {
public:
  explicit GdbStub(FileDescriptor socket) : socket_(std::move(socket)) {}

  Result<void> go_on();
  /// Waits until it stands. False: the machine has ended.
  Result<bool> stop();
  /// The processors, as the stub names them.
  Result<std::vector<std::string>> processors();
  /// Those of the processor, whose page tables memory() uses from then on.
  Result<Registers> registers(const std::string& processor);
  /// Fewer bytes, or none, where nothing is mapped. `size` is at most kMostMemory.
  Result<Bytes> memory(std::uint64_t address, std::size_t size);
  static constexpr std::size_t kMostMemory = 2048;

private:
  Result<std::string> ask(const std::string& packet);
  Result<void> send(const std::string& packet);
  Result<std::string> packet();
  Result<char> byte();

  FileDescriptor socket_;
  std::string unread_;
  std::size_t read_ = 0;
};

} // namespace ukl
