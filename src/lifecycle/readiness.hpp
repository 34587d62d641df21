// SPDX-License-Identifier: GPL-2.0-only
// When a machine that was just started is ready, as its user defines it.
#pragma once

#include "machine/options.hpp"

#include <chrono>
#include <regex>

namespace ukl {

struct Readiness {
  enum class Kind { started, tcp, http, log };
  Kind kind = Kind::started; ///< the program runs
  std::uint16_t port = 0;    ///< of the guest: somebody listens there
  std::string path;          ///< http: a GET of it is answered with a status from 200 to 399
  std::optional<Forward> to; ///< http: how the port is reached
  std::regex line;           ///< log: a line of the program matches
  std::string text;          ///< as it was written
  std::chrono::milliseconds most{60000};

  /// `tcp:PORT`, `http:PORT[/PATH]` or `log:REGEX` (ECMAScript), with `,SECONDS` behind it for how long that
  /// may take; empty: started. Error: usage (not understood; http of a port that is not among `forwards`).
  static Result<Readiness> parse(const std::string& text, const std::vector<Forward>& forwards);
};

/// Asks once; takes half a second at most.
bool answers_http(const Readiness& readiness);

} // namespace ukl
