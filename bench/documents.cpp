// SPDX-License-Identifier: GPL-2.0-only
#include "documents.hpp"
#include "table.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace ukl::bench {
namespace {

constexpr std::array kExcerptRows = {"memcached TCP 16c", "memcached TCP 16c P16", "redis get 50c P1",
                                     "redis set 50c P1", "nginx 612 B 16c"};
constexpr std::array kExcerptSystems = {"cloud", "classic", "direct"};
constexpr std::string_view kBegin = "<!-- bench:begin -->", kEnd = "<!-- bench:end -->";

std::string section(const Part& part, const std::string& title, Figure figure) {
  const auto grid = figure_grid(part, figure);
  return grid.size() > 1 ? fmt::format("{}:\n\n{}\n", title, as_markdown(grid)) : "";
}

std::string footer(const Part& part) {
  std::string text =
      fmt::format("Measured {} on {} ({}, TCG, 1 virtual CPU{}); again: `{}`. Kernels: ", part.date,
                  part.host, part.qemu, part.requests ? ", network: " + part.network : "", part.command);
  for (std::size_t i = 0; i < part.systems.size(); ++i)
    text += fmt::format("{}{}: {}", i ? "; " : "", part.systems[i].name, part.systems[i].kernel);
  text += ".";
  for (const auto& [program, version] : part.programs)
    text += fmt::format(" {} {}.", program, version);
  for (const auto& row : part.rows)
    for (const auto& [system, cell] : row.cells)
      if (!cell.failure.empty())
        text += fmt::format(" Failed: {} on {} ({}).", row.name, system, cell.failure);
  return text + "\n\n";
}

} // namespace

std::string markdown_report(const Results& results) {
  std::string text;
  if (results.operations) {
    text += section(*results.operations,
                    "Guest instructions per operation, the loop and the C library included "
                    "(`×`: how many times fewer than the first column)",
                    Figure::instructions);
    text += section(*results.operations, "Nanoseconds per operation under TCG", Figure::value);
    text += footer(*results.operations);
  }
  if (results.applications) {
    text += section(*results.applications,
                    "Requests per second, driven from the host over virtio-net (`×`: how many "
                    "times those of the first column, the median of the turns' ratios)",
                    Figure::value);
    text += section(*results.applications, "Latency that 99 % of the requests stay below, microseconds",
                    Figure::latency_99);
    text += section(*results.applications, "Guest instructions per request", Figure::instructions);
    text += footer(*results.applications);
  }
  return text;
}

Results excerpt(const Results& results) {
  Results kept;
  if (!results.applications)
    return kept;
  kept.applications = results.applications;
  std::erase_if(kept.applications->rows, [](const Row& row) {
    return std::ranges::find(kExcerptRows, row.name) == kExcerptRows.end();
  });
  std::erase_if(kept.applications->systems, [](const MeasuredSystem& system) {
    return std::ranges::find(kExcerptSystems, system.name) == kExcerptSystems.end();
  });
  return kept;
}

std::string short_report(const Results& results) {
  const auto short_results = excerpt(results);
  if (!short_results.applications)
    return "";
  return section(*short_results.applications, "Requests per second under QEMU's translator", Figure::value) +
         footer(*short_results.applications);
}

Result<std::string> replace_section(const std::string& document, const std::string& text) {
  const auto begin = document.find(kBegin), end = document.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin)
    return Error{Failure::usage, fmt::format("the document has no lines {} and {}", kBegin, kEnd),
                 "put them where the tables shall stand"};
  return document.substr(0, begin + kBegin.size()) + "\n" + text + document.substr(end);
}

} // namespace ukl::bench
