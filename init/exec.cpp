// SPDX-License-Identifier: GPL-2.0-only
#include "exec.hpp"

#include "become.hpp"
#include "ending.hpp"
#include "exec_file.hpp"
#include "ports.hpp"

#include "fields.hpp"
#include "ukl/exec.hpp"
#include "ukl/wait_status.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace ukl::init {
namespace {

constexpr std::size_t kMostSessions = 64;
// What the host has not taken of the port: nobody writes more than one portion over it.
constexpr std::size_t kMostUnsent = 64 << 10;

// One program, or one file on its way.
struct Session {
  std::uint16_t number = 0;
  pid_t pid = -1;                          // its process, while it runs; a file has none
  int input = -1, output = -1, error = -1; // ours; a terminal's master is input and output
  bool terminal = false, file = false;
  bool gone = false;         // nobody wants to know of it any more
  bool input_ends = false;   // once `waiting` is written
  std::string waiting;       // input that the program has not taken
  std::uint32_t untaken = 0; // output that the host has not taken
  int status = -1;           // once the process has ended
};

Manifest machine_settings;
int port = -1;
std::string unread, unsent;
std::vector<Session> sessions;

void send(char kind, std::uint16_t number, std::string_view bytes) {
  unsent += exec::frame(kind, number, bytes);
}

void close_one(int& fd) {
  if (fd >= 0)
    close(fd);
  fd = -1;
}

void close_input(Session& session) {
  if (session.input != session.output)
    close_one(session.input);
  session.input = -1;
  session.waiting.clear();
}

void set_size(int terminal, const char* text) {
  winsize size = {};
  Fields fields(text);
  const bool known = fields.number(size.ws_row).number(size.ws_col).ok();
  fields.number(size.ws_xpixel).number(size.ws_ypixel);
  if (known)
    ioctl(terminal, TIOCSWINSZ, &size);
}

// The program's three streams, and ours in the session.
bool make_streams(Session& session, const std::string& size, int (&theirs)[3]) {
  if (session.terminal) {
    const int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (master < 0 || unlockpt(master) != 0)
      return false;
    set_size(master, size.c_str());
    const int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    session.input = session.output = master;
    theirs[0] = theirs[1] = theirs[2] = slave;
    return slave >= 0;
  }
  int* ours[] = {&session.input, &session.output, &session.error};
  for (int stream = 0; stream <= 2; ++stream) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
      return false;
    *ours[stream] = ends[stream == 0 ? 1 : 0];
    theirs[stream] = ends[stream == 0 ? 0 : 1];
    fcntl(*ours[stream], F_SETFL, O_NONBLOCK);
  }
  return true;
}

void close_session(Session& session) {
  close_input(session);
  close_one(session.output);
  close_one(session.error);
}

[[noreturn]] void become(const Execution& execution, const int (&streams)[3], bool terminal, int pipe) {
  setsid();
  if (terminal)
    ioctl(streams[0], TIOCSCTTY, 0);
  for (int stream = 0; stream <= 2; ++stream)
    if (dup2(streams[stream], stream) < 0)
      give_up(pipe, NotStarted::process);
  execute(execution, pipe);
}

// Returns why not, with a status; empty if it runs.
std::string start_process(Session& session, const Manifest& wanted, int& status) {
  Manifest settings = machine_settings;
  remove_values(settings, key::argument, 0);
  for (const auto& record : wanted) {
    if (record.first == key::directory || record.first == key::user)
      remove_values(settings, record.first, 0);
    settings.push_back(record);
  }
  if (values_of(settings, key::argument).empty())
    return "no program is named";
  const std::string size = value_of(wanted, key::terminal);
  session.terminal = !size.empty();
  // In the manifest, the word is the terminal's type; an `env` of the host's sets that here.
  remove_values(settings, key::terminal, 0);
  Execution execution;
  std::string why;
  if (!make_execution(settings, execution, why))
    return why;
  int theirs[3] = {-1, -1, -1}, ends[2];
  if (!make_streams(session, size, theirs) || pipe2(ends, O_CLOEXEC) != 0)
    return "cannot make its streams" + reason();
  for (const int stream : theirs)
    if (execution.user.given && fchown(stream, execution.user.user, static_cast<gid_t>(-1)) != 0)
      return "cannot give its streams to its user" + reason();
  session.pid = fork();
  if (session.pid == 0)
    become(execution, theirs, session.terminal, ends[1]);
  NotStarted failed = {NotStarted::process, errno};
  close(ends[1]);
  close(theirs[0]);
  if (!session.terminal) {
    close(theirs[1]);
    close(theirs[2]);
  }
  // exec closes the pipe; what fails before it is quick.
  const bool runs = session.pid > 0 && read(ends[0], &failed, sizeof failed) != sizeof failed;
  close(ends[0]);
  return runs ? "" : explain(failed, execution, value_of(settings, key::user), status);
}

