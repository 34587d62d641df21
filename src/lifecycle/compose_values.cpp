// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/compose_values.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <fmt/format.h>
#include <map>

namespace ukl {

using std::chrono::milliseconds;
using Kind = YamlValue::Kind;

Error ComposeKey::wrong(const YamlValue& value, const std::string& message, const std::string& hint) const {
  return error_in_line(file, value.line, fmt::format("{}: {}", key, message), hint);
}

Result<std::string> ComposeKey::text(const YamlValue& value) const {
  if (value.kind != Kind::text)
    return wrong(value, "a text is expected");
  return value.text;
}

Result<std::vector<std::string>> ComposeKey::texts(const YamlValue& value) const {
  if (value.kind == Kind::text)
    return std::vector{value.text};
  if (value.kind != Kind::list)
    return wrong(value, "a list of texts is expected");
  std::vector<std::string> texts;
  for (const auto& item : value.items) {
    TRY_LET(auto one, text(item));
    texts.push_back(std::move(one));
  }
  return texts;
}

Result<bool> ComposeKey::truth(const YamlValue& value) const {
  if (const auto truth = value.kind == Kind::text ? parse_truth(value.text) : std::nullopt)
    return *truth;
  return wrong(value, "true or false is expected");
}

Result<milliseconds> ComposeKey::duration(const YamlValue& value) const {
  TRY_LET(const auto written, text(value));
  const auto time = parse_duration(written);
  if (!time)
    return wrong(value, fmt::format("'{}' is no time", written), "as in 1m30s, 10s or 500ms");
  return *time;
}

Result<ComposeKey::Pairs> ComposeKey::pairs(const YamlValue& value) const {
  Pairs result;
  for (const auto& [name, entry] : value.entries) {
    if (entry.kind != Kind::text && entry.kind != Kind::nothing)
      return wrong(entry, fmt::format("{} is no text", name));
    result.emplace_back(name, entry.kind == Kind::text ? std::optional(entry.text) : std::nullopt);
  }
  if (value.kind == Kind::map)
    return result;
  TRY_LET(const auto all, texts(value));
  for (const auto& one : all) {
    const auto equals = one.find('=');
    result.emplace_back(one.substr(0, equals),
                        equals == std::string::npos ? std::nullopt : std::optional(one.substr(equals + 1)));
  }
  return result;
}

Result<std::string> ComposeKey::size(const YamlValue& value, const std::string& written) const {
  double number = 0;
  const auto [end, failed] = std::from_chars(written.data(), written.data() + written.size(), number);
  std::string unit(end, written.data() + written.size());
  std::ranges::transform(unit, unit.begin(), [](unsigned char byte) { return std::tolower(byte); });
  if (unit.size() == 2 && unit[1] == 'b')
    unit.pop_back();
  const auto power = std::string_view("bkmgt").find(unit.empty() ? "b" : unit);
  if (failed != std::errc() || power == std::string_view::npos || unit.size() > 1 ||
      !(number > 0 && number < 1e15))
    return wrong(value, fmt::format("'{}' is no size", written), "as in 512m or 2g");
  constexpr double kMebibyte = 1 << 20;
  const double bytes = number * std::pow(1024.0, static_cast<double>(power));
  return fmt::format("{:.0f}M", std::ceil(bytes / kMebibyte));
}

Result<std::vector<std::string>> ComposeKey::words(const YamlValue& value) const {
  if (value.kind != Kind::text)
    return texts(value);
  auto words = shell_words(value.text);
  if (!words)
    return wrong(value, "a quotation mark has no end");
  return std::move(*words);
}

std::optional<std::vector<std::string>> shell_words(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool begun = false;
  char quote = '\0';
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char byte = line[at];
    if (byte == '\\' && quote != '\'' && at + 1 < line.size()) {
      // Within double quotes it is one only before what it keeps from its meaning.
      if (quote == '"' && line[at + 1] != '"' && line[at + 1] != '\\')
        word += byte;
      word += line[++at];
      begun = true;
    } else if (quote != '\0' ? byte == quote : byte == '"' || byte == '\'') {
      quote = quote == '\0' ? byte : '\0';
      begun = true;
    } else if (quote == '\0' && (byte == ' ' || byte == '\t' || byte == '\n')) {
      if (begun)
        words.push_back(std::exchange(word, {}));
      begun = false;
    } else {
      word += byte;
      begun = true;
    }
  }
  if (begun)
    words.push_back(word);
  if (quote != '\0')
    return std::nullopt;
  return words;
}

std::optional<bool> parse_truth(const std::string& text) {
  constexpr std::string_view kTrue[] = {"true", "yes", "on", "y"}, kFalse[] = {"false", "no", "off", "n"};
  std::string word = text;
  std::ranges::transform(word, word.begin(), [](unsigned char byte) { return std::tolower(byte); });
  if (std::ranges::find(kTrue, word) != std::end(kTrue))
    return true;
  return std::ranges::find(kFalse, word) != std::end(kFalse) ? std::optional(false) : std::nullopt;
}

std::optional<milliseconds> parse_duration(const std::string& text) {
  static const std::map<std::string, double, std::less<>> kUnits = {
      {"ns", 1e-6},  {"us", 1e-3},       {"µs", 1e-3},          {"ms", 1}, {"s", 1e3}, {"m", 60e3},
      {"h", 3600e3}, {"d", 24 * 3600e3}, {"w", 7 * 24 * 3600e3}};
  double sum = 0;
  const char *at = text.data(), *const end = at + text.size();
  while (at < end) {
    double number = 0;
    const auto [behind, failed] = std::from_chars(at, end, number);
    const char* unit_end = std::find_if(behind, end, [](char byte) { return byte >= '0' && byte <= '9'; });
    const auto unit = kUnits.find(std::string(behind, unit_end));
    if (failed != std::errc() || !(number >= 0) || unit == kUnits.end())
      return std::nullopt;
    sum += number * unit->second;
    at = unit_end;
  }
  if (text.empty() || sum > 1e12)
    return std::nullopt;
  return milliseconds(static_cast<std::int64_t>(sum));
}

} // namespace ukl
