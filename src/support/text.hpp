// SPDX-License-Identifier: GPL-2.0-only
// Small things that are done to texts in several rooms.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ukl {

/// `%41` becomes `A`; a percent sign without two hexadecimal digits behind it stays.
std::string percent_decoded(std::string_view text);

/// The reverse: what is no letter or digit of ASCII, none of `-._~` and none of `kept` becomes its number.
std::string percent_encoded(std::string_view text, std::string_view kept = {});

/// Of ASCII, whatever the locale.
bool is_letter_or_digit(char letter);

/// For the text of an XML element, or of an attribute in quotes that the text has none of; control
/// characters, which XML has no way to hold, become spaces.
std::string xml_escaped(std::string_view text);

/// One line that a shell takes.
std::string shell_line(const std::vector<std::string>& command);

/// The last line that is not empty, without its end.
std::string last_line(std::string text);

/// Whether a machine or a volume may be named so: 1 to 63 letters, digits and _ . - (as a host's name), with
/// a letter or digit first, all of ASCII.
bool is_plain_name(std::string_view name);
/// What to say of one that may not.
inline constexpr const char* kPlainNameForm =
    "take letters, digits and _ . -, at most 63, with a letter or digit first";
/// The longest, in bytes.
inline constexpr std::size_t kLongestPlainName = 63;
/// A name made of another text: a dash for each letter that it may not have, at most `longest` bytes;
/// `without` if nothing is left.
std::string plain_name(std::string_view text, const std::string& without,
                       std::size_t longest = kLongestPlainName);

} // namespace ukl
