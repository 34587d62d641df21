// SPDX-License-Identifier: GPL-2.0-only
// Standard input, output and error of the program: what the host's own are (key::streams in
// include/ukl/manifest.hpp), or the console. A pipe's other end and a terminal's are init's, which carries
// their bytes to and from the ports.
#pragma once

#include "ukl/manifest.hpp"

#include <cstdint>
#include <poll.h>
#include <sys/types.h>
#include <vector>

namespace ukl::init {

/// Makes them, owned by the user that the program runs as (0 for root), and opens their ports. Ends the
/// machine if that fails.
void open_streams(const Manifest& settings, uid_t owner);

/// The descriptor that the program is to find as 0, 1 or 2; -1: closed.
int program_stream(int standard);
/// The terminal among them, or -1.
int program_terminal();
/// To be called once the program has them: pipes end when nobody holds them any more.
void close_program_ends();

/// Adds what has to be waited for.
void add_stream_events(std::vector<pollfd>& events);
/// Carries what can be carried, without waiting.
void carry_streams();

/// The host: input has so many bytes, of which some may still be on their way.
void end_input(std::uint64_t bytes);
/// The host: the terminal has another size, `ROWS COLUMNS WIDTH HEIGHT`.
void resize_terminal(const char* size);

/// How many bytes stream 1 or 2 had so far.
std::uint64_t stream_bytes(int number);
/// The host counts from here on.
void count_streams_anew();

/// Once no process is left that could write: carries what is left until the host has taken it, and reports
/// each stream's end.
void finish_streams();

} // namespace ukl::init
