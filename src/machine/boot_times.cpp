// SPDX-License-Identifier: GPL-2.0-only
#include "machine/boot_times.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <sstream>

namespace ukl {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

// Readings of the machine's counter.
struct Readings {
  std::uint64_t kernel = 0, init = 0, program = 0, sent = 0;
};

std::optional<Readings> read_times(const std::string& line) {
  std::istringstream words(line);
  std::string word;
  Readings times;
  if (words >> word >> times.kernel >> times.init >> times.program >> times.sent && word == "times" &&
      times.kernel <= times.init && times.init <= times.program && times.program <= times.sent)
    return times;
  return std::nullopt;
}

struct LogClock {
  std::uint64_t counter = 0, microseconds = 0;
};

std::optional<LogClock> read_clock(const std::string& line) {
  std::istringstream words(line);
  std::string word;
  LogClock clock;
  if (words >> word >> clock.counter >> clock.microseconds && word == "clock")
    return clock;
  return std::nullopt;
}

// A span whose start is still in milliseconds of the log's clock.
std::optional<BootSpan> read_initcall(const std::string& line) {
  std::istringstream words(line);
  std::string word;
  BootSpan call;
  std::uint64_t end = 0, took = 0;
  if (!(words >> word >> call.name >> end >> took) || word != "initcall" || took > end)
    return std::nullopt;
  call.start = static_cast<double>(end - took) / 1000;
  call.duration = static_cast<double>(took) / 1000;
  return call;
}

template <typename Read> auto first_of(const std::vector<std::string>& lines, Read read) {
  for (const auto& line : lines)
    if (auto found = read(line))
      return found;
  return decltype(read(""))();
}

} // namespace

BootTimes boot_times(const BootRecord& record) {
  const auto since = [&](BootRecord::Time time) { return Milliseconds(time - record.tool).count(); };
  BootTimes times;
  times.total = since(record.end);
  double reached = 0;
  const auto until = [&](const char* name, double moment) {
    moment = std::clamp(moment, reached, times.total);
    times.phases.push_back({name, reached, moment - reached});
    reached = moment;
  };
  until("tool", since(record.qemu));

  const auto readings = record.kilohertz ? first_of(record.lines, read_times) : std::nullopt;
  if (readings && record.times_came) {
    const auto at = [&](std::uint64_t counter) {
      return since(*record.times_came) -
             static_cast<double>(static_cast<std::int64_t>(readings->sent - counter)) /
                 static_cast<double>(record.kilohertz);
    };
    until("qemu", at(0));
    if (readings->kernel > 0)
      until("firmware", at(readings->kernel));
    until("kernel", at(readings->init));
    until("init", at(readings->program));
    if (record.first_output)
      times.first_output = since(*record.first_output) - reached;
    if (const auto clock = first_of(record.lines, read_clock))
      for (const auto& line : record.lines)
        if (auto call = read_initcall(line)) {
          call->start += at(clock->counter) - static_cast<double>(clock->microseconds) / 1000;
          times.initcalls.push_back(std::move(*call));
        }
    std::ranges::stable_sort(times.initcalls, {}, &BootSpan::start);
  }
  if (record.program_ended)
    until(readings ? "program" : "machine", since(*record.program_ended));
  until("end", times.total);
  return times;
}

std::string describe(const BootTimes& times) {
  std::string text;
  for (const auto& phase : times.phases) {
    text += fmt::format("{:10} {:8.1f} ms", phase.name, phase.duration);
    if (phase.name == "program" && times.first_output)
      text += fmt::format(", first output after {:.1f} ms", *times.first_output);
    text += '\n';
  }
  return text + fmt::format("{:10} {:8.1f} ms\n", "all", times.total);
}

} // namespace ukl
