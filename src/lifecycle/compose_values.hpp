// SPDX-License-Identifier: GPL-2.0-only
// What the values of a Compose file mean: texts, lists of them, times, sizes.
#pragma once

#include "lifecycle/yaml_file.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ukl {

/// The values of one key. All errors are usage, with file, line and the key.
struct ComposeKey {
  std::filesystem::path file;
  std::string key; ///< in full: services.web.ports

  Error wrong(const YamlValue& value, const std::string& message, const std::string& hint = "") const;

  Result<std::string> text(const YamlValue& value) const;
  /// A text, or a list of texts.
  Result<std::vector<std::string>> texts(const YamlValue& value) const;
  Result<bool> truth(const YamlValue& value) const;
  Result<std::chrono::milliseconds> duration(const YamlValue& value) const;
  /// A map's entries, or a list's NAME=VALUE; the value of a name alone is missing.
  using Pairs = std::vector<std::pair<std::string, std::optional<std::string>>>;
  Result<Pairs> pairs(const YamlValue& value) const;
  /// As Compose counts: bytes, or with b, k, m, g behind them. As ukl does: in mebibytes, `512M`.
  Result<std::string> size(const YamlValue& value, const std::string& written) const;
  /// The words of a command line, or a list of texts.
  Result<std::vector<std::string>> words(const YamlValue& value) const;
};

/// The words of a command line, as a shell takes quotes and backslashes. Nothing if a quote has no end.
std::optional<std::vector<std::string>> shell_words(const std::string& line);

/// `true` and `false`, and what else YAML's versions have for them (yes, on, y); nothing if it is none.
std::optional<bool> parse_truth(const std::string& text);

/// `1m30s`, `500ms`, `1.5h`; nothing if it is none.
std::optional<std::chrono::milliseconds> parse_duration(const std::string& text);

} // namespace ukl
