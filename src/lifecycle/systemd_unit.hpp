// SPDX-License-Identifier: GPL-2.0-only
// A machine as a service of systemd (systemd.service(5), systemd.exec(5)), and the word that it has started
// (sd_notify(3)).
#pragma once

#include "lifecycle/record.hpp"

namespace ukl {

/// The unit's text: the machine in the foreground of systemd, which restarts it and keeps its log.
std::string systemd_unit(const RecordedPlan& plan);

/// Our command line as it was, but for options whose work systemd does (-d, --rm, --restart, --wait-ready,
/// --log-max and --name) and for -i and -t.
std::vector<std::string> foreground_command(const std::vector<std::string>& command);

/// Tells systemd, if it started us and waits for that ($NOTIFY_SOCKET, here `socket`), one line like READY=1.
void notify_systemd(const std::string& socket, const std::string& line);

} // namespace ukl
