// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/log.hpp"
#include "support/interrupt.hpp"
#include "support/standard_streams.hpp"

#include <algorithm>
#include <cctype>
#include <deque>
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// Longer lines are written in pieces, as containerd does it.
constexpr std::size_t kLongestText = 16384;

constexpr std::string_view name_of(LogStream stream) {
  return stream == LogStream::output ? "stdout" : "stderr";
}

} // namespace

Result<MachineLog> MachineLog::open(const fs::path& folder, std::uint64_t most) {
  TRY_LET(auto file, BoundedFile::open(folder / "log", most));
  return MachineLog(std::move(file));
}

void MachineLog::write_entry(LogStream stream, std::string_view text, bool whole, Moment moment) {
  if (!text.empty() && text.back() == '\r')
    text.remove_suffix(1);
  if (!file_.add(fmt::format("{} {} {} {}\n", describe(moment), name_of(stream), whole ? 'F' : 'P', text)))
    lost_ = true;
}

void MachineLog::add(LogStream stream, std::string_view bytes, Moment moment) {
  auto& begun = begun_.at(static_cast<std::size_t>(stream));
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto taken = std::min({end, bytes.size(), kLongestText - begun.size()});
    begun += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    const bool whole = taken == end;
    if (whole)
      bytes.remove_prefix(1);
    else if (begun.size() < kLongestText)
      return;
    write_entry(stream, begun, whole, moment);
    begun.clear();
  }
}

void MachineLog::finish(Moment moment) {
  for (const auto stream : {LogStream::output, LogStream::error})
    if (auto& begun = begun_.at(static_cast<std::size_t>(stream)); !begun.empty()) {
      write_entry(stream, begun, false, moment);
      begun.clear();
    }
}

std::optional<LogEntry> parse_log_entry(std::string_view line) {
  LogEntry entry;
  const auto time = line.find(' ');
  if (time == std::string_view::npos || time == 0)
    return std::nullopt;
  entry.time = line.substr(0, time);
  line.remove_prefix(time + 1);
  for (const auto stream : {LogStream::output, LogStream::error}) {
    const auto name = name_of(stream);
    if (!line.starts_with(name) || line.size() < name.size() + 3 || line[name.size()] != ' ')
      continue;
    const char tag = line[name.size() + 1];
    if ((tag != 'F' && tag != 'P') || line[name.size() + 2] != ' ')
      return std::nullopt;
    entry.stream = stream;
    entry.whole = tag == 'F';
    entry.text = line.substr(name.size() + 3);
    return entry;
  }
  return std::nullopt;
}

Result<void> read_log(const KnownMachine& machine, const LogRequest& request,
                      const std::function<void(const LogEntry&)>& take) {
  std::error_code ignored;
  if (!fs::exists(machine.folder / "log", ignored)) {
    if (!machine.plan.detached)
      return Error{Failure::unreadable,
                   fmt::format("{} has no log: it writes where it was started", machine.plan.name),
                   "machines that ukl run -d starts have one"};
    return {};
  }
  const FileDescriptor events(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (request.follow)
    inotify_add_watch(events.get(), machine.folder.c_str(),
                      IN_MODIFY | IN_CREATE | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF);

  BoundedFileReader file(machine.folder / "log");
  const auto wanted = [&](std::string_view line) {
    auto entry = parse_log_entry(line);
    if (entry && !request.since.empty() && entry->time < request.since)
      entry.reset();
    return entry;
  };
  if (request.last) {
    // Pieces of a line count with its end.
    std::deque<std::string> kept;
    std::size_t lines = 0;
    file.more([&](std::string_view line) {
      const auto entry = wanted(line);
      if (!entry)
        return;
      kept.emplace_back(line);
      lines += entry->whole;
      // A last piece counts, too.
      while (lines + !entry->whole > *request.last && !kept.empty()) {
        lines -= parse_log_entry(kept.front())->whole;
        kept.pop_front();
      }
    });
    if (*request.last > 0)
      for (const auto& line : kept)
        take(*parse_log_entry(line));
  }
  const auto give = [&](std::string_view line) {
    if (const auto entry = wanted(line))
      take(*entry);
  };
  file.more(give);
  while (request.follow) {
    // The order matters: what was written before the end is read after it was seen.
    const bool ended = !is_alive(machine);
    file.more(give);
    if (ended || interrupted())
      break;
    TRY(flush_output());
    pollfd wait[] = {{events.get(), POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}};
    poll(wait, 2, -1);
    char drained[4096];
    while (read(events.get(), drained, sizeof drained) > 0) {
    }
  }
  return {};
}

Result<std::string> parse_since(const std::string& text, Moment now) {
  if (text.size() >= 10 && text[4] == '-' && text[7] == '-')
    return text;
  const Error wrong{Failure::usage, fmt::format("'{}' is not a time", text),
                    "write 10m, 1h30m, a number of seconds, or 2026-11-26T10:20:30Z"};
  std::int64_t sum = 0, number = 0;
  bool digits = false;
  for (const char byte : text) {
    if (std::isdigit(static_cast<unsigned char>(byte)) && number < 1'000'000'000) {
      number = number * 10 + (byte - '0');
      digits = true;
      continue;
    }
    const auto unit = std::string_view("smhd").find(byte);
    if (!digits || unit == std::string_view::npos)
      return wrong;
    constexpr std::int64_t seconds[] = {1, 60, 3600, 86400};
    sum += number * seconds[unit];
    number = 0;
    digits = false;
  }
  if (text.empty())
    return wrong;
  return describe(now - std::chrono::seconds(sum + number));
}

} // namespace ukl
