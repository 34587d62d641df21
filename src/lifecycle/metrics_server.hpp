// SPDX-License-Identifier: GPL-2.0-only
// The smallest server of HTTP that Prometheus asks: every request gets the same text, made anew.
#pragma once

#include "support/files.hpp"

#include <functional>

namespace ukl {

/// Listens on `[ADDRESS:]PORT`, on 127.0.0.1 if there is no address; IPv6 addresses in brackets. Errors:
/// usage, port_in_use, unwritable.
Result<FileDescriptor> listen_for_http(const std::string& text);

/// Answers one after the other until an interrupt (support/interrupt.hpp); who says nothing for two seconds
/// is let go.
void serve_http(const FileDescriptor& listener, const std::function<Result<std::string>()>& make_text);

} // namespace ukl
