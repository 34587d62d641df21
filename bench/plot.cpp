// SPDX-License-Identifier: GPL-2.0-only
#include "plot.hpp"
#include "table.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>

namespace ukl::bench {
namespace {

constexpr double kLeft = 190, kWidth = 560, kRight = 70, kBar = 9, kGap = 9, kTop = 26;
constexpr double kLeast = 0.25, kMost = 16; // ends of the scale; bars beyond are cut and keep their figure

// A system has its colour in every picture, whatever stands beside it.
const char* colour_of(const std::string& system) {
  static const std::map<std::string, const char*> colours = {
      {"cloud", "#8a8a8a"},    {"cloud-mitigations-off", "#b9b9b9"},
      {"classic", "#5b8dd9"},  {"ring0", "#d9a441"},
      {"full", "#4fae7b"},     {"direct", "#c2504a"},
      {"shortcut", "#8e63b8"}, {"polling", "#3f9fa8"}};
  const auto found = colours.find(system);
  return found == colours.end() ? "#000000" : found->second;
}

double position(double ratio) {
  const double clamped = std::clamp(ratio, kLeast, kMost);
  return kLeft + kWidth * std::log2(clamped / kLeast) / std::log2(kMost / kLeast);
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text)
    result += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return result;
}

// The tables' ratio: by instructions where they were counted.
double ratio_of(const Part& part, const Row& row, const std::string& system) {
  const auto found = row.cells.find(system);
  const bool counted = !part.requests && found != row.cells.end() && !found->second.instructions.empty();
  return times_better(part, row, system, counted ? Figure::instructions : Figure::value);
}

class Drawing {
public:
  void heading(const std::string& text) {
    y_ += 22;
    write(10, y_, "start", "bold", text);
    y_ += 8;
  }

  void legend(const Part& part) {
    double x = 10;
    y_ += 14;
    for (std::size_t i = 0; i < part.systems.size(); ++i) {
      if (x > kLeft + kWidth - 120) {
        x = 10;
        y_ += 16;
      }
      rectangle(x, y_ - 9, 10, 10, colour_of(part.systems[i].name));
      write(x + 15, y_, "start", "normal", part.systems[i].title);
      x += 30 + 6.5 * static_cast<double>(part.systems[i].title.size());
    }
    y_ += 6;
  }

  void rows(const Part& part) {
    const double top = y_ + kTop - 6;
    y_ += kTop;
    std::string bars;
    for (const auto& row : part.rows) {
      const double middle = y_ + kBar * static_cast<double>(part.systems.size()) / 2 + 4;
      write(kLeft - 8, middle, "end", "normal", row.name);
      for (std::size_t i = 0; i < part.systems.size(); ++i, y_ += kBar) {
        const double ratio = ratio_of(part, row, part.systems[i].name);
        if (ratio <= 0)
          continue;
        const double from = std::min(position(1), position(ratio)),
                     to = std::max(position(1), position(ratio));
        rectangle(from, y_, std::max(to - from, 1.5), kBar - 1, colour_of(part.systems[i].name));
        if (i > 0)
          write(to + 4, y_ + kBar - 2, "start", "normal", fmt::format("{:.2f}", ratio), 8);
      }
      y_ += kGap;
    }
    for (int power = -2; power <= 4; ++power) { // from kLeast to kMost
      const double tick = std::exp2(power);
      body_ +=
          fmt::format("<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\" stroke=\"#888\" "
                      "stroke-opacity=\"{3}\"/>\n",
                      position(tick), top, y_, tick == 1 ? 1.0 : 0.25);
      write(position(tick), top - 4, "middle", "normal", fmt::format("{}×", tick), 9);
    }
  }

  std::string finish() const {
    const double width = kLeft + kWidth + kRight, height = y_ + 10;
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
        "height=\"{1:.0f}\" font-family=\"sans-serif\" font-size=\"11\">\n"
        "<style>text {{ fill: #333; }} @media (prefers-color-scheme: dark) {{ text {{ fill: #ccc; }} }}"
        "</style>\n{2}</svg>\n",
        width, height, body_);
  }

private:
  void rectangle(double x, double y, double width, double height, const char* colour) {
    body_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"/>\n",
                         x, y, width, height, colour);
  }

  void write(double x, double y, const char* anchor, const char* weight, const std::string& text,
             int size = 11) {
    body_ += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" font-weight=\"{}\" font-size=\"{}\">{}"
        "</text>\n",
        x, y, anchor, weight, size, escaped(text));
  }

  std::string body_;
  double y_ = 0;
};

void draw(Drawing& drawing, const std::optional<Part>& part, const std::string& heading) {
  if (!part || part->systems.empty() || part->rows.empty())
    return;
  drawing.heading(
      fmt::format("{} (× better than {}, {})", heading, part->systems[0].title, part->date.substr(0, 10)));
  drawing.legend(*part);
  drawing.rows(*part);
}

} // namespace

std::string plot(const Results& results) {
  Drawing drawing;
  draw(drawing, results.operations, "Guest instructions per operation");
  draw(drawing, results.applications, "Requests per second");
  return drawing.finish();
}

} // namespace ukl::bench
