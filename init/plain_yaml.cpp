// SPDX-License-Identifier: GPL-2.0-only
#include "plain_yaml.hpp"

#include <deque>

namespace ukl::init {
namespace {

// Deeper than any settings, and far from the end of the stack.
constexpr int kDeepest = 32;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// Where a word in quotes ends; npos if it does not.
std::size_t end_of_quoted(std::string_view text) {
  const char quote = text[0];
  for (std::size_t i = 1; i < text.size(); ++i) {
    const bool two = quote == '"' ? text[i] == '\\' : text.substr(i, 2) == "''";
    if (two)
      ++i;
    else if (text[i] == quote)
      return i;
  }
  return std::string_view::npos;
}

std::string unquoted(std::string_view text) {
  const char quote = text[0];
  std::string word;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (quote == '\'' && text[i] == '\'') {
      word += text[i++];
    } else if (quote == '"' && text[i] == '\\' && i + 2 < text.size()) {
      const char escaped = text[++i];
      word += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped == 'r' ? '\r' : escaped;
    } else {
      word += text[i];
    }
  }
  return word;
}

// Without what follows a # behind a blank.
std::string_view without_comment(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '#' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t'))
      return trimmed(text.substr(0, i));
  return trimmed(text);
}

std::string word_of(std::string_view text) {
  text = trimmed(text);
  if (!text.empty() && (text[0] == '"' || text[0] == '\''))
    if (const auto end = end_of_quoted(text); end != std::string_view::npos)
      return unquoted(text.substr(0, end + 1));
  return std::string(without_comment(text));
}

// [a, "b, c"]
Yaml inline_list(std::string_view text) {
  Yaml list;
  list.kind = Yaml::Kind::list;
  text.remove_prefix(1);
  while (true) {
    text = trimmed(text);
    if (text.empty() || text[0] == ']')
      return list;
    std::size_t end = 0;
    if (text[0] == '"' || text[0] == '\'')
      end = end_of_quoted(text);
    end = end == std::string_view::npos ? end : text.find_first_of(",]", end);
    list.items.push_back({{}, Yaml{Yaml::Kind::word, word_of(text.substr(0, end)), {}}});
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + (text[end] == ','));
  }
}

// Where the colon after a map's name stands; npos if the line is none of a map.
std::size_t colon_of(std::string_view line) {
  std::size_t from = 0;
  if (!line.empty() && (line[0] == '"' || line[0] == '\'')) {
    from = end_of_quoted(line);
    if (from == std::string_view::npos)
      return from;
  }
  for (auto at = line.find(':', from); at != std::string_view::npos; at = line.find(':', at + 1))
    if (at + 1 == line.size() || line[at + 1] == ' ' || line[at + 1] == '\r')
      return at;
  return std::string_view::npos;
}

