// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/qemu_client.hpp"
#include "machine/monitor_socket.hpp"
#include "support/interrupt.hpp"
#include "support/packets.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kPatience{10000};
// An answer is a line; none that we ask for is long.
constexpr std::size_t kLongestLine = 1 << 20;

} // namespace

Result<QemuClient> QemuClient::connect(const KnownMachine& machine) {
  const auto& name = machine.plan.name;
  if (!machine.alive || machine.state.qemu <= 0)
    return Error{Failure::no_such_machine, fmt::format("{} does not run", name),
                 "ukl ps lists those that do"};
  auto socket = connect_to_monitor(machine.folder);
  if (!socket)
    return Error{Failure::no_such_machine, fmt::format("the monitor of {} is not there", name),
                 "a machine that an older ukl has started has none"};
  QemuClient client(name, std::move(*socket));
  TRY(client.line(kPatience)); // its greeting
  TRY(client.execute("qmp_capabilities"));
  return client;
}

Result<std::string> QemuClient::execute(const std::string& command, const std::string& arguments) {
  TRY(send(fmt::format("{{\"execute\":\"{}\",\"arguments\":{}}}\n", command, arguments), -1));
  return answer();
}

Result<std::string> QemuClient::human(const std::string& command) {
  TRY_LET(const auto said, execute("human-monitor-command", Json{{"command-line", command}}.dump()));
  const auto text = Json::parse(said, nullptr, false);
  return text.is_string() ? text.get<std::string>() : std::string();
}

Result<void> QemuClient::give(const std::string& name, int descriptor) {
  TRY(send(fmt::format("{{\"execute\":\"getfd\",\"arguments\":{{\"fdname\":\"{}\"}}}}\n", name), descriptor));
  TRY(answer());
  return {};
}

Result<void> QemuClient::send(const std::string& text, int descriptor) {
  // A request is much shorter than the socket's buffer, which is empty: it goes as a whole.
  if (!send_with_descriptor(socket_.get(), text, descriptor))
    return Error{Failure::machine, fmt::format("{} has ended", name_), "ukl ps -a says how"};
  return {};
}

Result<std::string> QemuClient::line(milliseconds most) {
  const auto end = Clock::now() + most;
  while (true) {
    if (const auto at = unread_.find('\n'); at != std::string::npos) {
      auto line = unread_.substr(0, at);
      unread_.erase(0, at + 1);
      return line;
    }
    const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
    pollfd wait[] = {{socket_.get(), POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}};
    if (left <= 0 || unread_.size() > kLongestLine)
      return Error{Failure::machine, fmt::format("QEMU of {} does not answer", name_),
                   "another ukl dump or ukl gdb may have its monitor"};
    poll(wait, 2, static_cast<int>(left));
    if (interrupted())
      return Error{Failure::interrupted, "interrupted", ""};
    if (!wait[0].revents)
      continue;
    char buffer[4096];
    const ssize_t got = read(socket_.get(), buffer, sizeof buffer);
    if (got == 0 || (got < 0 && errno != EINTR))
      return Error{Failure::machine, fmt::format("{} has ended", name_), "ukl ps -a says how"};
    unread_.append(buffer, got > 0 ? static_cast<std::size_t>(got) : 0);
  }
}

// Past events, which come in between.
Result<std::string> QemuClient::answer() {
  while (true) {
    TRY_LET(const auto text, line(kPatience));
    const auto json = Json::parse(text, nullptr, false);
    if (!json.is_object())
      continue;
    if (const auto found = json.find("return"); found != json.end())
      return found->dump();
    if (const auto found = json.find("error"); found != json.end())
      return Error{Failure::machine,
                   fmt::format("QEMU of {}: {}", name_, found->value("desc", "it refuses and says not why")),
                   ""};
  }
}

} // namespace ukl
