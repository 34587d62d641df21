// SPDX-License-Identifier: GPL-2.0-only
#include "machine/warm_steps.hpp"

#include <nlohmann/json.hpp>

namespace ukl {
namespace {

constexpr const char* kAnswer = "warm";
constexpr std::chrono::milliseconds kPause{2};

constexpr const char* kStateAlone = R"({"capabilities": [{"capability": "x-ignore-shared", "state": true}]})";

} // namespace

void WarmSteps::ask(QemuMonitor& monitor, Step step, const std::string& command,
                    const std::string& arguments) {
  step_ = step;
  monitor.execute(kAnswer, command, arguments);
}

void WarmSteps::begin(QemuMonitor& monitor) {
  if (kind_ == Kind::keep)
    ask(monitor, Step::stopping, "stop");
  else
    ask(monitor, Step::allowing, "migrate-set-capabilities", kStateAlone);
}

void WarmSteps::confirm(QemuMonitor& monitor, bool all_is_here) {
  if (all_is_here) {
    ask(monitor, Step::allowing, "migrate-set-capabilities", kStateAlone);
  } else {
    monitor.execute("runs on", "cont", "{}");
    step_ = Step::idle;
  }
}

void WarmSteps::look(QemuMonitor& monitor, Time now) {
  if (const auto answer = monitor.take_answer(kAnswer)) {
    const auto json = nlohmann::json::parse(*answer, nullptr, false);
    const auto status = json.is_object() ? json.value("status", "") : "";
    const bool refused = json.is_object() && json.contains("desc");
    if (refused || status == "failed") {
      error_ = refused ? json.value("desc", "") : json.value("error-desc", "it could not be moved");
      step_ = Step::failed;
      return;
    }
    if (step_ == Step::stopping) {
      step_ = Step::stopped;
    } else if (step_ == Step::allowing) {
      const auto arguments = nlohmann::json{{"uri", uri_}}.dump();
      ask(monitor, Step::moving, kind_ == Kind::keep ? "migrate" : "migrate-incoming", arguments);
    } else if (step_ == Step::moving && status == "completed") {
      ask_at_.reset();
      if (kind_ == Kind::keep)
        step_ = Step::done;
      else
        ask(monitor, Step::continuing, "cont");
      return;
    } else if (step_ == Step::moving) {
      asked_progress_ = false;
      ask_at_ = now + kPause;
    } else if (step_ == Step::continuing) {
      step_ = Step::done;
    }
  }
  if (step_ == Step::moving && ask_at_ && now >= *ask_at_ && !asked_progress_) {
    asked_progress_ = true;
    ask_at_.reset();
    monitor.execute(kAnswer, "query-migrate", "{}");
  }
}

} // namespace ukl
