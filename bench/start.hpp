// SPDX-License-Identifier: GPL-2.0-only
// How soon a program runs, and how little it takes: `bench/run start`.
#pragma once

#include "first_answer.hpp"

namespace ukl::bench {

/// Files that the benchmark brings along.
struct StartPlan {
  unsigned rounds = 5;
  std::filesystem::path tool;  ///< ukl
  std::filesystem::path floor; ///< bench/guest/floor
  std::filesystem::path hello; ///< bench/guest/hello
  std::filesystem::path web;   ///< bench/guest/web
};

/// One way to start a hello. Times in milliseconds, from the start of the command.
struct StartRow {
  std::string name;
  Samples first_line, total;
  double instructions = 0;     ///< until the program's first, the firmware's not counted; 0: not counted
  std::uint64_t file_size = 0; ///< bytes
  double least_memory = 0;     ///< MiB with which it still says hello; 0: not tried
  std::string failure;
};

struct StartReport {
  Part about; ///< date, command, QEMU, host
  std::vector<StartRow> rows;
  std::vector<FirstAnswerRow> servers;
  double server_memory = 0; ///< MiB with which a server still answers twenty requests
};

/// Boots everything in turns. Errors: those of making the images and of cloud_kernel.
Result<StartReport> measure_start(const StartPlan& plan);

/// As text, or as Markdown for docs/benchmarks.md.
std::string start_text(const StartReport& report, bool markdown);

} // namespace ukl::bench