// A list may be more than a pipe holds: it goes into a file without a place.
int open_list(const std::string& path) {
  const std::string list = list_files(path);
  if (list.empty())
    return -1;
  const int fd = memfd_create("list", MFD_CLOEXEC);
  if (fd < 0 || (write(fd, list.data(), list.size()) == static_cast<ssize_t>(list.size()) &&
                 lseek(fd, 0, SEEK_SET) == 0))
    return fd;
  close(fd);
  errno = ENOMEM;
  return -1;
}

// Returns whether it was about a file at all; why it failed, if it did.
bool start_file(Session& session, const Manifest& wanted, std::string& why) {
  const auto mode = static_cast<unsigned>(strtoul(value_of(wanted, "mode", "644").c_str(), nullptr, 8));
  for (const auto& [name, path] : wanted) {
    bool good = false;
    if (name == "get")
      good = (session.output = open_to_get(path)) >= 0;
    else if (name == "put")
      good = (session.input = open_to_put(path, mode)) >= 0;
    else if (name == "folder")
      good = make_folder(path, mode);
    else if (name == "list")
      good = (session.output = open_list(path)) >= 0;
    else
      continue;
    if (!good)
      why = path + reason();
    session.file = true;
    session.status = 0;
    return true;
  }
  return false;
}

void start(std::uint16_t number, std::string_view bytes) {
  Session session;
  session.number = number;
  const Manifest wanted = decode_manifest(bytes);
  int status = kInitFailed;
  std::string why;
  if (sessions.size() >= kMostSessions) {
    why = "too many programs run beside the machine's own";
  } else if (start_file(session, wanted, why)) {
    status = 1;
  } else {
    why = start_process(session, wanted, status);
  }
  if (why.empty()) {
    sessions.push_back(std::move(session));
    return;
  }
  close_session(session);
  send(exec::kRefused, number, std::to_string(status) + " " + why);
}

// A shell's jobs are in groups of their own: closing a terminal tells them.
void hang_up(Session& session) {
  if (session.pid > 0)
    kill(-session.pid, SIGHUP);
  session.gone = session.input_ends = true;
  session.untaken = 0;
}

void on_frame(char kind, std::uint16_t number, std::string_view bytes) {
  const auto found = std::find_if(sessions.begin(), sessions.end(),
                                  [&](const Session& session) { return session.number == number; });
  if (kind == exec::kStart && found == sessions.end())
    return start(number, bytes);
  if (found == sessions.end())
    return; // it has ended in the meantime
  Session& session = *found;
  const int value = atoi(std::string(bytes).c_str());
  if (kind == exec::kInput && session.input >= 0)
    session.waiting += bytes;
  else if (kind == exec::kInputEnd)
    session.input_ends = true;
  else if (kind == exec::kSignal && session.pid > 0)
    kill(value == SIGINT || value == SIGQUIT || value == SIGTSTP || value == SIGHUP ? -session.pid
                                                                                    : session.pid,
         value);
  else if (kind == exec::kWindow && session.terminal)
    set_size(session.output, std::string(bytes).c_str());
  else if (kind == exec::kTaken)
    session.untaken -= std::min(session.untaken, static_cast<std::uint32_t>(value));
  else if (kind == exec::kGone)
    hang_up(session);
}

