// SPDX-License-Identifier: GPL-2.0-only
#include "machine/user_network.hpp"

#include <sstream>
#include <vector>

namespace ukl {
namespace {

using namespace std::chrono_literals;

// A client that takes nothing for so long is not waited for; nor is a QEMU that does not answer.
constexpr auto kNoProgress = 10s;
// QEMU cannot say when it has sent something.
constexpr auto kAskAgain = 10ms;
constexpr const char* kQuestion = "usernet";

} // namespace

std::uint64_t unsent_bytes(std::string_view connections) {
  std::uint64_t sum = 0;
  std::istringstream lines{std::string(connections)};
  for (std::string line; std::getline(lines, line);) {
    // TCP[ESTABLISHED] 14 127.0.0.1 39866 10.0.2.15 7000 RecvQ SendQ
    std::istringstream words(line);
    std::vector<std::string> columns;
    for (std::string word; words >> word;)
      columns.push_back(word);
    if (columns.size() < 8 || !columns[0].starts_with("TCP[") || columns[0] == "TCP[HOST_FORWARD]")
      continue;
    std::istringstream number(columns[columns.size() - 2]);
    std::uint64_t bytes = 0;
    if (number >> bytes)
      sum += bytes;
  }
  return sum;
}

void UserNetworkDrain::ask(QemuMonitor& monitor, Time now) {
  if (done_)
    return;
  if (begun_ && now - progress_ >= kNoProgress) {
    done_ = true;
    given_up_ = unsent_ == UINT64_MAX ? 0 : unsent_;
    return;
  }
  if (asked_ || (begun_ && now < next_))
    return;
  if (!begun_)
    progress_ = now;
  begun_ = asked_ = true;
  monitor.command(kQuestion, "info usernet");
}

void UserNetworkDrain::look(QemuMonitor& monitor, Time now) {
  const auto answer = monitor.take_answer(kQuestion);
  if (!answer || !asked_)
    return;
  asked_ = false;
  next_ = now + kAskAgain;
  const auto unsent = unsent_bytes(*answer);
  if (unsent < unsent_)
    progress_ = now;
  unsent_ = unsent;
  done_ = unsent == 0;
}

std::optional<UserNetworkDrain::Time> UserNetworkDrain::next_time() const {
  if (done_ || !begun_)
    return std::nullopt;
  return asked_ ? progress_ + kNoProgress : next_;
}

} // namespace ukl
