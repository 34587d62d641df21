// SPDX-License-Identifier: GPL-2.0-only
// How a service says that it is well.
#pragma once

#include "lifecycle/project.hpp"

namespace ukl {

/// The command of a test: CMD and words, or CMD-SHELL and a line. Nothing if it is neither.
std::optional<std::vector<std::string>> health_command(const std::vector<std::string>& test);

/// The Healthcheck of a container image, in Docker's JSON (times in nanoseconds); nothing if it has none.
std::optional<Service::Health> image_health(const std::string& json);

/// How long somebody waits for a service to be healthy: as long as Docker would, until it called it
/// unhealthy.
std::chrono::milliseconds health_patience(std::chrono::milliseconds start_period,
                                          std::chrono::milliseconds interval, double retries);

/// Whether each service whose health another one waits for has a way to say it; those without an image are
/// not looked at (Service::image_known). Error: usage, with file and line.
Result<void> check_health(const Project& project);

} // namespace ukl
