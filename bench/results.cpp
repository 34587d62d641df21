// SPDX-License-Identifier: GPL-2.0-only
#include "results.hpp"
#include "machine.hpp"
#include "support/files.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

namespace ukl::bench {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Cell& cell) {
  Json json = Json::object();
  const auto add = [&](const char* name, const Samples& samples) {
    for (const double value : samples.values)
      json[name].push_back(value < 100 ? std::round(1000 * value) / 1000 : std::round(10 * value) / 10);
  };
  add("values", cell.value);
  add("latency_50_us", cell.latency_50);
  add("latency_99_us", cell.latency_99);
  add("instructions", cell.instructions);
  add("mean_instructions", cell.mean_instructions);
  if (!cell.failure.empty())
    json["failure"] = cell.failure;
  return json;
}

Cell cell_from(const Json& json) {
  Cell cell;
  const auto samples = [&](const char* name) { return Samples{json.value(name, std::vector<double>{})}; };
  cell.value = samples("values");
  cell.latency_50 = samples("latency_50_us");
  cell.latency_99 = samples("latency_99_us");
  cell.instructions = samples("instructions");
  cell.mean_instructions = samples("mean_instructions");
  cell.failure = json.value("failure", "");
  return cell;
}

Json to_json(const Part& part) {
  const char* unit = part.requests ? "requests per second" : "ns per operation";
  Json json = {{"date", part.date},        {"command", part.command},   {"qemu", part.qemu},
               {"host", part.host},        {"programs", part.programs}, {"unit", unit},
               {"systems", Json::array()}, {"rows", Json::array()}};
  if (part.requests)
    json["network"] = part.network;
  for (const auto& system : part.systems)
    json["systems"].push_back({{"name", system.name}, {"title", system.title}, {"kernel", system.kernel}});
  for (const auto& row : part.rows) {
    Json cells = Json::object();
    for (const auto& [system, cell] : row.cells)
      cells[system] = to_json(cell);
    json["rows"].push_back({{"name", row.name}, {"systems", cells}});
  }
  return json;
}

Part part_from(const Json& json, bool requests) {
  Part part;
  part.requests = requests;
  part.date = json.at("date");
  part.command = json.at("command");
  part.qemu = json.at("qemu");
  part.host = json.at("host");
  if (requests)
    part.network = json.value("network", "user"); // the only one there was, once
  part.programs = json.at("programs").get<std::map<std::string, std::string>>();
  for (const auto& system : json.at("systems"))
    part.systems.push_back({system.at("name"), system.at("title"), system.at("kernel")});
  for (const auto& row : json.at("rows")) {
    Row read{row.at("name"), {}};
    for (const auto& [system, cell] : row.at("systems").items())
      read.cells[system] = cell_from(cell);
    part.rows.push_back(std::move(read));
  }
  return part;
}

std::string processor() {
  std::istringstream lines(read_text("/proc/cpuinfo") ? *read_text("/proc/cpuinfo") : "");
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("model name"))
      return line.substr(line.find(':') + 2);
  return "unknown processor";
}

} // namespace

double Samples::median() const {
  if (values.empty())
    return 0;
  auto sorted = values;
  std::ranges::sort(sorted);
  const auto middle = sorted.size() / 2;
  return sorted.size() % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

double Samples::spread() const {
  const double middle = median();
  if (middle == 0)
    return 0;
  auto sorted = values;
  std::ranges::sort(sorted);
  const auto quarter = sorted.size() / 4;
  return (sorted[sorted.size() - 1 - quarter] - sorted[quarter]) / middle;
}

Result<Results> read_results(const std::filesystem::path& path) {
  auto text = read_text(path);
  if (!text)
    return text.error();
  // The library throws on what does not have the shape asked for; it goes no further than here.
  try {
    const auto json = Json::parse(*text);
    Results results;
    if (json.contains("operations"))
      results.operations = part_from(json["operations"], false);
    if (json.contains("applications"))
      results.applications = part_from(json["applications"], true);
    return results;
  } catch (const Json::exception& error) {
    return Error{Failure::unreadable, fmt::format("{} holds no results: {}", path.string(), error.what()),
                 "move it away and run bench/run again"};
  }
}

Result<void> write_results(const std::filesystem::path& path, const Results& results) {
  Json json = Json::object();
  if (results.operations)
    json["operations"] = to_json(*results.operations);
  if (results.applications)
    json["applications"] = to_json(*results.applications);
  std::error_code ignored;
  if (path.has_parent_path())
    std::filesystem::create_directories(path.parent_path(), ignored);
  return write_text(path, json.dump() + "\n");
}

Part begin_part(const std::string& command, bool requests) {
  Part part;
  part.requests = requests;
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  gmtime_r(&now, &utc);
  char date[32];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
  part.date = date;
  part.command = command;
  part.qemu = qemu_version();
  part.host = fmt::format("{}, {} CPUs", processor(), std::thread::hardware_concurrency());
  return part;
}

} // namespace ukl::bench
