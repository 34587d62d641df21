// SPDX-License-Identifier: GPL-2.0-only
// One question to an HTTP server in the machine's own net, with a time limit: no names, no TLS, no
// redirections.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ukl::init {

struct HttpQuestion {
  const char* method = "GET";
  const char* address = "";  ///< IPv4; port 80
  std::string path, headers; ///< headers: whole lines with their ends
  int milliseconds = 0;      ///< for all of it
};

/// The body of an answer with status 200; nothing otherwise (errno says why if there was no answer). At most
/// 1 MiB.
std::optional<std::string> ask_http(const HttpQuestion& question);

/// The body in a whole answer, if its status is 200 and nothing of it is missing.
std::optional<std::string> http_body(std::string_view answer);

} // namespace ukl::init
