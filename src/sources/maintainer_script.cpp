// SPDX-License-Identifier: GPL-2.0-only
#include "sources/maintainer_script.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <sstream>

namespace ukl {
namespace {

using Variables = std::map<std::string, std::string>;

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

bool is_assignment(const std::string& word) {
  const auto equals = word.find('=');
  return equals != std::string::npos && equals > 0 &&
         std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(equals), is_name);
}

class Reader {
public:
  explicit Reader(const std::string& text) : text_(text) {}

  std::vector<std::vector<std::string>> read() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\' && next() == '\n') {
        at_ += 2;
        end_word();
      } else if (c == '#' && !in_word_) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '\n' || c == ';' || c == '&' || c == '|' || c == '(' || c == ')') {
        // 2>&1 is no end.
        if (c == '&' && in_word_ && word_.ends_with('>'))
          take(c);
        else
          end_command();
      } else if (c == ' ' || c == '\t') {
        ++at_;
        end_word();
      } else if (c == '\'') {
        single_quoted();
      } else if (c == '"') {
        double_quoted();
      } else if (c == '$') {
        variable();
      } else if (c == '`') {
        unknown_ = true;
        ++at_;
      } else if (c == '\\' && at_ + 1 < text_.size()) {
        ++at_;
        take(text_[at_]);
      } else {
        take(c);
      }
    }
    end_command();
    return std::move(commands_);
  }

private:
  char next() const { return at_ + 1 < text_.size() ? text_[at_ + 1] : '\0'; }
  void take(char c) {
    word_ += c;
    in_word_ = true;
    ++at_;
  }

  void single_quoted() {
    const auto end = std::min(text_.find('\'', at_ + 1), text_.size());
    word_ += text_.substr(at_ + 1, end - at_ - 1);
    in_word_ = true;
    at_ = std::min(end + 1, text_.size());
  }

  void double_quoted() {
    in_word_ = true;
    for (++at_; at_ < text_.size() && text_[at_] != '"';) {
      if (text_[at_] == '$') {
        variable();
      } else if (text_[at_] == '`') {
        unknown_ = true;
        ++at_;
      } else if (text_[at_] == '\\' && next() == '\n') {
        at_ += 2;
      } else {
        if (text_[at_] == '\\' && at_ + 1 < text_.size())
          ++at_;
        take(text_[at_]);
      }
    }
    ++at_;
  }

  // $NAME and ${NAME}; whatever else begins with $ is not known. Before anything else it is only itself.
  void variable() {
    in_word_ = true;
    ++at_;
    if (at_ >= text_.size() ||
        (!is_name(text_[at_]) && std::string_view("{(@*#?-$!").find(text_[at_]) == std::string_view::npos)) {
      word_ += '$';
      return;
    }
    const bool braces = at_ < text_.size() && text_[at_] == '{';
    if (braces)
      ++at_;
    const auto start = at_;
    while (at_ < text_.size() && is_name(text_[at_]))
      ++at_;
    const auto name = text_.substr(start, at_ - start);
    const bool plain = !braces || (at_ < text_.size() && text_[at_] == '}');
    if (braces)
      at_ = std::min(text_.find('}', at_), text_.size() - 1) + 1;
    if (name.empty() && at_ < text_.size())
      ++at_;
    const auto known = variables_.find(name);
    if (!plain || known == variables_.end())
      unknown_ = true;
    else
      word_ += known->second;
  }

  void end_word() {
    if (in_word_) {
      words_.push_back(std::move(word_));
      unknown_words_.push_back(unknown_);
    }
    word_.clear();
    in_word_ = unknown_ = false;
  }

  void end_command() {
    end_word();
    ++at_;
    std::size_t first = 0;
    const auto is_keyword = [](const std::string& word) {
      for (const char* keyword :
           {"if", "then", "else", "elif", "do", "while", "!", "{", "}", "export", "local"})
        if (word == keyword)
          return true;
      return false;
    };
    while (first < words_.size() && (is_keyword(words_[first]) || is_assignment(words_[first]))) {
      if (is_assignment(words_[first]) && !unknown_words_[first]) {
        const auto equals = words_[first].find('=');
        variables_[words_[first].substr(0, equals)] = words_[first].substr(equals + 1);
      }
      ++first;
    }
    if (loop(first)) {
      words_.clear();
      unknown_words_.clear();
      return;
    }
    std::vector<std::string> command;
    bool known = true;
    for (; first < words_.size(); ++first) {
      // Where the output goes does not matter.
      if (words_[first].find('>') != std::string::npos) {
        if (words_[first].ends_with('>'))
          ++first;
        continue;
      }
      known = known && !unknown_words_[first];
      command.push_back(std::move(words_[first]));
    }
    if (known && !command.empty())
      commands_.push_back(std::move(command));
    words_.clear();
    unknown_words_.clear();
  }

  // `for NAME in WORD…` and `done`: the text between them is read once for each word that is known, or once
  // with a name that is not.
  bool loop(std::size_t first) {
    const auto count = words_.size() - first;
    if (count == 1 && words_[first] == "done") {
      if (loops_.empty())
        return true;
      read_again_ += at_ - loops_.back().start;
      if (!loops_.back().values.empty() && read_again_ < kMostReadAgain)
        begin_round();
      else
        loops_.pop_back();
      return true;
    }
    if (count < 4 || words_[first] != "for" || words_[first + 2] != "in")
      return false;
    Loop loop{at_, words_[first + 1], {}};
    for (auto word = first + 3; word < words_.size(); ++word) {
      // A shell would take a variable that is not quoted apart.
      std::istringstream parts(unknown_words_[word] ? "" : words_[word]);
      for (std::string part; parts >> part;)
        loop.values.push_back(std::move(part));
    }
    loops_.push_back(std::move(loop));
    begin_round();
    return true;
  }

  void begin_round() {
    auto& loop = loops_.back();
    at_ = loop.start;
    variables_.erase(loop.name);
    if (loop.values.empty())
      return;
    variables_[loop.name] = loop.values.front();
    loop.values.erase(loop.values.begin());
  }

  struct Loop {
    std::size_t start;
    std::string name;
    std::vector<std::string> values; // those of further rounds
  };
  // Bytes: loops in loops in loops have no end that anybody waits for.
  static constexpr std::size_t kMostReadAgain = 1 << 20;

  const std::string& text_;
  std::size_t at_ = 0;
  std::vector<Loop> loops_;
  std::size_t read_again_ = 0;
  std::string word_;
  bool in_word_ = false, unknown_ = false;
  std::vector<std::string> words_;
  std::vector<bool> unknown_words_;
  Variables variables_;
  std::vector<std::vector<std::string>> commands_;
};

} // namespace

std::vector<std::vector<std::string>> plain_commands(const std::string& script) {
  return Reader(script).read();
}

} // namespace ukl
