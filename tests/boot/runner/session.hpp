// SPDX-License-Identifier: GPL-2.0-only
// A running command whose output is collected while we wait for a text, for its end, or for a time limit.
#pragma once

#include "support/files.hpp"
#include "support/process.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace boot {

using Clock = std::chrono::steady_clock;

class Session {
public:
  /// Starts `argv` in `directory` with `environment` added to ours; standard output and error are collected
  /// together.
  static ukl::Result<Session> start(const std::vector<std::string>& argv, const std::string& directory,
                                    const std::vector<std::string>& environment);

  /// Collects output until `text` stands in it. False if the command ended, or `deadline` passed, before
  /// that.
  bool wait_for_text(const std::string& text, Clock::time_point deadline);
  /// Collects output until the command ends. Its exit status, or nothing if `deadline` passed.
  std::optional<int> wait_for_end(Clock::time_point deadline);
  /// Collects output for this long at most; true if the command has ended.
  bool pump(std::chrono::milliseconds time);

  void signal(int number) { process_.signal(number); }
  pid_t pid() const { return process_.pid(); }
  /// All that it printed so far, as it came.
  const std::string& output() const { return output_; }

private:
  Session(ukl::Process process, ukl::FileDescriptor reader)
      : process_(std::move(process)), reader_(std::move(reader)) {}
  ukl::Process process_;
  ukl::FileDescriptor reader_;
  std::string output_;
  std::optional<int> status_;
};

/// Runs a bash command to its end or to the time limit (status 124 then, as timeout(1) has it).
ukl::Result<ukl::Output> run_bash(const std::string& command, const std::string& directory,
                                  const std::vector<std::string>& environment, std::chrono::seconds limit);

/// The same for a program and its arguments.
ukl::Result<ukl::Output> run_limited(const std::vector<std::string>& argv, const std::string& directory,
                                     const std::vector<std::string>& environment, std::chrono::seconds limit);

} // namespace boot
