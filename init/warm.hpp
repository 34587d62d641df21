// SPDX-License-Identifier: GPL-2.0-only
// A machine that is kept while its program runs, and goes on later and elsewhere, perhaps many times: what
// must not be the same there is made new.
#pragma once

#include <string>

namespace ukl::init {

/// The host is about to keep the machine: tells how many bytes of output there were so far, which it will
/// have taken before it stops the machine.
void say_how_quiet();

/// The machine goes on. `settings` is this run's block of settings, in hexadecimal digits: the clock is set,
/// Linux's random numbers begin anew with what the host gave, name, addresses and files are those of this
/// run, and streams are counted from here on. Then it reports that the program runs.
void go_on(const std::string& settings);

} // namespace ukl::init
