// SPDX-License-Identifier: GPL-2.0-only
// The line to `ukl run` (see kControlPort in include/ukl/manifest.hpp). Without one, all of this does
// nothing.
#pragma once

#include "ukl/manifest.hpp"

#include <string>
#include <vector>

namespace ukl::init {

/// A line from the host: its first word, and the rest.
struct HostMessage {
  std::string word, rest;
};

/// Opens the control port if this run has one (key::streams), and waits until its host side is connected.
/// Every other port of the run is there and connected then.
void open_control(const Manifest& settings);

/// Its descriptor for poll(2), or -1.
int control_descriptor();

/// The lines that wait_for_message() has kept; if there are none, waits for bytes and returns the lines that
/// are complete. Closes the port if the host did.
std::vector<HostMessage> read_control();

/// Whether read_control() has lines without waiting.
bool has_messages();

/// Waits for a line with this first word, at most so many milliseconds, and returns the rest of it; empty if
/// none came. Lines of other words are kept for read_control().
std::string wait_for_message(std::string_view word, int milliseconds);

/// Writes one of the lines that include/ukl/manifest.hpp lists, without its newline.
void report(const std::string& line);

} // namespace ukl::init
