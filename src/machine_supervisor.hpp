// SPDX-License-Identifier: GPL-2.0-only
// What `ukl run` makes of the control port's messages, of signals and of time. No system calls: the caller
// says what happened and when, so a test can say it too.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ukl {

class MachineSupervisor {
public:
  using Time = std::chrono::steady_clock::time_point;

  /// How long things may take.
  struct Limits {
    std::chrono::milliseconds second_signal{3000}; ///< a second Ctrl-C within it stops the machine at once
    std::chrono::milliseconds answer{10000};       ///< for init to say that it has passed a signal on
    std::chrono::milliseconds power_off{3000};     ///< for the machine to end after it reported its status
  };

  /// `end`: when a machine that has not ended by then is stopped, if ever.
  explicit MachineSupervisor(Limits limits, std::optional<Time> end = std::nullopt)
      : limits_(limits), end_(end) {}

  /// The user wants the program to get `signal`.
  void on_signal(int signal, Time now);
  /// Bytes from the control port.
  void on_control(std::string_view bytes, Time now);
  /// What is to be written to the control port now; empty if nothing. Each text is given out once.
  std::string take_message();

  /// Why the machine has to be stopped at this time.
  enum class Stop { no, interrupted, unanswered, timed_out, finished };
  Stop must_stop(Time now) const;
  /// When to ask must_stop() again even if nothing happens.
  std::optional<Time> next_deadline() const;

  bool started() const { return started_; }
  std::optional<int> status() const { return status_; }
  /// The system calls that were reported so far.
  const std::vector<std::uint32_t>& calls() const { return calls_; }
  /// The last signal passed on, or 0.
  int last_signal() const { return last_signal_; }

private:
  void on_line(std::string_view line, Time now);

  Limits limits_;
  std::optional<Time> end_;
  std::string unread_, message_;
  std::string waiting_; // signals for a program that is not there yet
  bool started_ = false;
  std::optional<int> status_;
  std::vector<std::uint32_t> calls_;
  int last_signal_ = 0;
  bool stop_now_ = false;
  std::optional<Time> signalled_at_; // the last signal
  std::optional<Time> answer_due_;   // for the first signal that is not yet answered
  int unanswered_ = 0;
  std::optional<Time> power_off_due_; // after the status came
};

} // namespace ukl
