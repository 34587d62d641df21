// SPDX-License-Identifier: GPL-2.0-only
#include "boot_times.hpp"

#include "control.hpp"
#include "fields.hpp"
#include "settings.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <x86intrin.h>

namespace ukl::init {
namespace {

// Where the image's start code leaves the counter in Linux's boot_params: kFirstMomentOffset of
// boot/slide_parameters.hpp.
constexpr std::size_t kFirstMoment = 0x0d0;

// More than one message of the port's is no gain, and a line may not be longer (`ukl run` keeps 4096 bytes).
constexpr std::size_t kPortion = 4000;

std::uint64_t beginning = 0;
bool chart = false;

std::uint64_t kernels_first_moment() {
  const std::string parameters = read_whole("/sys/kernel/boot_params/data");
  std::uint64_t counter = 0;
  if (parameters.size() >= kFirstMoment + sizeof counter)
    memcpy(&counter, parameters.data() + kFirstMoment, sizeof counter);
  return counter;
}

// A record of /dev/kmsg: `priority,number,microseconds,flags;text` (Linux's
// Documentation/ABI/testing/dev-kmsg).
bool parse_record(const char* record, unsigned long long& moment, const char*& text) {
  text = strchr(record, ';');
  return text++ && Fields(record).until(",").text(",").until(",").text(",").number(moment).ok();
}

} // namespace

void note_beginning() {
  beginning = __rdtsc();
}

void report_times(const Manifest& settings) {
  const std::uint64_t program = __rdtsc();
  const std::string wanted = value_of(settings, key::times);
  if (wanted.empty())
    return;
  chart = wanted == "chart";
  const std::uint64_t kernel = kernels_first_moment();
  report("times " + std::to_string(kernel) + " " + std::to_string(beginning) + " " + std::to_string(program) +
         " " + std::to_string(__rdtsc()));
}

void report_initcalls() {
  const int log = chart ? open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;
  if (log < 0)
    return;
  // What shows the log's clock beside the counter: a record of our own, at the level that no console shows.
  // Without its end of line, Linux would wait for the rest.
  constexpr char mark[] = "<7>ukl: the log's clock\n";
  const std::uint64_t counter = __rdtsc();
  if (write(log, mark, sizeof mark - 1) < 0) {
    close(log);
    return;
  }
  lseek(log, 0, SEEK_SET);
  std::string lines;
  char record[8192];
  for (ssize_t got; (got = read(log, record, sizeof record - 1)) > 0 || errno == EPIPE;) {
    if (got < 0)
      continue;
    record[got] = '\0';
    unsigned long long moment = 0, took = 0;
    const char* text = nullptr;
    if (!parse_record(record, moment, text))
      continue;
    // "initcall NAME+0x0/0x30 returned 0 after 12 usecs" (Linux's init/main.c)
    constexpr const char* kInitcall = "initcall ";
    const auto* name = Fields(text).text(kInitcall).at();
    const auto* name_end = Fields(name).until("+ ").at();
    int result = 0;
    if (name != text &&
        Fields(name_end).word().text(" returned").number(result).text(" after").number(took).ok())
      lines += "initcall " + std::string(name, name_end) + " " + std::to_string(moment) + " " +
               std::to_string(took) + "\n";
    else if (strncmp(text, mark + 3, sizeof mark - 5) == 0)
      lines += "clock " + std::to_string(counter) + " " + std::to_string(moment) + "\n";
    if (lines.size() > kPortion) {
      lines.pop_back();
      report(lines);
      lines.clear();
    }
  }
  close(log);
  if (!lines.empty()) {
    lines.pop_back();
    report(lines);
  }
}

} // namespace ukl::init
