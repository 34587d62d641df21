// SPDX-License-Identifier: GPL-2.0-only
#include "machine/qemu_monitor.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace ukl {
namespace {

// Prefix of our ids, since others may use the same monitor.
constexpr std::string_view kOurs = "monitor:";
constexpr std::size_t kLongestReply = 8 << 20;
constexpr double kShortPause = 0.02; // seconds

double time_of(const nlohmann::json& event) {
  using Pointer = nlohmann::json::json_pointer;
  return event.value(Pointer("/timestamp/seconds"), 0.0) +
         event.value(Pointer("/timestamp/microseconds"), 0.0) / 1e6;
}

} // namespace

void QemuMonitor::command(const std::string& id, const std::string& command) {
  const nlohmann::json request = {{"execute", "human-monitor-command"},
                                  {"id", std::string(kOurs) + id},
                                  {"arguments", {{"command-line", command}}}};
  requests_ += request.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

void QemuMonitor::execute(const std::string& id, const std::string& command, const std::string& arguments) {
  const nlohmann::json request = {{"execute", command},
                                  {"id", std::string(kOurs) + id},
                                  {"arguments", nlohmann::json::parse(arguments, nullptr, false)}};
  requests_ += request.dump() + "\n";
}

std::string QemuMonitor::take_request() {
  return std::exchange(requests_, {});
}

void QemuMonitor::on_reply(std::string_view bytes) {
  unread_ += bytes;
  for (std::size_t end; (end = unread_.find('\n')) != std::string::npos; unread_.erase(0, end + 1))
    on_line(std::string_view(unread_).substr(0, end));
  if (unread_.size() > kLongestReply)
    unread_.clear();
}

void QemuMonitor::on_line(std::string_view line) {
  const auto reply = nlohmann::json::parse(line, nullptr, false);
  if (!reply.is_object())
    return;
  if (reply.contains("QMP"))
    greeted_ = true;
  if (const auto event = reply.find("event"); event != reply.end() && *event == "STOP") {
    stopped_at_ = time_of(reply);
  } else if (event != reply.end() && *event == "RESUME") {
    paused_ += stopped_at_ ? time_of(reply) - *stopped_at_ : kShortPause;
    stopped_at_.reset();
    if (paused_ >= kShortPause) {
      resumed_ = true;
      paused_ = 0;
    }
  } else if (event != reply.end() && *event == "SHUTDOWN") {
    shutdown_reason_ = reply.value(nlohmann::json::json_pointer("/data/reason"), std::string());
  }
  const auto id = reply.find("id");
  if (id == reply.end() || !id->is_string() || !id->get_ref<const std::string&>().starts_with(kOurs))
    return;
  const auto text = reply.find("return"), error = reply.find("error");
  auto& answer = answers_[id->get<std::string>().substr(kOurs.size())];
  if (text != reply.end() && text->is_string())
    answer = text->get<std::string>();
  else if (const auto& other = error != reply.end() ? error : text; other != reply.end() && !other->empty())
    answer = other->dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::optional<std::string> QemuMonitor::take_answer(const std::string& id) {
  const auto found = answers_.find(id);
  if (found == answers_.end())
    return std::nullopt;
  auto answer = std::move(found->second);
  answers_.erase(found);
  return answer;
}

bool QemuMonitor::take_greeting() {
  return std::exchange(greeted_, false);
}

bool QemuMonitor::take_resumed() {
  return std::exchange(resumed_, false);
}

} // namespace ukl
