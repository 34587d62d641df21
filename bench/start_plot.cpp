// SPDX-License-Identifier: GPL-2.0-only
#include "start_plot.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ukl::bench {
namespace {

constexpr double kLeft = 190, kWidth = 480, kRight = 80, kBar = 14, kStep = 20;

struct Bar {
  std::string name;
  double milliseconds;
  const char* colour;
};

constexpr const char *kFloor = "#8a8a8a", *kDebian = "#5b8dd9", *kOurs = "#c2504a", *kKept = "#4fae7b";

const char* colour_of(const std::string& name) {
  return name.starts_with("QEMU") ? kFloor : name.starts_with("Debian") ? kDebian : kOurs;
}

std::string text(double x, double y, const char* anchor, const std::string& words, bool bold = false) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor,
                     bold ? " font-weight=\"bold\"" : "", words);
}

// Each group has its own scale.
void draw(std::string& body, double& y, const std::string& heading, const std::vector<Bar>& bars) {
  if (bars.empty())
    return;
  y += 24;
  body += text(10, y, "start", heading, true);
  y += 10;
  double longest = 0;
  for (const auto& bar : bars)
    longest = std::max(longest, bar.milliseconds);
  for (const auto& bar : bars) {
    const double length = std::max(1.0, kWidth * bar.milliseconds / longest);
    body += text(kLeft - 8, y + 11, "end", bar.name);
    body += fmt::format("<rect x=\"{}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" fill=\"{}\"/>\n", kLeft,
                        y, length, kBar, bar.colour);
    body += text(kLeft + length + 5, y + 11, "start", fmt::format("{:.0f} ms", bar.milliseconds));
    y += kStep;
  }
}

} // namespace

std::string start_plot(const StartReport& report) {
  std::vector<Bar> hello, servers;
  for (const auto& row : report.rows)
    if (!row.first_line.empty())
      hello.push_back({row.name, row.first_line.median(), colour_of(row.name)});
  for (const auto& row : report.servers)
    for (const auto& [word, samples, colour] :
         {std::tuple("booted", &row.cold, kOurs), {"kept", &row.warm, kKept}})
      if (!samples->empty())
        servers.push_back({fmt::format("{}, {}", row.name, word), samples->median(), colour});
  std::string body;
  double y = 0;
  draw(body, y, "From the key to hello's first line", hello);
  draw(body, y, "From the key to a server's first answer", servers);
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" font-family=\"sans-serif\" font-size=\"11\">\n"
      "<style>text {{ fill: #333; }} @media (prefers-color-scheme: dark) {{ text {{ fill: #ccc; }} }}"
      "</style>\n{2}</svg>\n",
      kLeft + kWidth + kRight, y + 10, body);
}

} // namespace ukl::bench
