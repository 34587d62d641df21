// SPDX-License-Identifier: GPL-2.0-only
// YAML files as Docker Compose has them: values that know their line, with variables and merged maps (`<<`)
// already in place.
#pragma once

#include "machine/run_files.hpp"
#include "support/result.hpp"

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace ukl {

struct YamlEntry;

struct YamlValue {
  enum class Kind { nothing, text, list, map };
  Kind kind = Kind::nothing;
  unsigned line = 0; ///< from 1; of a map's entry, that of its key
  std::string text;
  std::vector<YamlValue> items;
  std::vector<YamlEntry> entries; ///< in the file's order, each name once

  /// The entry of that name, or nullptr.
  const YamlValue* find(const std::string& name) const;
};

struct YamlEntry {
  std::string name;
  YamlValue value;
};

/// Reads a whole file; `here` has the variables that its texts name. `notes` gains a sentence for each that
/// is not set and has no text in its place: it is empty. Errors: not_found, unreadable, usage (no YAML; what
/// is no variable; too large), with the line.
Result<YamlValue> read_yaml(const std::filesystem::path& file, const Environment& here,
                            std::vector<std::string>& notes);

/// `FILE:LINE: MESSAGE`, a usage error.
Error error_in_line(const std::filesystem::path& file, unsigned line, const std::string& message,
                    const std::string& hint = "");

/// `$NAME`, `${NAME}`, and after a NAME in braces `:-TEXT` or `-TEXT` (in its place if it is not set; with
/// the colon, or empty), `:?TEXT` or `?TEXT` (an error), `:+TEXT` or `+TEXT` (if it is set); `$$` is a dollar
/// sign. A variable that is not set and has no text for that case is empty, and added to `unset`. Error:
/// usage, its message without a line.
Result<std::string> with_variables(const std::string& text, const Environment& here,
                                   std::set<std::string>& unset);

} // namespace ukl
