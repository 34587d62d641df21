// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/attach.hpp"
#include "lifecycle/attach_protocol.hpp"
#include "machine/host_streams.hpp"
#include "machine/signal_queue.hpp"
#include "support/packets.hpp"
#include "support/standard_streams.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

namespace ukl {
namespace {

// As docker's: Ctrl-P, then Ctrl-Q.
constexpr char kLeave[] = {0x10, 0x11};

// A terminal that gives each key at once, so that the two are seen; it still echoes, edits no line, and
// Ctrl-C is a signal. `raw`: the machine has a terminal that does all that, and Ctrl-C is a key.
class Keys {
public:
  explicit Keys(bool raw)
      : is_terminal_(isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before_) == 0), raw_(raw) {
    enter();
  }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;
  ~Keys() { leave(); }

  bool is_raw() const { return is_terminal_ && raw_; }
  void enter() {
    if (!is_terminal_)
      return;
    termios now = before_;
    if (raw_)
      cfmakeraw(&now);
    now.c_lflag &= ~static_cast<tcflag_t>(ICANON | IEXTEN);
    now.c_iflag &= ~static_cast<tcflag_t>(IXON);
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &now);
  }
  void leave() {
    if (is_terminal_)
      tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

  // Whether the two keys came; what stands before them stays in `bytes`.
  bool take_leave(std::string& bytes) {
    if (!is_terminal_)
      return false;
    std::string kept;
    for (const char byte : bytes) {
      if (half_ && byte == kLeave[1]) {
        bytes = kept;
        return true;
      }
      if (half_)
        kept += kLeave[0];
      half_ = byte == kLeave[0];
      if (!half_)
        kept += byte;
    }
    bytes = kept;
    return false;
  }
  // Ctrl-D at the beginning of what came.
  bool is_end(const std::string& bytes) const { return is_terminal_ && !raw_ && bytes == "\x04"; }

private:
  termios before_ = {};
  bool is_terminal_, raw_, half_ = false;
};

// The window's size, where there is a window.
void tell_window(int socket, char kind) {
  if (const auto size = window_size(STDOUT_FILENO, ' '); !size.empty() || kind == attach::kJoin)
    send_packet(socket, kind, size);
}

// False: this one ends us, and not the machine.
bool pass_on(int signal, int socket, bool terminal, Keys& keys) {
  switch (signal) {
  case SIGTSTP:
    keys.leave();
    SignalQueue::stop_like_others(false);
    keys.enter();
    return true;
  case SIGWINCH:
    if (terminal)
      tell_window(socket, attach::kWindow);
    return true;
  case SIGCHLD:
  case SIGCONT:
    return true;
  case SIGHUP:
  case SIGTERM:
    // The window has been closed, and another one may be opened: what is meant for the program is a key.
    if (keys.is_raw())
      return false;
    [[fallthrough]];
  default:
    send_packet(socket, attach::kSignal, fmt::format("{}", signal));
    return true;
  }
}

} // namespace

Result<AttachEnd> attach_to(const KnownMachine& machine) {
  if (!machine.alive)
    return Error{Failure::no_such_machine, fmt::format("{} does not run", machine.plan.name),
                 fmt::format("what it wrote: ukl logs {}", machine.plan.name)};
  if (!machine.plan.detached)
    return Error{Failure::machine_runs,
                 fmt::format("{} runs in the foreground of a terminal", machine.plan.name),
                 "only machines of ukl run -d can be attached to"};
  TRY_LET(const auto socket, connect_for_packets(machine.folder / attach::kSocket));
  TRY_LET(auto signals, SignalQueue::create());
  const bool terminal = machine.plan.terminal && isatty(STDOUT_FILENO);
  Keys keys(machine.plan.terminal);
  if (terminal)
    tell_window(socket.get(), attach::kJoin);
  bool input = machine.plan.interactive;
  while (true) {
    pollfd events[] = {{socket.get(), POLLIN, 0},
                       {signals.descriptor(), POLLIN, 0},
                       {input || isatty(STDIN_FILENO) ? STDIN_FILENO : -1, POLLIN, 0}};
    if (poll(events, 3, -1) < 0 && errno != EINTR)
      return file_error(machine.folder / attach::kSocket, "read", errno);
    for (const int signal : signals.take())
      if (!pass_on(signal, socket.get(), terminal, keys))
        return AttachEnd{true, 128 + signal};
    if (events[0].revents) {
      char packet[kLongestPacket];
      const ssize_t got = recv(socket.get(), packet, sizeof packet, 0);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return Error{Failure::machine,
                     fmt::format("lost {}: it was killed, or we were too slow", machine.plan.name),
                     "ukl ps -a tells, and ukl logs has the rest"};
      const std::string_view bytes(packet + 1, static_cast<std::size_t>(got) - 1);
      if (packet[0] == attach::kEnd)
        return AttachEnd{false, std::atoi(std::string(bytes).c_str())};
      if (write_all(packet[0] == attach::kOutput ? STDOUT_FILENO : STDERR_FILENO, bytes) == EPIPE)
        return AttachEnd{true, 128 + SIGPIPE};
    }
    if (events[2].revents) {
      char buffer[kLongestPacket - 1];
      const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
      std::string bytes(buffer, got > 0 ? static_cast<std::size_t>(got) : 0);
      if (keys.take_leave(bytes))
        return AttachEnd{true, 0};
      if (!input)
        continue;
      if (got <= 0 || keys.is_end(bytes)) {
        input = false;
        send_packet(socket.get(), attach::kInputEnd, {});
      } else if (!bytes.empty()) {
        send_packet(socket.get(), attach::kInput, bytes);
      }
    }
  }
}

} // namespace ukl
