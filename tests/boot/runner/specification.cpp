// SPDX-License-Identifier: GPL-2.0-only
#include "specification.hpp"
#include "support/files.hpp"

#include <fmt/format.h>
#include <sstream>

namespace boot {
namespace {

std::string trimmed(const std::string& text) {
  const auto start = text.find_first_not_of(" \t");
  if (start == std::string::npos)
    return "";
  return text.substr(start, text.find_last_not_of(" \t\r") + 1 - start);
}

Product product_of(std::vector<std::string> words) {
  Product product;
  if (!words.empty())
    product.name = words[0];
  if (words.size() > 1)
    product.source = words[1];
  if (words.size() > 2)
    product.flags.assign(words.begin() + 2, words.end());
  return product;
}

// `NAME SOURCE FLAG… : ARGUMENT…`
Check check_of(std::vector<std::string> words) {
  Check check;
  for (std::size_t i = 0; i < words.size(); ++i)
    if (words[i] == ":") {
      check.arguments.assign(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      words.resize(i);
      break;
    }
  check.program = product_of(std::move(words));
  return check;
}

// Why a line is wrong, or nothing. `value` is what follows the key.
std::string apply(Test& test, const std::string& key, const std::string& value) {
  const auto number = [&](int& target) {
    char* end = nullptr;
    const long parsed = std::strtol(value.c_str(), &end, 10);
    if (value.empty() || *end != '\0' || parsed < 0 || parsed > 100000)
      return "wants a number";
    target = static_cast<int>(parsed);
    return "";
  };
  // What describes the whole test.
  if (key == "PROFILE")
    test.profile = value;
  else if (key == "ONLY" && value == "long")
    test.only_long = true;
  else if (key == "ONLY" && value == "short")
    test.only_short = true;
  else if (key == "TIMEOUT")
    return number(test.seconds);
  else if (key == "NEEDS")
    for (auto& word : split_words(value))
      test.needs.push_back(word);
  else if (key == "PROGRAM")
    test.programs.push_back(product_of(split_words(value)));
  else if (key == "LIBRARY")
    test.libraries.push_back(product_of(split_words(value)));
  else if (key == "PREPARE")
    test.prepare.push_back(value);
  else if (key == "PACK")
    test.pack = value;
  else if (key == "BUILD")
    test.build = value;
  else if (key == "LIST")
    test.list = value;
  else if (key == "EXPECTATIONS")
    test.expectations = value;
  else if (key == "CHECK")
    test.checks.push_back(check_of(split_words(value)));
  // What describes the check above.
  else if (key == "SECONDS" && !test.checks.empty())
    return number(test.checks.back().seconds);
  else if (key == "HOST" && value == "no" && !test.checks.empty())
    test.checks.back().on_host = false;
  // A step, and what describes the step above.
  else if (key == "RUN")
    test.steps.push_back({Step::Kind::run, value, {}, {}, {}, "", "", "", 0});
  else if (key == "COMMAND")
    test.steps.push_back({Step::Kind::host, value, {}, {}, {}, "", "", "", 0});
  else if (test.steps.empty())
    return "is unknown, or stands before the RUN, COMMAND or CHECK that it describes";
  else if (key == "EXPECT")
    test.steps.back().expect.push_back(value);
  else if (key == "EXPECT_RE")
    test.steps.back().expect_patterns.push_back(value);
  else if (key == "REJECT")
    test.steps.back().reject.push_back(value);
  else if (key == "READY")
    test.steps.back().ready = value;
  else if (key == "CLIENT")
    test.steps.back().client = value;
  else if (key == "STOP")
    test.steps.back().stop = value;
  else if (key == "STATUS")
    return number(test.steps.back().status);
  else
    return "is unknown";
  return "";
}

} // namespace

std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (quote != 0) {
      if (letter == quote)
        quote = 0;
      else
        word += letter == '\\' && quote == '"' && i + 1 < text.size() ? text[++i] : letter;
    } else if (letter == '\'' || letter == '"') {
      quote = letter;
      inside = true;
    } else if (letter == '\\' && i + 1 < text.size()) {
      word += text[++i];
      inside = true;
    } else if (letter == ' ' || letter == '\t') {
      if (inside)
        words.push_back(std::exchange(word, ""));
      inside = false;
    } else {
      word += letter;
      inside = true;
    }
  }
  if (inside)
    words.push_back(word);
  return words;
}

ukl::Result<std::vector<Test>> parse_tests(const std::string& text, const std::string& file) {
  std::vector<Test> tests;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    // A backslash at the end joins the next line.
    while (!line.empty() && line.back() == '\\') {
      std::string next;
      line.pop_back();
      if (!std::getline(lines, next))
        break;
      ++number;
      line += trimmed(next);
    }
    line = trimmed(line);
    if (line.empty() || line[0] == '#')
      continue;
    const auto space = line.find_first_of(" \t");
    const std::string key = line.substr(0, space);
    const std::string value = space == std::string::npos ? "" : trimmed(line.substr(space));
    std::string wrong;
    if (key == "NAME") {
      tests.emplace_back();
      tests.back().name = value;
      tests.back().file = file;
    } else if (tests.empty()) {
      wrong = "stands before the first NAME";
    } else {
      wrong = apply(tests.back(), key, value);
    }
    if (!wrong.empty())
      return ukl::Error{ukl::Failure::usage, fmt::format("{}:{}: {} {}", file, number, key, wrong),
                        "tests/boot/README.md lists the keys"};
  }
  // A test that only has checks runs them once.
  for (auto& test : tests)
    if (test.steps.empty())
      test.steps.emplace_back();
  return tests;
}

ukl::Result<std::vector<Test>> read_tests(const std::filesystem::path& path) {
  auto text = ukl::read_text(path);
  if (!text)
    return text.error();
  return parse_tests(*text, path.filename().string());
}

} // namespace boot
