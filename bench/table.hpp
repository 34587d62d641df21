// SPDX-License-Identifier: GPL-2.0-only
// Results as text: for the terminal, and as Markdown for the README.
#pragma once

#include "results.hpp"

namespace ukl::bench {

/// Which figure of a cell a table shows.
enum class Figure { instructions, value, latency_50, latency_99 };

/// A rectangle of text, its first row the heading and its first column the names.
using Grid = std::vector<std::vector<std::string>>;

/// One row per row of the part that has the figure at all, one column per system, and after the first
/// system's one ratio column for each further one: how many times better than the first system it is (fewer
/// instructions or nanoseconds, or more requests per second). A cell without the figure holds `-`, or
/// `failed`.
Grid figure_grid(const Part& part, Figure figure);

/// How many times better than the part's first system `system` is in this row, as in figure_grid; 0 if one of
/// the two has no figure.
double times_better(const Part& part, const Row& row, const std::string& system, Figure figure);

/// Columns aligned: the first to the left, the others to the right.
std::string as_text(const Grid& grid);
/// The same as a Markdown table.
std::string as_markdown(const Grid& grid);

/// Everything about the results for a terminal, with notes, failures and the command that repeats each part.
std::string terminal_report(const Results& results);

} // namespace ukl::bench
