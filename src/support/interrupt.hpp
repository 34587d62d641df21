// SPDX-License-Identifier: GPL-2.0-only
// Ctrl-C that leaves nothing behind: SIGINT, SIGTERM and SIGHUP set a flag and wake a poll; work unwinds
// through RAII.
#pragma once

namespace ukl {

/// Installs the handlers once. Long work calls it before it starts and asks interrupted() between its steps.
void catch_interrupts();
/// The signal that came (SIGINT, SIGTERM or SIGHUP) since the last clear_interrupt(), or 0.
int interrupted();
/// Forgets it (`ukl run` passes it on to the program instead of ending).
void clear_interrupt();
/// A descriptor that is readable once a signal has come; for poll(2). Stays ours.
int interrupt_descriptor();

} // namespace ukl
