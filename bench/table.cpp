// SPDX-License-Identifier: GPL-2.0-only
#include "table.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ukl::bench {
namespace {

const Samples& samples_of(const Cell& cell, Figure figure) {
  switch (figure) {
  case Figure::instructions:
    return cell.instructions;
  case Figure::latency_50:
    return cell.latency_50;
  case Figure::latency_99:
    return cell.latency_99;
  case Figure::value:
    break;
  }
  return cell.value;
}

std::optional<double> value_of(const Cell& cell, Figure figure) {
  const auto& samples = samples_of(cell, figure);
  return samples.empty() ? std::nullopt : std::optional(samples.median());
}

const Cell* find_cell(const Row& row, const std::string& system) {
  const auto found = row.cells.find(system);
  return found == row.cells.end() ? nullptr : &found->second;
}

// How many times `base`'s figure `own`'s is; 0 if one is missing. Values that were measured in turns are
// compared turn by turn, which leaves out how fast the host was at the time.
double ratio_of(const Row& row, const std::string& own, const std::string& base, Figure figure) {
  const auto *own_cell = find_cell(row, own), *base_cell = find_cell(row, base);
  if (!own_cell || !base_cell)
    return 0;
  const auto &above = samples_of(*own_cell, figure), &below = samples_of(*base_cell, figure);
  if (above.empty() || below.median() <= 0 || std::ranges::min(below.values) <= 0)
    return 0;
  if (above.values.size() != below.values.size())
    return above.median() / below.median();
  Samples ratios;
  for (std::size_t i = 0; i < above.values.size(); ++i)
    ratios.values.push_back(above.values[i] / below.values[i]);
  return ratios.median();
}

std::string cell_text(const Row& row, const std::string& system, Figure figure) {
  const auto* cell = find_cell(row, system);
  const auto value = cell ? value_of(*cell, figure) : std::nullopt;
  if (!value)
    return cell && !cell->failure.empty() ? "failed" : "-";
  const auto number = *value < 100 ? fmt::format("{:.1f}", *value) : fmt::format("{:.0f}", *value);
  const auto half = 50 * samples_of(*cell, figure).spread();
  // Instructions are repeatable but for what the memory layout changes: most would show ±0%.
  const bool shows_spread = figure == Figure::value || (figure == Figure::instructions && half >= 0.5);
  return shows_spread && half > 0 ? fmt::format("{} ±{:.0f}%", number, half) : number;
}

std::size_t width_of(const std::string& text) {
  // Bytes that begin a character: all but UTF-8's continuation bytes.
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

std::vector<std::size_t> widths_of(const Grid& grid) {
  std::vector<std::size_t> widths(grid.empty() ? 0 : grid[0].size());
  for (const auto& line : grid)
    for (std::size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], width_of(line[i]));
  return widths;
}

std::string padded(const std::string& text, std::size_t width, bool left) {
  const std::string blanks(width - width_of(text), ' ');
  return left ? text + blanks : blanks + text;
}

std::string part_report(const Part& part, const std::string& heading) {
  std::string text = fmt::format("{}, {}\n{}; {}; TCG, 1 virtual CPU{}\n", heading, part.date, part.qemu,
                                 part.host, part.requests ? "; network: " + part.network : "");
  for (const auto& system : part.systems)
    text += fmt::format("  {:22} {:28} {}\n", system.name, system.title, system.kernel);
  const auto add = [&](const char* title, Figure figure) {
    const auto grid = figure_grid(part, figure);
    if (grid.size() > 1)
      text += fmt::format("\n{}\n{}", title, as_text(grid));
  };
  if (part.requests) {
    add("Requests per second (median of the turns, ± half the range of their middle half; "
        "×: median of the turns' ratios)",
        Figure::value);
    add("Latency of the middle request, microseconds", Figure::latency_50);
    add("Latency that 99 % stay below, microseconds", Figure::latency_99);
    add("Guest instructions per request", Figure::instructions);
  } else {
    add("Guest instructions per operation (the loop and the C library included)", Figure::instructions);
    add("Nanoseconds per operation (each boot's fastest batch; median of the rounds, ± half the range)",
        Figure::value);
  }
  for (const auto& row : part.rows)
    for (const auto& [system, cell] : row.cells)
      if (!cell.failure.empty())
        text += fmt::format("failed: {} on {}: {}\n", row.name, system, cell.failure);
  return text + fmt::format("\nAgain: {}\n", part.command);
}

} // namespace

double times_better(const Part& part, const Row& row, const std::string& system, Figure figure) {
  const auto more = ratio_of(row, system, part.systems[0].name, figure);
  const bool more_is_better = figure == Figure::value && part.requests;
  return more > 0 && !more_is_better ? 1 / more : more;
}

Grid figure_grid(const Part& part, Figure figure) {
  Grid grid(1);
  grid[0].emplace_back("");
  for (const auto& system : part.systems)
    grid[0].push_back(system.title);
  for (std::size_t i = 1; i < part.systems.size(); ++i)
    grid[0].push_back("× " + part.systems[i].name);
  for (const auto& row : part.rows) {
    const auto has = [&](const MeasuredSystem& system) {
      const auto* cell = find_cell(row, system.name);
      return cell && (value_of(*cell, figure) || !cell->failure.empty());
    };
    if (std::ranges::none_of(part.systems, has))
      continue;
    std::vector<std::string> line = {row.name};
    for (const auto& system : part.systems)
      line.push_back(cell_text(row, system.name, figure));
    for (std::size_t i = 1; i < part.systems.size(); ++i) {
      const auto ratio = times_better(part, row, part.systems[i].name, figure);
      line.push_back(ratio > 0 ? fmt::format("{:.2f}", ratio) : "-");
    }
    grid.push_back(std::move(line));
  }
  return grid;
}

std::string as_text(const Grid& grid) {
  const auto widths = widths_of(grid);
  std::string text;
  for (const auto& line : grid) {
    std::string row;
    for (std::size_t i = 0; i < line.size(); ++i)
      row += (i ? "  " : "") + padded(line[i], widths[i], i == 0);
    text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string as_markdown(const Grid& grid) {
  const auto widths = widths_of(grid);
  std::string text;
  for (std::size_t row = 0; row < grid.size(); ++row) {
    for (std::size_t i = 0; i < grid[row].size(); ++i)
      text += fmt::format("| {} ", padded(grid[row][i], widths[i], i == 0));
    text += "|\n";
    if (row > 0)
      continue;
    for (std::size_t i = 0; i < widths.size(); ++i)
      text += fmt::format("|{:->{}}", i ? ":" : "-", widths[i] + 2);
    text += "|\n";
  }
  return text;
}

std::string terminal_report(const Results& results) {
  std::string text;
  if (results.operations)
    text += part_report(*results.operations, "Operations");
  if (results.operations && results.applications)
    text += "\n";
  if (results.applications)
    text += part_report(*results.applications, "Applications");
  return text;
}

} // namespace ukl::bench
