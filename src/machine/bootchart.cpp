// SPDX-License-Identifier: GPL-2.0-only
#include "machine/bootchart.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>

namespace ukl {
namespace {

// All in pixels.
constexpr double kLeft = 20, kWidth = 960, kRow = 17, kBarTop = 78, kBar = 34, kLabels = 240;
// So many initcalls fit on a page that can still be read.
constexpr std::size_t kMostCalls = 45;

const std::map<std::string, const char*> kColours = {
    {"tool", "#7b6fb3"}, {"qemu", "#4c86c6"},    {"firmware", "#3fa7a0"}, {"kernel", "#d9822b"},
    {"init", "#5fa641"}, {"program", "#c94f60"}, {"end", "#8a8f98"},      {"machine", "#d9822b"}};
std::string rectangle(double x, double y, double width, double height, const char* colour) {
  return fmt::format("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" fill=\"{}\"/>\n", x,
                     y, width, height, colour);
}

std::string words(double x, double y, const std::string& text, const char* more = "") {
  return fmt::format("<text x=\"{:.2f}\" y=\"{:.2f}\"{}>{}</text>\n", x, y, more, xml_escaped(text));
}

// 1, 2 or 5 times a power of ten, so that an axis has at most ten marks.
double step_for(double span) {
  const double least = std::max(span, 0.001) / 10, power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= least)
      return factor * power;
  return 10 * power;
}

// Marks below, lines up to `top`.
std::string axis(double from, double to, double left, double width, double top, double bottom) {
  std::string text;
  const double step = step_for(to - from);
  for (auto number = std::lround(std::ceil(from / step)); static_cast<double>(number) * step <= to;
       ++number) {
    const double mark = static_cast<double>(number) * step;
    const double x = left + (mark - from) / (to - from) * width;
    text +=
        fmt::format("<line x1=\"{0:.2f}\" y1=\"{1:.2f}\" x2=\"{0:.2f}\" y2=\"{2:.2f}\" stroke=\"#ddd\"/>\n",
                    x, top, bottom);
    text += words(x, bottom + 13, fmt::format("{:g}", mark), " text-anchor=\"middle\" fill=\"#666\"");
  }
  return text;
}

const char* colour_of(const std::string& phase) {
  const auto found = kColours.find(phase);
  return found == kColours.end() ? "#999" : found->second;
}

} // namespace

std::string bootchart(const BootTimes& times, const std::string& title) {
  const double total = std::max(times.total, 0.001);
  std::string body = words(kLeft, 26, title, " font-size=\"16\" font-weight=\"bold\"");
  body += axis(0, total, kLeft, kWidth, kBarTop - 6, kBarTop + kBar + 6);
  body += words(kLeft, kBarTop - 14, "milliseconds since the tool began", " fill=\"#666\"");
  for (const auto& phase : times.phases) {
    const double x = kLeft + phase.start / total * kWidth, width = phase.duration / total * kWidth;
    body += rectangle(x, kBarTop, width, kBar, colour_of(phase.name));
    if (width > 60)
      body += words(x + width / 2, kBarTop + 21, phase.name, " text-anchor=\"middle\" fill=\"#fff\"");
    if (phase.name == "program" && times.first_output) {
      const double output = kLeft + (phase.start + *times.first_output) / total * kWidth;
      body += fmt::format("<line x1=\"{0:.2f}\" y1=\"{1}\" x2=\"{0:.2f}\" y2=\"{2}\" stroke=\"#000\" "
                          "stroke-width=\"1.5\"/>\n",
                          output, kBarTop - 4, kBarTop + kBar + 4);
    }
  }

  // The legend, with the figures.
  double y = kBarTop + kBar + 46;
  for (const auto& phase : times.phases) {
    body += rectangle(kLeft, y - 10, 12, 12, colour_of(phase.name));
    body += words(kLeft + 20, y, phase.name);
    body += words(kLeft + 180, y, fmt::format("{:.1f} ms", phase.duration), " text-anchor=\"end\"");
    if (phase.name == "program" && times.first_output)
      body += words(kLeft + 200, y,
                    fmt::format("first output after {:.1f} ms (black line)", *times.first_output));
    y += kRow;
  }
  body += words(kLeft + 20, y, "all", " font-weight=\"bold\"");
  body += words(kLeft + 180, y, fmt::format("{:.1f} ms", times.total),
                " text-anchor=\"end\" font-weight=\"bold\"");
  y += kRow;

  if (!times.initcalls.empty()) {
    auto calls = times.initcalls;
    std::ranges::stable_sort(calls, std::ranges::greater(), &BootSpan::duration);
    const std::size_t drawn = std::min(calls.size(), kMostCalls);
    double rest = 0;
    for (std::size_t index = drawn; index < calls.size(); ++index)
      rest += calls[index].duration;
    calls.resize(drawn);
    std::ranges::stable_sort(calls, {}, &BootSpan::start);
    double from = calls.front().start, to = from + 0.001;
    for (const auto& call : calls)
      to = std::max(to, call.start + call.duration);
    y += 24;
    body += words(kLeft, y, fmt::format("The kernel's {} longest initcalls", drawn), " font-weight=\"bold\"");
    y += 12;
    const double left = kLeft + kLabels, width = kWidth - kLabels - 70;
    body += axis(from, to, left, width, y, y + kRow * static_cast<double>(drawn));
    for (const auto& call : calls) {
      const double x = left + (call.start - from) / (to - from) * width;
      const double length = std::max(call.duration / (to - from) * width, 1.0);
      body += words(kLeft, y + 12, call.name);
      body += rectangle(x, y + 3, length, kRow - 6, colour_of("kernel"));
      body += words(x + length + 5, y + 12, fmt::format("{:.1f} ms", call.duration), " fill=\"#444\"");
      y += kRow;
    }
    y += 32;
    body += words(kLeft, y,
                  fmt::format("{} others took {:.1f} ms together", times.initcalls.size() - drawn, rest));
  }
  const double height = y + 24;
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1:.0f}\" viewBox=\"0 0 {0} "
             "{1:.0f}\" font-family=\"DejaVu Sans, sans-serif\" font-size=\"11\">\n",
             kLeft * 2 + kWidth, height) +
         rectangle(0, 0, kLeft * 2 + kWidth, height, "#fff") + body + "</svg>\n";
}

} // namespace ukl
