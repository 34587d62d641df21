// SPDX-License-Identifier: GPL-2.0-only
// The licences of a Debian package, as its copyright file says them where that is made for machines
// (DEP-5: debian.org/doc/packaging-manuals/copyright-format/1.0).
#pragma once

#include <string>
#include <string_view>

namespace ukl {

/// The licence of the whole package: what all of its `Files` paragraphs name, joined by AND, as an SPDX
/// licence expression. What SPDX has no name for is `LicenseRef-debian-NAME`. kNoAssertion for a text that is
/// not of that format, or damaged, or names no licence for some files.
std::string licence_of_copyright(std::string_view text);

/// A short description of licences as that format has it (`GPL-2+ or Artistic, and BSD-3-clause`) as an SPDX
/// licence expression; kNoAssertion if it is none.
std::string spdx_licence(std::string_view short_names);

} // namespace ukl
