// SPDX-License-Identifier: GPL-2.0-only
#include "machine/timers.hpp"

#include "support/files.hpp"

#include <chrono>
#include <fmt/format.h>
#include <thread>
#include <x86intrin.h>

namespace ukl {
namespace {

using Clock = std::chrono::steady_clock;

// QEMU's local APIC counts the nanoseconds of its virtual clock (its hw/intc/apic.c, apic_get_current_count).
constexpr unsigned kApicKilohertz = 1'000'000;

// Of at least so much time: either reading is off by 0.1 us at most.
constexpr std::chrono::milliseconds kMeasured{10};

struct Moment {
  Clock::time_point time;
  std::uint64_t counter = 0;
};

// Clock and counter read together: of some tries the one that was least interrupted.
Moment read_both() {
  Moment best;
  auto least = Clock::duration::max();
  for (int tries = 0; tries < 20; ++tries) {
    const auto before = Clock::now();
    const std::uint64_t counter = __rdtsc();
    const auto took = Clock::now() - before;
    if (took >= least)
      continue;
    least = took;
    best = {before + took / 2, counter};
  }
  return best;
}

// Read when the process begins: what the tool does until it needs the speed is time to measure in.
const Moment beginning = read_both();

} // namespace

bool counter_is_steady() {
  const auto text = read_text("/proc/cpuinfo");
  if (!text)
    return false;
  const auto start = text->find("\nflags");
  const std::string flags =
      start == std::string::npos ? "" : text->substr(start, text->find('\n', start + 1) - start) + " ";
  return flags.find(" constant_tsc ") != std::string::npos &&
         flags.find(" nonstop_tsc ") != std::string::npos;
}

Clock::time_point process_beginning() {
  return beginning.time;
}

std::uint64_t counter_kilohertz() {
  std::this_thread::sleep_until(beginning.time + kMeasured);
  const Moment last = read_both();
  const std::chrono::duration<double, std::milli> passed = last.time - beginning.time;
  return static_cast<std::uint64_t>(static_cast<double>(last.counter - beginning.counter) / passed.count());
}

std::vector<std::string> timer_parameters(bool counter) {
  std::vector<std::string> words = {fmt::format("ukl_lapic_khz={}", kApicKilohertz)};
  if (counter) {
    words.push_back(fmt::format("tsc_early_khz={}", counter_kilohertz()));
    // All CPUs of the machine see one counter: nothing to check, and no other clock to check it by.
    words.emplace_back("tsc=reliable");
  }
  return words;
}

} // namespace ukl
