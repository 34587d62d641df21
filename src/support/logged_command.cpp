// SPDX-License-Identifier: GPL-2.0-only
#include "support/logged_command.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"

#include <cerrno>
#include <csignal>
#include <deque>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sstream>
#include <unistd.h>

namespace ukl {
namespace {

Result<void> append(int fd, const std::filesystem::path& log, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return file_error(log, "write", errno);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Error stopped(Process& process, const std::string& name) {
  // The whole group, as the terminal's Ctrl-C would: make and the compilers each remove what they left
  // half-made.
  kill(-process.pid(), SIGTERM);
  process.wait_for(std::chrono::seconds(10));
  return {Failure::interrupted, fmt::format("interrupted while running {}", name), ""};
}

} // namespace

Result<int> run_logged(const std::vector<std::string>& argv, const ProcessOptions& options,
                       const std::filesystem::path& log,
                       const std::function<void(const std::string&)>& on_line) {
  FileDescriptor log_file(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!log_file)
    return file_error(log, "write", errno);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return file_error("pipe", "create", errno);
  FileDescriptor reader(ends[0]), writer(ends[1]);
  ProcessOptions piped = options;
  piped.standard_output = piped.standard_error = writer.get();
  TRY_LET(auto process, Process::start(argv, piped));
  writer = FileDescriptor();

  std::string line;
  char buffer[65536];
  while (true) {
    pollfd wait[2] = {{reader.get(), POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}};
    if (poll(wait, 2, -1) < 0 && errno != EINTR)
      break;
    if (interrupted())
      return stopped(process, argv[0]);
    if (!wait[0].revents)
      continue;
    const ssize_t got = read(reader.get(), buffer, sizeof buffer);
    if (got <= 0)
      break;
    const std::string_view text(buffer, static_cast<std::size_t>(got));
    TRY(append(log_file.get(), log, text));
    for (const char character : text) {
      if (character != '\n')
        line += character;
      else if (on_line)
        on_line(std::exchange(line, {}));
      else
        line.clear();
    }
  }
  return process.wait();
}

std::string last_lines(const std::filesystem::path& log, std::size_t count) {
  auto text = read_text(log);
  if (!text)
    return {};
  std::deque<std::string> lines;
  std::istringstream stream(*text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back("  " + line);
    if (lines.size() > count)
      lines.pop_front();
  }
  return fmt::format("{}", fmt::join(lines, "\n"));
}

} // namespace ukl
