// SPDX-License-Identifier: GPL-2.0-only
// QEMU's machine protocol (QMP), as far as a running machine needs it: commands of the human monitor and
// their answers, and the word that a stopped machine goes on.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace ukl {

/// No system calls: the caller writes and reads, so a test can do it too.
class QemuMonitor {
public:
  /// A command of the human monitor; `id` names its answer.
  void command(const std::string& id, const std::string& command);
  /// A command of the machine protocol itself, with its arguments as JSON.
  void execute(const std::string& id, const std::string& command, const std::string& arguments);
  /// What is to be written now; empty if nothing. Each text is given out once.
  std::string take_request();
  /// Bytes that came.
  void on_reply(std::string_view bytes);
  /// The answer to a command, once: the monitor's text, or JSON; what QEMU says of one that it did not
  /// understand is an answer, too.
  std::optional<std::string> take_answer(const std::string& id);
  /// QEMU has greeted, once: it is set up.
  bool take_greeting();
  /// The machine was stopped by a monitor and goes on, once. Pauses that are too short to matter to its clock
  /// (ukl profile makes a hundred in a second) are added up until they do.
  bool take_resumed();
  /// Why the machine ended, as the event SHUTDOWN has it (`guest-reset`, …); empty: it has not told.
  const std::string& shutdown_reason() const { return shutdown_reason_; }

private:
  void on_line(std::string_view line);

  // Without this one, QEMU tells nothing and does nothing.
  std::string requests_ = "{\"execute\":\"qmp_capabilities\"}\n";
  std::string unread_;
  std::map<std::string, std::string> answers_;
  bool greeted_ = false, resumed_ = false;
  std::optional<double> stopped_at_; // seconds of QEMU's clock
  double paused_ = 0;                // seconds that the guest's clock is behind
  std::string shutdown_reason_;
};

} // namespace ukl
