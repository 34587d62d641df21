// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/attach.hpp"
#include "lifecycle/attach_protocol.hpp"
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
// Ctrl-C is a signal.
class Keys {
public:
  Keys() : is_terminal_(isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!is_terminal_)
      return;
    termios now = before_;
    now.c_lflag &= ~static_cast<tcflag_t>(ICANON | IEXTEN);
    now.c_iflag &= ~static_cast<tcflag_t>(IXON);
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &now);
  }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;
  ~Keys() {
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
  bool is_end(const std::string& bytes) const { return is_terminal_ && bytes == "\x04"; }

private:
  termios before_ = {};
  bool is_terminal_, half_ = false;
};

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
  Keys keys;
  bool input = machine.plan.interactive;
  while (true) {
    pollfd events[] = {{socket.get(), POLLIN, 0},
                       {signals.descriptor(), POLLIN, 0},
                       {input || isatty(STDIN_FILENO) ? STDIN_FILENO : -1, POLLIN, 0}};
    if (poll(events, 3, -1) < 0 && errno != EINTR)
      return file_error(machine.folder / attach::kSocket, "read", errno);
    for (const int signal : signals.take()) {
      if (signal == SIGTSTP) {
        SignalQueue::stop_like_others(false);
        continue;
      }
      if (signal != SIGCHLD && signal != SIGCONT && signal != SIGWINCH)
        send_packet(socket.get(), attach::kSignal, fmt::format("{}", signal));
    }
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
