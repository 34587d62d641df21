// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/yaml_file.hpp"
#include "support/files.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace ukl {
namespace {

// Aliases can make much of a short file.
constexpr std::size_t kMostValues = 100000;
constexpr unsigned kDeepest = 32;

class Converter {
public:
  Converter(const std::filesystem::path& file, const Environment& here, std::vector<std::string>& notes)
      : file_(file), here_(here), notes_(notes) {}

  Result<YamlValue> convert(const YAML::Node& node, unsigned depth = 0) {
    YamlValue value;
    value.line = static_cast<unsigned>(node.Mark().line + 1);
    if (++values_ > kMostValues || depth > kDeepest)
      return error_in_line(file_, value.line, "there is too much in this file");
    if (node.IsScalar()) {
      value.kind = YamlValue::Kind::text;
      TRY_LET(value.text, filled(node.Scalar(), value.line));
    } else if (node.IsSequence()) {
      value.kind = YamlValue::Kind::list;
      for (const auto& item : node) {
        TRY_LET(auto converted, convert(item, depth + 1));
        value.items.push_back(std::move(converted));
      }
    } else if (node.IsMap()) {
      value.kind = YamlValue::Kind::map;
      TRY(add_entries(node, value, depth));
    }
    return value;
  }

private:
  Result<std::string> filled(const std::string& written, unsigned line) {
    std::set<std::string> unset;
    auto text = with_variables(written, here_, unset);
    if (!text)
      return error_in_line(file_, line, text.error().message, text.error().hint);
    for (const auto& name : unset)
      if (unset_.insert(name).second)
        notes_.push_back(
            fmt::format("{}:{}: the variable {} is not set, so nothing stands in its place: set it, "
                        "here or in a file .env, or write ${{{}:-DEFAULT}}; a dollar sign is $$",
                        file_.string(), line, name, name));
    return text;
  }

  Result<void> add_entries(const YAML::Node& node, YamlValue& map, unsigned depth) {
    std::vector<YamlEntry> merged;
    for (const auto& entry : node) {
      const auto line = static_cast<unsigned>(entry.first.Mark().line + 1);
      if (!entry.first.IsScalar())
        return error_in_line(file_, line, "a key has to be a text");
      TRY_LET(auto value, convert(entry.second, depth + 1));
      value.line = line;
      if (entry.first.Scalar() == "<<") {
        for (auto& one : value.kind == YamlValue::Kind::list ? value.items : std::vector{value})
          merged.insert(merged.end(), one.entries.begin(), one.entries.end());
        continue;
      }
      // What a map says itself goes over what it merges, wherever that stands.
      if (map.find(entry.first.Scalar()))
        return error_in_line(file_, line, fmt::format("{} is there twice", entry.first.Scalar()));
      map.entries.push_back({entry.first.Scalar(), std::move(value)});
    }
    for (auto& [name, value] : merged)
      if (!map.find(name))
        map.entries.push_back({name, std::move(value)});
    return {};
  }

  const std::filesystem::path& file_;
  const Environment& here_;
  std::vector<std::string>& notes_;
  std::set<std::string> unset_; // each is told once
  std::size_t values_ = 0;
};

bool is_in_name(char byte, bool first) {
  return byte == '_' || std::isalpha(static_cast<unsigned char>(byte)) ||
         (!first && std::isdigit(static_cast<unsigned char>(byte)));
}

// The name at the beginning of a text.
std::string name_in(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && is_in_name(text[length], length == 0))
    ++length;
  return std::string(text.substr(0, length));
}

// The brace that ends what begins behind one.
std::size_t end_of_braces(std::string_view text) {
  int depth = 1;
  for (std::size_t at = 0; at < text.size(); ++at) {
    depth += text[at] == '{' ? 1 : text[at] == '}' ? -1 : 0;
    if (depth == 0)
      return at;
  }
  return std::string_view::npos;
}

// NAME, and what stands behind it in braces.
Result<std::string> value_of_variable(const std::string& name, std::string_view behind,
                                      const Environment& here, std::set<std::string>& unset) {
  auto value = here(name);
  const bool colon = behind.starts_with(':');
  if (colon)
    behind.remove_prefix(1);
  const bool there = value && !(colon && value->empty());
  const char kind = behind.empty() ? '\0' : behind[0];
  const std::string text(behind.substr(behind.empty() ? 0 : 1));
  if (kind == '+')
    return there ? with_variables(text, here, unset) : Result<std::string>(std::string());
  if (there)
    return *value;
  if (kind == '-')
    return with_variables(text, here, unset);
  if (kind == '?')
    return Error{Failure::usage, fmt::format("the variable {} is not set: {}", name, text), ""};
  unset.insert(name);
  return std::string();
}

} // namespace

const YamlValue* YamlValue::find(const std::string& name) const {
  const auto found = std::ranges::find(entries, name, &YamlEntry::name);
  return found == entries.end() ? nullptr : &found->value;
}

Result<YamlValue> read_yaml(const std::filesystem::path& file, const Environment& here,
                            std::vector<std::string>& notes) {
  TRY_LET(const auto text, read_text(file));
  try {
    return Converter(file, here, notes).convert(YAML::Load(text));
  } catch (const YAML::Exception& wrong) { // the library has no other way to tell
    return error_in_line(file, static_cast<unsigned>(wrong.mark.line + 1),
                         fmt::format("this is no YAML: {}", wrong.msg));
  }
}

Error error_in_line(const std::filesystem::path& file, unsigned line, const std::string& message,
                    const std::string& hint) {
  return {Failure::usage, fmt::format("{}:{}: {}", file.string(), line, message), hint};
}

Result<std::string> with_variables(const std::string& text, const Environment& here,
                                   std::set<std::string>& unset) {
  std::string result;
  std::string_view left = text;
  while (!left.empty()) {
    const auto dollar = left.find('$');
    result += left.substr(0, dollar);
    if (dollar == std::string_view::npos)
      break;
    left.remove_prefix(dollar + 1);
    if (left.starts_with('$')) {
      result += '$';
      left.remove_prefix(1);
      continue;
    }
    const bool braces = left.starts_with('{');
    if (braces)
      left.remove_prefix(1);
    const auto name = name_in(left);
    const auto end = braces ? end_of_braces(left) : name.size();
    const auto behind =
        end == std::string_view::npos ? std::string_view() : left.substr(name.size(), end - name.size());
    const auto kind = behind.substr(behind.starts_with(':') ? 1 : 0, 1);
    if (name.empty() || end == std::string_view::npos || (!behind.empty() && kind.empty()) ||
        kind.find_first_not_of("-?+") != std::string_view::npos)
      return Error{Failure::usage, fmt::format("'${}{}' names no variable", braces ? "{" : "", left),
                   "a dollar sign itself is $$"};
    TRY_LET(const auto value, value_of_variable(name, behind, here, unset));
    result += value;
    left.remove_prefix(end + (braces ? 1 : 0));
  }
  return result;
}

} // namespace ukl