void write_input(Session& session) {
  while (session.input >= 0 && !session.waiting.empty()) {
    const ssize_t put = write(session.input, session.waiting.data(), session.waiting.size());
    if (put > 0) {
      session.waiting.erase(0, static_cast<std::size_t>(put));
      send(exec::kTaken, session.number, std::to_string(put));
    } else if (put < 0 && errno == EAGAIN) {
      return;
    } else if (put < 0 && errno != EINTR) {
      // Nobody reads it any more; of a file, that is an error.
      if (session.file) {
        send(exec::kRefused, session.number, "1 " + std::string("cannot write") + reason());
        session.status = -2;
      }
      close_input(session);
    }
  }
  if (!session.input_ends || !session.waiting.empty() || session.input < 0)
    return;
  if (session.terminal) {
    // What Ctrl-D is to a terminal that edits lines.
    const char end = 4;
    if (write(session.input, &end, 1) < 0 && errno == EAGAIN)
      return;
    session.input_ends = false;
  } else {
    close_input(session);
  }
}

// True if something came.
bool read_output(Session& session, int& fd, char kind) {
  if (fd < 0 || session.untaken >= exec::kMostUntaken || unsent.size() >= kMostUnsent)
    return false;
  char buffer[16384];
  const ssize_t got = read(fd, buffer, sizeof buffer);
  if (got > 0 && session.gone)
    return true;
  if (got > 0) {
    session.untaken += static_cast<std::uint32_t>(got);
    send(kind, session.number, std::string_view(buffer, static_cast<std::size_t>(got)));
    return true;
  }
  // A terminal's master says EIO once nobody has the terminal.
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    if (fd == session.input)
      session.input = -1;
    close_one(fd);
  }
  return false;
}

// Everything has been said.
bool is_over(const Session& session) {
  if (session.status == -2)
    return true;
  return session.status >= 0 && session.output < 0 && session.error < 0 &&
         (!session.file || session.input < 0);
}

void carry(Session& session) {
  write_input(session);
  while (read_output(session, session.output, exec::kOutput)) {
  }
  while (read_output(session, session.error, exec::kError)) {
  }
  // What the process has left in the background may hold its streams for ever.
  const bool all_read = session.untaken < exec::kMostUntaken && unsent.size() < kMostUnsent;
  if (session.status >= 0 && !session.file && all_read)
    close_session(session);
}

void take_frames() {
  char buffer[65536];
  for (ssize_t got; (got = read(port, buffer, sizeof buffer)) > 0;) {
    unread.append(buffer, static_cast<std::size_t>(got));
    bool wrong = false;
    while (exec::take_frame(unread, wrong, on_frame)) {
    }
    if (wrong) {
      say("the host's words about other programs are not understood");
      close_one(port);
      return;
    }
  }
}

void send_frames() {
  while (!unsent.empty()) {
    const ssize_t put = write(port, unsent.data(), std::min<std::size_t>(unsent.size(), 16384));
    if (put <= 0)
      return;
    unsent.erase(0, static_cast<std::size_t>(put));
  }
}

} // namespace

void open_exec(const Manifest& settings) {
  if (value_of(settings, key::exec) != "1")
    return;
  port = open_port(exec::kPort);
  if (port >= 0)
    fcntl(port, F_SETFL, O_RDWR | O_NONBLOCK);
  exec_ready(settings);
}

void exec_ready(const Manifest& settings) {
  machine_settings = settings;
  if (port >= 0)
    send(exec::kReady, 0, {});
}

void add_exec_events(std::vector<pollfd>& events) {
  if (port < 0)
    return;
  events.push_back({port, static_cast<short>(unsent.empty() ? POLLIN : POLLIN | POLLOUT), 0});
  for (const auto& session : sessions) {
    if (session.input >= 0 && !session.waiting.empty())
      events.push_back({session.input, POLLOUT, 0});
    if (session.untaken >= exec::kMostUntaken || unsent.size() >= kMostUnsent)
      continue;
    for (const int fd : {session.output, session.error})
      if (fd >= 0)
        events.push_back({fd, POLLIN, 0});
  }
}

void carry_exec() {
  if (port < 0)
    return;
  take_frames();
  for (auto& session : sessions) {
    carry(session);
    if (is_over(session) && session.status >= 0 && !session.gone)
      send(exec::kEnd, session.number, std::to_string(session.status));
  }
  std::erase_if(sessions, is_over);
  if (port >= 0)
    send_frames();
}

void exec_ended(pid_t pid, int wait_status) {
  for (auto& session : sessions)
    if (session.pid == pid) {
      session.pid = -1;
      session.status = exit_status(wait_status);
    }
}

void end_exec() {
  for (auto& session : sessions)
    if (session.pid > 0)
      kill(-session.pid, SIGKILL);
}

} // namespace ukl::init
