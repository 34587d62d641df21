// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/project_health.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ukl {

using std::chrono::milliseconds;

milliseconds health_patience(milliseconds start_period, milliseconds interval, double retries) {
  return start_period + milliseconds(static_cast<std::int64_t>(std::clamp(retries, 1.0, 1e6) *
                                                               static_cast<double>(interval.count())));
}

std::optional<std::vector<std::string>> health_command(const std::vector<std::string>& test) {
  if (test.size() < 2 || (test[0] != "CMD" && test[0] != "CMD-SHELL"))
    return std::nullopt;
  if (test[0] == "CMD-SHELL")
    return std::vector<std::string>{"/bin/sh", "-c", test[1]};
  return std::vector(test.begin() + 1, test.end());
}

std::optional<Service::Health> image_health(const std::string& json) {
  const auto check = nlohmann::json::parse(json, nullptr, false);
  if (!check.is_object())
    return std::nullopt;
  std::vector<std::string> words;
  if (const auto test = check.find("Test"); test != check.end() && test->is_array())
    for (const auto& word : *test)
      words.push_back(word.is_string() ? word.get<std::string>() : "");
  const auto command = health_command(words);
  if (!command)
    return std::nullopt;
  Service::Health health;
  health.command = *command;
  // Absent and 0 are what Docker takes otherwise.
  const auto time = [&](const char* name, milliseconds otherwise) {
    const auto found = check.find(name);
    const bool given = found != check.end() && found->is_number() && found->get<double>() > 0;
    return given ? milliseconds(static_cast<std::int64_t>(std::min(found->get<double>() / 1e6, 1e12)))
                 : otherwise;
  };
  health.interval = std::max(time("Interval", health.interval), milliseconds(1));
  health.timeout = std::max(time("Timeout", health.timeout), milliseconds(1));
  const auto retries = check.find("Retries");
  health.patience = health_patience(
      time("StartPeriod", milliseconds(0)), health.interval,
      retries != check.end() && retries->is_number() && *retries > 0 ? retries->get<double>() : 3);
  return health;
}

Result<void> check_health(const Project& project) {
  for (const auto& service : project.services)
    for (const auto& need : service.needs) {
      const auto* other = project.find(need.service);
      if (other && need.until == Service::Need::Until::healthy && other->image_known && !other->health &&
          !other->waits_itself)
        return error_in_line(project.file, need.line,
                             fmt::format("{} waits for the health of {}, which has no healthcheck",
                                         service.name, need.service),
                             "give it one, or x-wait-ready: tcp:PORT");
    }
  return {};
}

} // namespace ukl
