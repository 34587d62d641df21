// SPDX-License-Identifier: GPL-2.0-only
#include "support/text.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace ukl {

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digits = text.substr(std::min(i + 1, text.size()), 2);
    unsigned value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (text[i] == '%' && digits.size() == 2 && read.ptr == digits.data() + 2) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string percent_encoded(std::string_view text, std::string_view kept) {
  constexpr std::string_view plain = "-._~", digits = "0123456789ABCDEF";
  std::string out;
  for (const char letter : text) {
    if (is_letter_or_digit(letter) || plain.find(letter) != std::string_view::npos ||
        kept.find(letter) != std::string_view::npos) {
      out += letter;
      continue;
    }
    const auto number = static_cast<unsigned char>(letter);
    out += {'%', digits[number >> 4], digits[number & 15]};
  }
  return out;
}

bool is_letter_or_digit(char letter) {
  return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
         (letter >= 'A' && letter <= 'Z');
}

std::string xml_escaped(std::string_view text) {
  std::string escaped;
  for (const char character : text)
    switch (character) {
    case '&':
      escaped += "&amp;";
      break;
    case '<':
      escaped += "&lt;";
      break;
    case '>':
      escaped += "&gt;";
      break;
    default:
      escaped += static_cast<unsigned char>(character) < ' ' ? ' ' : character;
    }
  return escaped;
}

std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestPlainName && is_letter_or_digit(name[0]) &&
         std::ranges::all_of(name, [](char byte) {
           return is_letter_or_digit(byte) || byte == '_' || byte == '.' || byte == '-';
         });
}

std::string plain_name(std::string_view text, const std::string& without, std::size_t longest) {
  std::string name(text);
  for (auto& byte : name)
    if (!is_plain_name(std::string("x") + byte))
      byte = '-';
  name.erase(0, name.find_first_not_of("-_."));
  return name.empty() ? without : name.substr(0, longest);
}

std::string shell_line(const std::vector<std::string>& command) {
  std::string line;
  for (const auto& word : command) {
    const bool plain =
        !word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                "0123456789-_=./,:+@%") == std::string::npos;
    if (!line.empty())
      line += ' ';
    if (plain) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char character : word)
      line += character == '\'' ? std::string("'\\''") : std::string(1, character);
    line += '\'';
  }
  return line;
}

} // namespace ukl
