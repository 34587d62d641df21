// SPDX-License-Identifier: GPL-2.0-only
// Control files as Debian has them everywhere (deb822(5)): paragraphs of fields.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace ukl {

/// Fields by their names in lower case. Of a value that goes on in further lines these follow behind
/// newlines, without the space that they begin with.
using ControlParagraph = std::map<std::string, std::string, std::less<>>;

/// Calls `visit` for each paragraph. False if there is a line that is neither field nor continuation; the
/// paragraphs before it were visited.
bool read_control_file(std::string_view text, const std::function<void(const ControlParagraph&)>& visit);

/// A field's value, or nothing of it.
std::string field_of(const ControlParagraph& paragraph, std::string_view name);

} // namespace ukl
