// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/flame_graph.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace ukl {
namespace {

// In pixels.
constexpr double kWidth = 1160, kLeft = 20, kRow = 18, kTop = 64, kLetter = 6.6, kNarrowest = 0.4;

// Several of each, so that neighbours differ; by name, so that a function looks the same everywhere.
constexpr const char* kProgramColours[] = {"#5fa641", "#6fb350", "#53973a", "#7bbd5f"};
constexpr const char* kKernelColours[] = {"#d9822b", "#e2933f", "#cc7722", "#e8a255"};

const char* colour_of(const Call& call) {
  std::size_t hash = 5381;
  for (const unsigned char byte : call.name)
    hash = hash * 33 + byte;
  return call.kernel ? kKernelColours[hash % std::size(kKernelColours)]
                     : kProgramColours[hash % std::size(kProgramColours)];
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::size_t depth_of(const CallTree& tree) {
  std::size_t deepest = 0;
  for (const auto& [call, below] : tree.calls)
    deepest = std::max(deepest, depth_of(below) + 1);
  return deepest;
}

// Not within a character of UTF-8.
std::string fitting(const std::string& text, double width) {
  const auto letters = static_cast<std::size_t>(std::max(0.0, (width - 6) / kLetter));
  if (text.size() <= letters)
    return text;
  if (letters < 4)
    return "";
  auto end = letters - 1;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return text.substr(0, end) + "…";
}

void draw(const CallTree& tree, std::uint64_t whole, double x, double y, std::string& out) {
  for (const auto& [call, below] : tree.calls) {
    const double width = kWidth * static_cast<double>(below.seen) / static_cast<double>(whole);
    if (width >= kNarrowest) {
      out += fmt::format("<g><title>{}{}: {:.1f} %, {} samples</title><rect x=\"{:.1f}\" y=\"{:.1f}\" "
                         "width=\"{:.1f}\" height=\"{:.0f}\" rx=\"1\" fill=\"{}\"/>",
                         xml_escaped(call.name), call.kernel ? " (kernel)" : "", share(below.seen, whole),
                         below.seen, x, y, std::max(width - 0.5, 0.3), kRow - 1, colour_of(call));
      if (const auto text = fitting(call.name, width); !text.empty())
        out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", x + 3, y + 13, xml_escaped(text));
      out += "</g>\n";
      draw(below, whole, x, y - kRow, out);
    }
    x += width;
  }
}

void count(const CallTree& tree, std::set<Call>& above, std::map<Call, FunctionShare>& shares) {
  for (const auto& [call, below] : tree.calls) {
    auto& sum = shares[call];
    std::uint64_t own = below.seen;
    for (const auto& [name, further] : below.calls)
      own -= further.seen;
    sum.own += static_cast<double>(own);
    // One that calls itself is counted once.
    const bool outermost = above.insert(call).second;
    if (outermost)
      sum.all += static_cast<double>(below.seen);
    count(below, above, shares);
    if (outermost)
      above.erase(call);
  }
}

} // namespace

void CallTree::add(const std::vector<Call>& stack) {
  auto* place = this;
  ++place->seen;
  for (const auto& call : stack) {
    place = &place->calls[call];
    ++place->seen;
  }
}

std::vector<FunctionShare> function_shares(const CallTree& tree) {
  std::map<Call, FunctionShare> shares;
  std::set<Call> above;
  count(tree, above, shares);
  std::vector<FunctionShare> rows;
  for (auto& [call, row] : shares) {
    const auto whole = static_cast<double>(std::max<std::uint64_t>(tree.seen, 1));
    rows.push_back({call, row.own / whole, row.all / whole});
  }
  std::ranges::stable_sort(rows, [](const auto& one, const auto& other) {
    return one.own != other.own ? one.own > other.own : one.all > other.all;
  });
  return rows;
}

std::string function_table(const CallTree& tree, std::size_t most) {
  std::string text = fmt::format("{:>7} {:>7}  {}\n", "OWN", "ALL", "FUNCTION");
  for (const auto& row : function_shares(tree)) {
    if (most-- == 0)
      break;
    text += fmt::format("{:>5.1f} % {:>5.1f} %  {}{}\n", 100 * row.own, 100 * row.all, row.call.name,
                        row.call.kernel ? " (kernel)" : "");
  }
  return text;
}

std::string flame_graph(const CallTree& tree, const std::string& title) {
  const auto depth = static_cast<double>(depth_of(tree));
  const double height = kTop + kRow * depth + 24;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
      "{1:.0f}\" font-family=\"DejaVu Sans, sans-serif\" font-size=\"11\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
      "<text x=\"{2}\" y=\"24\" font-size=\"16\" font-weight=\"bold\">{3}</text>\n"
      "<text x=\"{2}\" y=\"44\" fill=\"#555\">{4} samples; a box is as wide as its share of them, and stands "
      "on "
      "what called it; green: program, orange: kernel</text>\n",
      kWidth + 2 * kLeft, height, kLeft, xml_escaped(title), tree.seen);
  if (tree.seen > 0)
    draw(tree, tree.seen, kLeft, kTop + kRow * (depth - 1), out);
  return out + "</svg>\n";
}

} // namespace ukl