class Reader {
public:
  explicit Reader(std::string_view text) {
    while (!text.empty()) {
      const auto end = text.find('\n');
      lines_.push_back(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
  }

  Yaml read() { return block(0, 0); }

private:
  // The next line with something on it; false at the end.
  bool find_line() {
    for (; at_ < lines_.size(); ++at_) {
      const auto line = without_comment(lines_[at_]);
      if (!line.empty() && line != "---" && line != "...")
        return true;
    }
    return false;
  }

  std::size_t indent() const {
    const auto first = lines_[at_].find_first_not_of(' ');
    return first == std::string_view::npos ? lines_[at_].size() : first;
  }

  static bool is_item(std::string_view line) {
    return !line.empty() && line[0] == '-' && (line.size() == 1 || line[1] == ' ' || line[1] == '\r');
  }

  // What begins at the next line, if that is indented as far.
  Yaml block(std::size_t least, int depth) {
    Yaml node;
    if (depth > kDeepest || !find_line() || indent() < least)
      return node;
    const auto column = indent();
    if (is_item(lines_[at_].substr(column)))
      take_list(node, column, depth);
    else if (colon_of(lines_[at_].substr(column)) != std::string_view::npos)
      take_map(node, column, depth);
    else
      node = Yaml{Yaml::Kind::word, word_of(lines_[at_++]), {}};
    return node;
  }

  void take_list(Yaml& node, std::size_t column, int depth) {
    node.kind = Yaml::Kind::list;
    while (find_after(column) && is_item(lines_[at_].substr(column))) {
      // What stands behind the dash is a block of its own, as if the dash were a blank.
      const auto line = lines_[at_];
      const auto inner = line.find_first_not_of(" \r", column + 1);
      if (inner == std::string_view::npos || line[inner] == '#') {
        ++at_;
        node.items.push_back({{}, block(column + 1, depth + 1)});
      } else if (is_item(line.substr(inner)) || colon_of(line.substr(inner)) != std::string_view::npos) {
        kept_.push_back(std::string(inner, ' ') + std::string(line.substr(inner)));
        lines_[at_] = kept_.back();
        node.items.push_back({{}, block(inner, depth + 1)});
      } else {
        ++at_;
        node.items.push_back({{}, value(line.substr(inner), column, depth)});
      }
    }
  }

  void take_map(Yaml& node, std::size_t column, int depth) {
    node.kind = Yaml::Kind::map;
    while (find_after(column)) {
      const auto line = lines_[at_].substr(column);
      const auto colon = colon_of(line);
      if (colon == std::string_view::npos || is_item(line))
        break;
      ++at_;
      auto name = word_of(line.substr(0, colon));
      auto inner = value(line.substr(colon + 1), column, depth);
      node.items.push_back({std::move(name), std::move(inner)});
    }
  }

  // The next line of a map or list in that column. Deeper ones belong to nothing that is understood.
  bool find_after(std::size_t column) {
    while (find_line() && indent() > column)
      ++at_;
    return at_ < lines_.size() && indent() == column;
  }

  // What stands behind a name or a dash; `column` is theirs.
  Yaml value(std::string_view text, std::size_t column, int depth) {
    text = trimmed(text);
    if (!text.empty() && (text[0] == '|' || text[0] == '>'))
      return Yaml{Yaml::Kind::word, long_text(text, column), {}};
    if (!text.empty() && text[0] == '[')
      return inline_list(text);
    if (const auto plain = without_comment(text); !plain.empty())
      return Yaml{Yaml::Kind::word, word_of(text), {}};
    // A map's list may stand as far to the left as the map.
    if (find_line() && indent() == column && is_item(lines_[at_].substr(column)))
      return block(column, depth + 1);
    return block(column + 1, depth + 1);
  }

  // Behind | line by line, behind > lines become one; with - without the last line's end.
  std::string long_text(std::string_view head, std::size_t column) {
    std::string text;
    std::size_t own = 0;
    for (; at_ < lines_.size(); ++at_) {
      auto line = lines_[at_];
      if (!line.empty() && line.back() == '\r')
        line.remove_suffix(1);
      const auto first = line.find_first_not_of(' ');
      if (first != std::string_view::npos) {
        if (own == 0)
          own = first;
        if (first <= column || first < own)
          break;
      }
      text += line.size() > own ? line.substr(own) : std::string_view();
      text += head[0] == '>' ? ' ' : '\n';
    }
    while (text.size() > 1 && text[text.size() - 2] == '\n')
      text.pop_back();
    if (!text.empty() && (head[0] == '>' || head.substr(0, 2) == "|-"))
      text.pop_back();
    return text;
  }

  std::vector<std::string_view> lines_;
  std::deque<std::string> kept_; // lines that were changed; their addresses stay
  std::size_t at_ = 0;
};

} // namespace

const Yaml& Yaml::operator[](std::string_view name) const {
  static const Yaml none;
  for (const auto& [each, value] : items)
    if (each == name)
      return value;
  return none;
}

std::vector<std::string> Yaml::words() const {
  std::vector<std::string> all;
  if (kind == Kind::word)
    all.push_back(word);
  for (const auto& [name, item] : items)
    if (kind == Kind::list && item.kind == Kind::word)
      all.push_back(item.word);
  return all;
}

Yaml parse_yaml(std::string_view text) {
  return Reader(text).read();
}

} // namespace ukl::init
