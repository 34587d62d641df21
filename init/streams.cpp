// SPDX-License-Identifier: GPL-2.0-only
#include "streams.hpp"

#include "console.hpp"
#include "control.hpp"
#include "ending.hpp"
#include "fields.hpp"
#include "ports.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace ukl::init {
namespace {

// What is under way in one port stays with QEMU if the host's reader stalls: 128 requests of this size (its
// hw/char/virtio-serial-bus.c), all memory of the guest.
constexpr std::size_t kPortion = 16384;
constexpr std::uint64_t kUnknown = UINT64_MAX;

// One direction of one stream. By read and write: splice(2) from a pipe to a port copies wrong lengths when
// it cannot take a page away from its owner (6.1's pipe_to_sg() in drivers/char/virtio_console.c), as after
// sendfile or vmsplice.
struct Relay {
  int from = -1, to = -1;
  int number = 0;                   // of the stream, as the control port counts
  std::uint64_t bytes = 0;          // read so far
  std::uint64_t end = kUnknown;     // so many there are, if that is known
  std::size_t begin = 0, count = 0; // what is in the buffer
  char* buffer;                     // kPortion bytes

  bool open() const { return from >= 0; }
  bool from_port() const { return number == 0; }
};

// Apart from what is not zero at the start, so that the file has none of it.
char buffers[5][kPortion];
Relay input = {.buffer = buffers[0]}, output = {.buffer = buffers[1]}, error = {.buffer = buffers[2]},
      terminal_input = {.buffer = buffers[3]}, terminal_output = {.buffer = buffers[4]};
Relay* const kRelays[] = {&input, &output, &error, &terminal_input, &terminal_output};

int program_ends[3] = {-1, -1, -1};
int slave = -1, master = -1;

void end_relay(Relay& relay) {
  if (&relay == &input)
    report("input-closed");
  else if (&relay != &terminal_input)
    report("end " + std::to_string(relay.number) + " " + std::to_string(relay.bytes));
  // The terminal's two relays share their descriptors, and it stays open.
  if (&relay != &terminal_input && &relay != &terminal_output) {
    close(relay.from_port() ? relay.to : relay.from);
    if (!relay.from_port())
      relay.to = -1;
  }
  relay.from = -1;
  relay.count = 0;
}

// True if something moved.
bool fill(Relay& relay) {
  if (relay.count > 0)
    return true;
  if (relay.bytes >= relay.end) {
    end_relay(relay);
    return false;
  }
  const ssize_t got = read(relay.from, relay.buffer, kPortion);
  if (got > 0) {
    relay.begin = 0;
    relay.count = static_cast<std::size_t>(got);
    relay.bytes += relay.count;
    return true;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return false;
  end_relay(relay);
  return false;
}

// Nobody reads any more. A program on a terminal is not told; its host is, by SIGHUP.
void stop_writing(Relay& relay) {
  relay.count = 0;
  if (&relay == &terminal_output)
    relay.to = open("/dev/null", O_WRONLY | O_CLOEXEC);
  else
    end_relay(relay);
}

bool flush(Relay& relay) {
  const ssize_t put = write(relay.to, relay.buffer + relay.begin, relay.count);
  if (put > 0) {
    relay.begin += static_cast<std::size_t>(put);
    relay.count -= static_cast<std::size_t>(put);
    return true;
  }
  if (put < 0 && errno != EAGAIN && errno != EINTR)
    stop_writing(relay);
  return false;
}

void carry(Relay& relay) {
  // A little at a time: the others have their turn.
  for (int portions = 0; portions < 8 && relay.open() && fill(relay); ++portions)
    if (!flush(relay))
      return;
}

void set_nonblocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int open_stream_port(const char* name) {
  const int fd = open_port(name);
  if (fd < 0)
    end_machine(kInitFailed);
  set_nonblocking(fd);
  return fd;
}

// The program's end of a new pipe; ours is `ours`.
int make_pipe(bool program_reads, int& ours, uid_t owner) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    fail("cannot make a pipe" + reason());
  ours = ends[program_reads ? 1 : 0];
  set_nonblocking(ours);
  const int theirs = ends[program_reads ? 0 : 1];
  // So that /dev/stdout can be opened by name.
  if (fchown(theirs, owner, static_cast<gid_t>(-1)) != 0)
    say("cannot give a pipe to its user" + reason());
  return theirs;
}

void make_terminal(const Manifest& settings, bool has_keys, uid_t owner) {
  master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (master < 0 || unlockpt(master) != 0)
    fail("cannot make a terminal" + reason());
  slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0)
    fail("cannot open the terminal" + reason());
  if (fchown(slave, owner, static_cast<gid_t>(-1)) != 0)
    say("cannot give the terminal to its user" + reason());
  termios modes;
  if (tcgetattr(slave, &modes) == 0) {
    modes.c_iflag |= IUTF8;
    // Without keys the host's own terminal is not raw, and ends lines itself.
    if (!has_keys)
      modes.c_oflag &= static_cast<tcflag_t>(~OPOST);
    cfsetspeed(&modes, B38400);
    tcsetattr(slave, TCSANOW, &modes);
  }
  std::string size = value_of(settings, key::window);
  for (auto& character : size)
    if (character == ',')
      character = ' ';
  resize_terminal(size.c_str());
  take_terminal(slave);
  const int port = open_stream_port(kTerminalPort);
  terminal_input.from = port;
  terminal_input.to = master;
  terminal_output.from = master;
  terminal_output.to = port;
  terminal_output.number = 3;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char character : text)
    if (character == ',')
      parts.emplace_back();
    else
      parts.back() += character;
  return parts;
}

