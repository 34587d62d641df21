// SPDX-License-Identifier: GPL-2.0-only
#include "sources/layer.hpp"
#include "support/text.hpp"

#include <charconv>
#include <climits>
#include <fmt/format.h>

namespace ukl {
namespace {

constexpr const char* kFirstLine = "ukl layer 3";
constexpr const char* kLastLine = "end";

// Without blanks and line ends.
std::string encoded(const std::string& text) {
  std::string out;
  for (const unsigned char c : text)
    if (c <= ' ' || c == '%' || c >= 127)
      out += fmt::format("%{:02x}", c);
    else
      out += static_cast<char>(c);
  return out;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t start = 0; start <= line.size();) {
    const auto end = std::min(line.find(' ', start), line.size());
    words.push_back(line.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

template <typename Number> bool read_number(std::string_view text, Number& number, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_entry(const std::vector<std::string_view>& words, LayerEntry& entry) {
  if (words.size() != 10 || words[0].size() != 1)
    return false;
  entry.kind = static_cast<LayerEntry::Kind>(words[0][0]);
  entry.path = percent_decoded(words[6]);
  entry.target = percent_decoded(words[7]);
  entry.capability = words[9];
  return read_number(words[1], entry.mode, 8) && read_number(words[2], entry.owner) &&
         read_number(words[3], entry.group) && read_number(words[4], entry.time) &&
         read_number(words[5], entry.number) && read_number(words[8], entry.size);
}

} // namespace

std::string encode_index(const Layer& layer) {
  std::string text = fmt::format("{}\n", kFirstLine);
  for (const auto& entry : layer.entries)
    text += fmt::format("{} {:o} {} {} {} {} {} {} {} {}\n", static_cast<char>(entry.kind), entry.mode,
                        entry.owner, entry.group, entry.time, entry.number, encoded(entry.path),
                        encoded(entry.target), entry.size, entry.capability);
  for (const auto& path : layer.left_out)
    text += fmt::format("x {}\n", encoded(path));
  return text + kLastLine + "\n";
}

std::optional<Layer> decode_index(const std::string& text) {
  Layer layer;
  bool begun = false, ended = false;
  for (std::size_t start = 0; start < text.size();) {
    const auto end = std::min(text.find('\n', start), text.size());
    const auto line = std::string_view(text).substr(start, end - start);
    start = end + 1;
    const auto words = words_of(line);
    if (!begun) {
      if (line != kFirstLine)
        return std::nullopt;
      begun = true;
    } else if (line == kLastLine) {
      ended = true;
    } else if (words[0] == "x" && words.size() == 2) {
      layer.left_out.push_back(percent_decoded(words[1]));
    } else if (!read_entry(words, layer.entries.emplace_back())) {
      return std::nullopt;
    }
  }
  return ended ? std::optional(std::move(layer)) : std::nullopt;
}

Result<std::string> root_path(const std::string& path, const std::string& archive) {
  const auto refuse = [&](const char* why) {
    return Error{Failure::unreadable,
                 fmt::format("{} has a file named {}, {}", archive, encoded(path.substr(0, 80)), why),
                 "nothing was unpacked; whoever made it has to correct it"};
  };
  std::string place;
  for (std::size_t start = 0; start < path.size();) {
    const auto end = std::min(path.find('/', start), path.size());
    const auto part = path.substr(start, end - start);
    start = end + 1;
    if (part.empty() || part == ".")
      continue;
    if (part == "..")
      return refuse("which leads out of it");
    if (part.size() > NAME_MAX)
      return refuse("which is longer than Linux allows");
    place += "/" + part;
  }
  if (place.size() >= PATH_MAX)
    return refuse("which is longer than Linux allows");
  return place;
}

} // namespace ukl
