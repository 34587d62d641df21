// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/gdb_stub.hpp"
#include "support/standard_streams.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <numeric>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl {
namespace {

constexpr int kPatience = 10000; // milliseconds

int digit_of(char letter) {
  return letter >= '0' && letter <= '9'   ? letter - '0'
         : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10
                                          : -1;
}

Bytes bytes_in(const std::string& text) {
  Bytes bytes;
  for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
    const int high = digit_of(text[at]), low = digit_of(text[at + 1]);
    if (high < 0 || low < 0)
      break;
    bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return bytes;
}

Error no_answer() {
  return {Failure::machine, "QEMU's gdbstub does not answer",
          "the machine may have ended: ukl ps -a says how"};
}

std::string device_name() {
  return fmt::format("ukl-gdb-{}", getpid());
}

} // namespace

Result<FileDescriptor> open_gdb_stub(QemuClient& qemu) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return file_error("socket", "create", errno);
  FileDescriptor ours(ends[0]);
  {
    const FileDescriptor theirs(ends[1]);
    TRY(qemu.give("ukl-gdb", theirs.get()));
  }
  const nlohmann::json device = {
      {"id", device_name()},
      {"backend",
       {{"type", "socket"},
        {"data", {{"addr", {{"type", "fd"}, {"data", {{"str", "ukl-gdb"}}}}}, {"server", false}}}}}};
  TRY(qemu.execute("chardev-add", device.dump()));
  TRY_LET(const auto said, qemu.human("gdbserver chardev:" + device_name()));
  if (said.find("Waiting for gdb") == std::string::npos)
    return Error{Failure::machine, fmt::format("QEMU starts no gdbstub: {}", said), ""};
  return ours;
}

Result<void> close_gdb_stub(QemuClient& qemu) {
  TRY(qemu.human("gdbserver none"));
  TRY(qemu.execute("cont"));
  return {};
}

Result<IfKilled> close_gdb_stub_if_killed(const KnownMachine& machine) {
  return IfKilled::start([&machine] {
    if (auto qemu = QemuClient::connect(machine))
      (void)close_gdb_stub(*qemu);
  });
}

std::optional<Registers> registers_in(const std::string& answer) {
  const auto bytes = bytes_in(answer);
  Registers registers;
  if (bytes.size() < 8 * (registers.general.size() + 1))
    return std::nullopt;
  const auto value = [&](std::size_t number) {
    std::uint64_t result = 0;
    for (std::size_t byte = 8; byte-- > 0;)
      result = result << 8 | bytes[8 * number + byte];
    return result;
  };
  for (std::size_t number = 0; number < registers.general.size(); ++number)
    registers.general[number] = value(number);
  registers.ip = value(registers.general.size());
  return registers;
}

Result<char> GdbStub::byte() {
  while (read_ >= unread_.size()) {
    pollfd event = {socket_.get(), POLLIN, 0};
    const int ready = poll(&event, 1, kPatience);
    if (ready < 0 && errno == EINTR)
      continue;
    char buffer[8192];
    const ssize_t got = ready > 0 ? read(socket_.get(), buffer, sizeof buffer) : 0;
    if (got <= 0)
      return no_answer();
    unread_.assign(buffer, static_cast<std::size_t>(got));
    read_ = 0;
  }
  return unread_[read_++];
}

// $TEXT#SUM, which is acknowledged; acknowledgements of ours are passed over.
Result<std::string> GdbStub::packet() {
  char one = 0;
  while (one != '$') {
    TRY_LET(one, byte());
  }
  std::string text;
  while (true) {
    TRY_LET(one, byte());
    if (one == '#')
      break;
    text += one;
  }
  TRY(byte());
  TRY(byte());
  if (write_all(socket_.get(), "+") != 0)
    return no_answer();
  return text;
}

Result<void> GdbStub::send(const std::string& packet) {
  const auto sum = std::accumulate(packet.begin(), packet.end(), 0U, [](unsigned all, char one) {
    return all + static_cast<unsigned char>(one);
  });
  if (write_all(socket_.get(), fmt::format("${}#{:02x}", packet, sum & 255)) != 0)
    return no_answer();
  return {};
}

Result<std::string> GdbStub::ask(const std::string& text) {
  TRY(send(text));
  return packet();
}

Result<void> GdbStub::go_on() {
  return send("c");
}

Result<bool> GdbStub::stop() {
  // Any byte stops it; the answer says why it stands.
  if (write_all(socket_.get(), "\x03") != 0)
    return false;
  const auto answer = packet();
  if (!answer)
    return false;
  return !answer->starts_with('W') && !answer->starts_with('X');
}

Result<std::vector<std::string>> GdbStub::processors() {
  std::vector<std::string> names;
  TRY_LET(auto answer, ask("qfThreadInfo"));
  while (answer.starts_with('m')) {
    for (std::size_t start = 1; start < answer.size();) {
      const auto end = std::min(answer.find(',', start), answer.size());
      names.push_back(answer.substr(start, end - start));
      start = end + 1;
    }
    TRY_LET(answer, ask("qsThreadInfo"));
  }
  return names;
}

Result<Registers> GdbStub::registers(const std::string& processor) {
  TRY(ask("Hg" + processor));
  TRY_LET(const auto answer, ask("g"));
  const auto registers = registers_in(answer);
  if (!registers)
    return no_answer();
  return *registers;
}

Result<Bytes> GdbStub::memory(std::uint64_t address, std::size_t size) {
  TRY_LET(const auto answer, ask(fmt::format("m{:x},{:x}", address, size)));
  return answer.starts_with('E') ? Bytes() : bytes_in(answer);
}

} // namespace ukl
