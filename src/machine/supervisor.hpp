// SPDX-License-Identifier: GPL-2.0-only
// What `ukl run` makes of the control port's messages, of signals and of time. No system calls: the caller
// says what happened and when, so a test can say it too.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
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
    std::chrono::milliseconds answer{10000};   ///< for init to say that it has passed a signal on
    std::chrono::milliseconds power_off{3000}; ///< for the machine to end after it reported its status
    std::chrono::milliseconds obey{10000};     ///< for a program to end because a signal asked it to
  };

  /// `end`: when a machine that has not ended by then is stopped, if ever.
  explicit MachineSupervisor(Limits limits, std::optional<Time> end = std::nullopt)
      : limits_(limits), end_(end) {}

  /// We got `signal`. The program gets it; but one that asks us to end stops a machine whose program does not
  /// run yet, or has ended (once its volumes are unmounted). `ignored`: it was ignored when we were started,
  /// and the program may do so too.
  void on_signal(int signal, Time now, bool ignored = false);
  /// The program gets `signal`, whatever it is.
  void pass_on(int signal, Time now);
  /// The user wants the machine to stop, whatever the program says.
  void stop_by_hand() { stop_now_ = true; }
  /// Bytes from the control port. Not more than one line of them is ever kept.
  void on_control(std::string_view bytes, Time now);
  /// A line for the guest, given out by the next take_message().
  void send(std::string_view line);
  /// What is to be written to the control port now; empty if nothing. Each text is given out once.
  std::string take_message();
  /// The machine has ended; only the user's own limits still count.
  void on_machine_end();

  /// Why the machine has to be stopped at this time. `flooded`: the control port's bytes follow no rule.
  enum class Stop { no, interrupted, unanswered, timed_out, finished, flooded };
  Stop must_stop(Time now) const;
  /// When to ask must_stop() again even if nothing happens.
  std::optional<Time> next_deadline() const;

  bool started() const { return started_; }
  /// Everything has been sent, and init wants to know whether it has arrived.
  bool sent() const { return sent_; }
  /// Nobody reads the input any more.
  bool input_closed() const { return input_closed_; }
  /// The bytes of stream 1, 2 or 3 (see kControlPort), once it has ended.
  std::optional<std::uint64_t> bytes_of(unsigned stream) const { return bytes_.at(stream); }
  /// Init asks for the time, since the last call.
  bool take_time_question();
  /// The ports on which somebody listens, since the last call.
  std::vector<std::uint16_t> take_listening();
  /// The bytes of output and error that there were when init was asked how quiet the program is, once.
  std::optional<std::uint64_t> take_quiet();
  /// The signal that stopped the program since the last call, or 0.
  int take_stopped();
  /// The processes for which the machine runs on although the program has ended, once; else empty.
  std::string take_background();
  std::optional<int> status() const { return status_; }
  /// The program has ended because a signal asked it to, and its volumes are unmounted: the status that it
  /// ended with. Who waits for the rest of its output waits for nobody's sake any more.
  std::optional<int> status_when_asked_to_end() const { return asked_to_end_ ? safe_status_ : std::nullopt; }
  /// The system calls that were reported so far, each once.
  const std::vector<std::uint32_t>& calls() const { return calls_; }
  /// The files that the program did not find, as init said it (init/missing_files.hpp): `f` or `d`, and the
  /// path.
  const std::vector<std::string>& missing() const { return missing_; }
  /// The lines `times`, `clock` and `initcall` as they came, and when the first came.
  const std::vector<std::string>& times() const { return times_; }
  std::optional<Time> times_came() const { return times_came_; }
  /// When the program's end was reported.
  std::optional<Time> ended_at() const { return ended_at_; }
  /// The last signal passed on, or 0.
  int last_signal() const { return last_signal_; }

private:
  void on_line(std::string_view line, Time now);
  void on_end_of_stream(std::string_view numbers);

  Limits limits_;
  std::optional<Time> end_;
  std::string unread_, message_;
  std::string waiting_; // signals for a program that is not there yet
  bool started_ = false, ended_ = false, safe_ = false, sent_ = false, machine_ended_ = false;
  bool input_closed_ = false, flooded_ = false;
  std::optional<int> status_;
  std::array<std::optional<std::uint64_t>, 4> bytes_;
  std::vector<std::uint32_t> calls_;
  std::vector<std::string> times_, missing_;
  std::optional<Time> times_came_, ended_at_;
  int last_signal_ = 0, stopped_ = 0;
  std::optional<std::uint64_t> quiet_;
  std::string background_;
  bool asked_time_ = false;
  std::vector<std::uint16_t> listening_;
  bool stop_now_ = false, stop_when_safe_ = false;
  std::optional<Time> answer_due_; // for the first signal that is not yet answered
  int unanswered_ = 0;
  std::optional<Time> power_off_due_; // after the status came
  std::optional<Time> asked_at_;      // when a signal last asked the program to end
  bool asked_to_end_ = false;
  std::optional<int> safe_status_;
};

} // namespace ukl
