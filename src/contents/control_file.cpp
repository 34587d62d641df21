// SPDX-License-Identifier: GPL-2.0-only
#include "contents/control_file.hpp"

#include <algorithm>
#include <cctype>

namespace ukl {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view spaces = " \t\r";
  const auto start = text.find_first_not_of(spaces);
  if (start == std::string_view::npos)
    return {};
  return text.substr(start, text.find_last_not_of(spaces) - start + 1);
}

// A field's name in lower case; empty if the line begins with none.
std::string field_name(std::string_view line, std::size_t colon) {
  std::string name(line.substr(0, colon == std::string_view::npos ? 0 : colon));
  for (auto& letter : name) {
    if (letter <= ' ' || letter > '~')
      return {};
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return name;
}

} // namespace

bool read_control_file(std::string_view text, const std::function<void(const ControlParagraph&)>& visit) {
  ControlParagraph paragraph;
  std::string* value = nullptr;
  const auto end_paragraph = [&] {
    if (!paragraph.empty())
      visit(paragraph);
    paragraph.clear();
    value = nullptr;
  };
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (trimmed(line).empty()) {
      end_paragraph();
    } else if (line[0] == ' ' || line[0] == '\t') {
      if (!value)
        return false;
      value->append("\n").append(trimmed(line));
    } else if (line[0] != '#') {
      const auto colon = line.find(':');
      const auto name = field_name(line, colon);
      if (name.empty())
        return false;
      value = &(paragraph[name] = trimmed(line.substr(colon + 1)));
    }
  }
  end_paragraph();
  return true;
}

std::string field_of(const ControlParagraph& paragraph, std::string_view name) {
  const auto found = paragraph.find(name);
  return found == paragraph.end() ? std::string() : found->second;
}

} // namespace ukl
