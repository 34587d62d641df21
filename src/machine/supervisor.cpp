// SPDX-License-Identifier: GPL-2.0-only
#include "machine/supervisor.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fmt/format.h>
#include <utility>

namespace ukl {
namespace {

// No line of init's is as long as this, and no kernel has as many system calls.
constexpr std::size_t kLongestLine = 4096;
constexpr std::uint32_t kMostCalls = 1024;
constexpr std::size_t kMostListening = 65536;
constexpr std::size_t kMostTimes = 8192;
constexpr std::size_t kMostMissing = 20000;

// Takes a decimal number and the blank behind it off the front of a text.
template <typename Number> std::optional<Number> take_number(std::string_view& text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc())
    return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty() && text.front() != ' ')
    return std::nullopt;
  text.remove_prefix(text.empty() ? 0 : 1);
  return number;
}

// What stands behind `word ` in a line that starts so.
std::optional<std::string_view> behind(std::string_view word, std::string_view line) {
  if (!line.starts_with(word) || line.size() <= word.size() || line[word.size()] != ' ')
    return std::nullopt;
  return line.substr(word.size() + 1);
}

// The one number behind `word `.
std::optional<int> number_behind(std::string_view word, std::string_view line) {
  auto rest = behind(word, line);
  if (!rest)
    return std::nullopt;
  const auto number = take_number<int>(*rest);
  return rest->empty() ? number : std::nullopt;
}

bool asks_to_end(int signal) {
  return signal == SIGINT || signal == SIGTERM || signal == SIGQUIT || signal == SIGHUP;
}

} // namespace

void MachineSupervisor::on_signal(int signal, Time now, bool ignored) {
  if (asks_to_end(signal) && !ignored && (!started_ || ended_)) {
    last_signal_ = signal;
    stop_now_ = !started_ || safe_;
    stop_when_safe_ = true;
    return;
  }
  pass_on(signal, now);
}

void MachineSupervisor::pass_on(int signal, Time now) {
  last_signal_ = signal;
  if (asks_to_end(signal) || signal == SIGKILL)
    asked_at_ = now;
  (started_ ? message_ : waiting_) += fmt::format("signal {}\n", signal);
  if (unanswered_++ == 0 && !ended_)
    answer_due_ = now + limits_.answer;
}

void MachineSupervisor::on_control(std::string_view bytes, Time now) {
  while (!bytes.empty() && !flooded_) {
    const auto end = bytes.find('\n');
    unread_ += bytes.substr(0, std::min(end, kLongestLine));
    flooded_ =
        unread_.size() > kLongestLine || (end == std::string_view::npos && bytes.size() > kLongestLine);
    if (flooded_ || end == std::string_view::npos)
      return;
    bytes.remove_prefix(end + 1);
    on_line(std::exchange(unread_, {}), now);
  }
}

void MachineSupervisor::on_end_of_stream(std::string_view numbers) {
  const auto stream = take_number<unsigned>(numbers);
  const auto bytes = take_number<std::uint64_t>(numbers);
  if (stream && bytes && numbers.empty() && *stream > 0 && *stream < bytes_.size())
    bytes_.at(*stream) = bytes;
}

void MachineSupervisor::on_line(std::string_view line, Time now) {
  if (line == "started") {
    started_ = true;
    message_ += std::exchange(waiting_, {});
  } else if (const auto safe = number_behind("safe", line); safe || line == "ended" || line == "sent") {
    // There is no program any more that could get a signal.
    if (!ended_at_)
      ended_at_ = now;
    if (!std::exchange(ended_, true))
      asked_to_end_ = asked_at_ && now - *asked_at_ <= limits_.obey;
    started_ = true;
    safe_ = safe_ || line != "ended";
    safe_status_ = safe ? safe : safe_status_;
    sent_ = sent_ || line == "sent";
    stop_now_ = stop_now_ || (safe_ && stop_when_safe_);
    answer_due_.reset();
  } else if (line.starts_with("times ") || line.starts_with("clock ") || line.starts_with("initcall ")) {
    if (!times_came_)
      times_came_ = now;
    if (times_.size() < kMostTimes)
      times_.emplace_back(line);
  } else if (const auto missing = behind("missing", line)) {
    if (missing_.size() < kMostMissing)
      missing_.emplace_back(*missing);
  } else if (line == "time") {
    asked_time_ = true;
  } else if (const auto port = number_behind("listening", line); port && *port > 0 && *port <= UINT16_MAX) {
    if (listening_.size() < kMostListening)
      listening_.push_back(static_cast<std::uint16_t>(*port));
  } else if (auto counts = behind("quiet", line)) {
    const auto output = take_number<std::uint64_t>(*counts), error = take_number<std::uint64_t>(*counts);
    if (output && error)
      quiet_ = *output + *error;
  } else if (line == "input-closed") {
    input_closed_ = true;
  } else if (number_behind("signalled", line)) {
    unanswered_ = std::max(0, unanswered_ - 1);
    if (unanswered_ == 0)
      answer_due_.reset();
  } else if (const auto stopped = number_behind("stopped", line)) {
    stopped_ = *stopped;
  } else if (const auto names = behind("background", line)) {
    background_ = *names;
  } else if (const auto stream = behind("end", line)) {
    on_end_of_stream(*stream);
  } else if (const auto call = number_behind("call", line)) {
    const auto number = static_cast<std::uint32_t>(*call);
    if (number < kMostCalls && std::ranges::find(calls_, number) == calls_.end())
      calls_.push_back(number);
  } else if (const auto status = number_behind("status", line)) {
    status_ = status;
    started_ = ended_ = safe_ = true;
    answer_due_.reset();
    if (!machine_ended_)
      power_off_due_ = now + limits_.power_off;
  }
}

void MachineSupervisor::send(std::string_view line) {
  message_ += line;
  message_ += '\n';
}

std::string MachineSupervisor::take_message() {
  return std::exchange(message_, {});
}

bool MachineSupervisor::take_time_question() {
  return std::exchange(asked_time_, false);
}

std::vector<std::uint16_t> MachineSupervisor::take_listening() {
  return std::exchange(listening_, {});
}

std::optional<std::uint64_t> MachineSupervisor::take_quiet() {
  return std::exchange(quiet_, std::nullopt);
}

int MachineSupervisor::take_stopped() {
  return std::exchange(stopped_, 0);
}

std::string MachineSupervisor::take_background() {
  return std::exchange(background_, {});
}

void MachineSupervisor::on_machine_end() {
  machine_ended_ = started_ = ended_ = safe_ = true;
  answer_due_.reset();
  power_off_due_.reset();
}

MachineSupervisor::Stop MachineSupervisor::must_stop(Time now) const {
  if (stop_now_)
    return Stop::interrupted;
  if (power_off_due_)
    return now >= *power_off_due_ ? Stop::finished : Stop::no;
  if (flooded_)
    return Stop::flooded;
  if (answer_due_ && now >= *answer_due_)
    return Stop::unanswered;
  if (end_ && now >= *end_)
    return Stop::timed_out;
  return Stop::no;
}

std::optional<MachineSupervisor::Time> MachineSupervisor::next_deadline() const {
  std::optional<Time> next;
  for (const auto& due : {power_off_due_, answer_due_, end_})
    if (due && (!next || *due < *next))
      next = due;
  return next;
}

} // namespace ukl
