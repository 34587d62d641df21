// SPDX-License-Identifier: GPL-2.0-only
#include "machine_supervisor.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fmt/format.h>
#include <utility>

namespace ukl {
namespace {

// The number behind `word ` in a line that starts so.
std::optional<int> number_behind(std::string_view word, std::string_view line) {
  if (!line.starts_with(word) || line.size() <= word.size() || line[word.size()] != ' ')
    return std::nullopt;
  int number = 0;
  const auto digits = line.substr(word.size() + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size())
    return std::nullopt;
  return number;
}

} // namespace

void MachineSupervisor::on_signal(int signal, Time now) {
  const bool ends = signal == SIGINT || signal == SIGTERM || signal == SIGQUIT;
  if (ends && signalled_at_ && now - *signalled_at_ <= limits_.second_signal)
    stop_now_ = true;
  if (ends)
    signalled_at_ = now;
  last_signal_ = signal;
  (started_ ? message_ : waiting_) += fmt::format("signal {}\n", signal);
  if (unanswered_++ == 0)
    answer_due_ = now + limits_.answer;
}

void MachineSupervisor::on_control(std::string_view bytes, Time now) {
  unread_ += bytes;
  for (std::size_t end; (end = unread_.find('\n')) != std::string::npos; unread_.erase(0, end + 1))
    on_line(std::string_view(unread_).substr(0, end), now);
}

void MachineSupervisor::on_line(std::string_view line, Time now) {
  if (line == "started") {
    started_ = true;
    message_ += std::exchange(waiting_, {});
  } else if (number_behind("signalled", line)) {
    unanswered_ = std::max(0, unanswered_ - 1);
    if (unanswered_ == 0)
      answer_due_.reset();
  } else if (const auto call = number_behind("call", line)) {
    calls_.push_back(static_cast<std::uint32_t>(*call));
  } else if (const auto status = number_behind("status", line)) {
    status_ = status;
    power_off_due_ = now + limits_.power_off;
  }
}

std::string MachineSupervisor::take_message() {
  return std::exchange(message_, {});
}

MachineSupervisor::Stop MachineSupervisor::must_stop(Time now) const {
  if (power_off_due_)
    return now >= *power_off_due_ ? Stop::finished : Stop::no;
  if (stop_now_)
    return Stop::interrupted;
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
