// SPDX-License-Identifier: GPL-2.0-only
#include "image/treemap.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ukl {
namespace {

// In pixels.
constexpr double kWidth = 960, kHeight = 330, kHead = 46, kCaption = 24, kLetter = 6.4, kGap = 1;
constexpr const char* kColours[] = {"#d9822b", "#7b6fb3", "#8a8f98", "#5fa641", "#4c86c6", "#c94f60"};

struct Box {
  double x, y, width, height;
};

std::string size_of(std::uint64_t bytes) {
  return bytes >= 1 << 20 ? fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20))
                          : fmt::format("{} KiB", (bytes + 1023) >> 10);
}

// As much of a text as there is room for.
std::string fitting(const std::string& text, double width) {
  const auto letters = static_cast<std::size_t>(std::max(0.0, width / kLetter));
  if (text.size() <= letters)
    return text;
  if (letters < 4)
    return "";
  // The end of a path says more than its beginning.
  return text.starts_with('/') ? "…" + text.substr(text.size() - letters + 1)
                               : text.substr(0, letters - 1) + "…";
}

void draw_leaf(const Part& part, const Box& box, const char* colour, std::string& out) {
  out += fmt::format(
      "<g><title>{}: {}</title><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
      "fill=\"{}\"/>\n",
      xml_escaped(part.name), size_of(part.bytes), box.x, box.y, std::max(0.5, box.width - kGap),
      std::max(0.5, box.height - kGap), colour);
  if (box.height > 15)
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", box.x + 4, box.y + 13,
                       xml_escaped(fitting(part.name, box.width - 8)));
  if (box.height > 30)
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", box.x + 4, box.y + 27,
                       fitting(size_of(part.bytes), box.width - 8));
  out += "</g>\n";
}

// Halves what there is until one part is left: each half has about as many bytes as the other, and lies
// beside it along the longer side.
void draw(const Part* first, const Part* last, const Box& box, const char* colour, std::string& out) {
  if (first == last)
    return;
  if (last - first == 1) {
    if (first->parts.empty())
      draw_leaf(*first, box, colour, out);
    else
      draw(first->parts.data(), first->parts.data() + first->parts.size(), box, colour, out);
    return;
  }
  double all = 0;
  for (const auto* part = first; part != last; ++part)
    all += static_cast<double>(part->bytes);
  const auto* middle = first;
  double half = 0;
  while (middle + 1 != last && (middle == first || half + static_cast<double>(middle->bytes) / 2 < all / 2))
    half += static_cast<double>((middle++)->bytes);
  const double share = all > 0 ? half / all : 0.5;
  auto one = box, other = box;
  if (box.width >= box.height) {
    one.width = box.width * share;
    other.x += one.width;
    other.width -= one.width;
  } else {
    one.height = box.height * share;
    other.y += one.height;
    other.height -= one.height;
  }
  draw(first, middle, one, colour, out);
  draw(middle, last, other, colour, out);
}

// The outermost parts have colours of their own.
void draw_whole(const Part& whole, const Box& box, std::string& out) {
  double x = box.x;
  std::size_t colour = 0;
  for (const auto& part : whole.parts) {
    const double width = box.width * static_cast<double>(part.bytes) /
                         static_cast<double>(std::max<std::uint64_t>(1, whole.bytes));
    draw(&part, &part + 1, {x, box.y, width, box.height}, kColours[colour++ % std::size(kColours)], out);
    x += width;
  }
}

} // namespace

std::string treemap(const std::vector<Part>& wholes, const std::string& title) {
  const double height = kHead + static_cast<double>(wholes.size()) * (kHeight + kCaption) + 10;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" "
      "font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
      "<text x=\"20\" y=\"28\" font-size=\"16\" fill=\"#222\">{2}</text>\n",
      kWidth + 40, height, xml_escaped(title));
  double y = kHead;
  for (const auto& whole : wholes) {
    out += fmt::format(
        "<text x=\"20\" y=\"{:.0f}\" font-size=\"13\" fill=\"#222\">{}: {}</text>\n<g fill=\"#fff\">\n",
        y + 14, xml_escaped(whole.name), size_of(whole.bytes));
    draw_whole(whole, {20, y + kCaption, kWidth, kHeight - 8}, out);
    out += "</g>\n";
    y += kHeight + kCaption;
  }
  return out + "</svg>\n";
}

} // namespace ukl