void open_one(int standard, const std::string& kind, uid_t owner) {
  int& end = program_ends[standard];
  if (kind == "terminal") {
    end = slave;
  } else if (kind == "null") {
    end = open("/dev/null", (standard == STDIN_FILENO ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
  } else if (kind == "output") {
    end = program_ends[STDOUT_FILENO];
  } else if (kind == "pipe") {
    if (standard == STDIN_FILENO) {
      input.from = open_stream_port(kInputPort);
      end = make_pipe(true, input.to, owner);
      return;
    }
    Relay& relay = standard == STDOUT_FILENO ? output : error;
    relay.to = open_stream_port(standard == STDOUT_FILENO ? kOutputPort : kErrorPort);
    relay.number = standard;
    end = make_pipe(false, relay.from, owner);
  } else if (kind != "closed") {
    fail("no stream is a '" + kind + "'");
  }
}

} // namespace

void open_streams(const Manifest& settings, uid_t owner) {
  const std::string kinds = value_of(settings, key::streams);
  if (kinds.empty()) {
    for (int standard = 0; standard <= 2; ++standard) {
      program_ends[standard] = standard;
      if (fchown(standard, owner, static_cast<gid_t>(-1)) != 0)
        say("cannot give the console to its user" + reason());
    }
    slave = STDOUT_FILENO;
    take_terminal(slave);
    return;
  }
  const auto words = split(kinds);
  if (words.size() != 3)
    fail("three streams are expected, not '" + kinds + "'");
  bool has_terminal = false;
  for (const auto& word : words)
    has_terminal = has_terminal || word == "terminal";
  if (has_terminal)
    make_terminal(settings, words[0] == "terminal", owner);
  for (int standard = 0; standard <= 2; ++standard)
    open_one(standard, words[static_cast<std::size_t>(standard)], owner);
}

int program_stream(int standard) {
  return program_ends[standard];
}

int program_terminal() {
  return slave;
}

void close_program_ends() {
  if (program_ends[STDERR_FILENO] == program_ends[STDOUT_FILENO])
    program_ends[STDERR_FILENO] = -1;
  for (int& end : program_ends) {
    if (end > STDERR_FILENO && end != slave)
      close(end);
    end = -1;
  }
}

void add_stream_events(std::vector<pollfd>& events) {
  for (const Relay* relay : kRelays) {
    if (!relay->open())
      continue;
    // That nobody reads any more has to be seen although there is nothing to write.
    events.push_back({relay->to, static_cast<short>(relay->count > 0 ? POLLOUT : 0), 0});
    if (relay->count == 0)
      events.push_back({relay->from, POLLIN, 0});
  }
}

void carry_streams() {
  for (Relay* relay : kRelays) {
    if (!relay->open())
      continue;
    carry(*relay);
    if (!relay->open())
      continue;
    pollfd reader = {relay->to, 0, 0};
    if (poll(&reader, 1, 0) > 0 && (reader.revents & (POLLHUP | POLLERR)))
      stop_writing(*relay);
  }
}

void end_input(std::uint64_t bytes) {
  input.end = bytes;
}

void resize_terminal(const char* size) {
  winsize window = {};
  if (master >= 0 && Fields(size)
                         .number(window.ws_row)
                         .number(window.ws_col)
                         .number(window.ws_xpixel)
                         .number(window.ws_ypixel)
                         .ok())
    ioctl(master, TIOCSWINSZ, &window);
}

std::uint64_t stream_bytes(int number) {
  return number == 1 ? output.bytes : error.bytes;
}

void count_streams_anew() {
  for (Relay* relay : {&output, &error, &terminal_output})
    relay->bytes = relay->count;
}

void finish_streams() {
  close_program_ends();
  for (Relay* relay : {&input, &terminal_input})
    relay->from = -1;
  // A terminal's master reads what is left, and then that no slave is open.
  if (terminal_output.open() && slave > 2) {
    close(slave);
    slave = -1;
  }
  while (true) {
    carry_streams();
    std::vector<pollfd> events;
    add_stream_events(events);
    if (events.empty())
      return;
    poll(events.data(), events.size(), -1);
  }
}

} // namespace ukl::init
