// SPDX-License-Identifier: GPL-2.0-only
// What a run of the benchmark found: the one thing that tables, plots and the README are made from.
#pragma once

#include "support/result.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ukl::bench {

/// Values of repeated measurements, in the order in which they were made.
struct Samples {
  std::vector<double> values;
  bool empty() const { return values.empty(); }
  double median() const; ///< of an even number: the mean of the middle two; 0 if there are none
  /// (largest - smallest) / median, without the lowest and the highest quarter; 0 if there are none.
  double spread() const;
};

/// What one system did in one row of a table.
struct Cell {
  Samples value;        ///< operations: ns per operation, each run's fastest batch; applications: requests/s
  Samples latency_50;   ///< applications: the middle request's latency, microseconds
  Samples latency_99;   ///< applications: 99 of 100 requests took less, microseconds
  Samples instructions; ///< guest instructions per operation (each boot's median batch) or request
  Samples mean_instructions; ///< operations: each boot's mean of all batches, timer ticks included
  std::string failure;       ///< why there is no value
};

struct Row {
  std::string name;
  std::map<std::string, Cell> cells; ///< by the system's name
};

struct MeasuredSystem {
  std::string name, title, kernel;
};

/// One run of `bench/run operations` or `bench/run applications`.
struct Part {
  bool requests = false; ///< the values are requests per second (more is better), else ns per operation
  std::string date;      ///< UTC, ISO 8601
  std::string command;   ///< that repeats it
  std::string qemu;      ///< version
  std::string host;      ///< processor, and how many CPUs
  std::string network;   ///< applications: tap or user, what the guest's card is attached to
  std::map<std::string, std::string> programs; ///< version of each program measured
  std::vector<MeasuredSystem> systems;         ///< in the order of the columns
  std::vector<Row> rows;
};

/// A results file. Either part may come from an earlier run than the other.
struct Results {
  std::optional<Part> operations, applications;
};

/// Errors: not_found, unreadable (also: not a results file).
Result<Results> read_results(const std::filesystem::path& path);
/// Errors: unwritable, disk_full.
Result<void> write_results(const std::filesystem::path& path, const Results& results);

/// A part without rows: date, QEMU and host are filled in.
Part begin_part(const std::string& command, bool requests);

} // namespace ukl::bench
