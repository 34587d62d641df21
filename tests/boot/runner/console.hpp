// SPDX-License-Identifier: GPL-2.0-only
// Reading a guest's console: the driver's results, and the signs of a kernel in trouble.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace boot {

/// How one program of a boot ended.
struct CheckResult {
  enum class Kind { ok, failed, skipped } kind = Kind::failed;
  std::string name;
  std::string detail; ///< time, reason
  std::string output; ///< what the program printed, if it failed
};

/// The driver's `[check] …` lines, in order. A program that started and never ended is a failed one.
std::vector<CheckResult> check_results(std::string_view console);

/// The first line that no healthy kernel prints (panic, BUG, WARNING, oops, RCU stall, lockup), or empty.
std::string kernel_trouble(std::string_view console);

/// The line that shows QEMU itself at fault, or empty: it ended by a signal that a process gets for a mistake
/// of its own (whatever a guest does, that is none of the guest's). Two faults of version 7.2 with several
/// virtual CPUs are known, both rare and seen under load: an assertion of its PCI code while the guest sets
/// up its devices, and an int3 that is executed after the kernel has replaced it (its code dump no longer has
/// 0xcc there): a translation of the old bytes has outlived them. Linux replaces int3 while it patches its
/// code (arch/x86/kernel/alternative.c, text_poke_bp_batch) and has all CPUs synchronized before it stops
/// expecting one. Where such an int3 hits code in which no handler can run, the machine is reset without a
/// word: with `several_cpus` that counts as well (of 150 boots under load with four CPUs two ended so and one
/// with such an int3; of several hundred with one CPU none).
std::string emulator_failure(std::string_view console, bool several_cpus = false);

/// The last `lines` lines, each with a margin.
std::string tail(std::string_view text, std::size_t lines);

/// Console text without carriage returns and terminal escape sequences.
std::string plain_text(std::string_view raw);

} // namespace boot
