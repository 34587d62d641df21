// SPDX-License-Identifier: GPL-2.0-only
// The part of YAML in which people and tools write settings for a cloud's machines: maps and lists by
// indentation, [a, b] on one line, plain and quoted words, and texts behind | and >. Anchors, tags, {a: b}
// and the rest of YAML's specification are not there. Never fails: what is not understood is left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ukl::init {

struct YamlItem;

struct Yaml {
  enum class Kind { nothing, word, map, list };
  Kind kind = Kind::nothing;
  std::string word;
  std::vector<YamlItem> items; ///< of a map or a list

  /// A map's value; a node of no kind if there is none.
  const Yaml& operator[](std::string_view name) const;
  /// The words of a list, or the one word.
  std::vector<std::string> words() const;
};

struct YamlItem {
  std::string name; ///< in a list: empty
  Yaml value;
};

Yaml parse_yaml(std::string_view text);

} // namespace ukl::init
