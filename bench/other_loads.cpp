// SPDX-License-Identifier: GPL-2.0-only
#include "other_loads.hpp"
#include "support/process.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <sstream>

namespace ukl::bench {
namespace {

Error failed(const std::string& program, const std::string& text) {
  return {Failure::machine, fmt::format("{} failed: {}", program, text), ""};
}

// A time with its unit, as wrk writes it, in microseconds; negative if it is none.
double microseconds(const std::string& text) {
  const double number = std::strtod(text.c_str(), nullptr);
  const auto used = text.find_first_not_of("0123456789.");
  const auto unit = used == std::string::npos ? "" : text.substr(used);
  return unit == "us" ? number : unit == "ms" ? 1e3 * number : unit == "s" ? 1e6 * number : -1;
}

// `requests` is rounded up to whole pipelines: where more are answered than were asked for, redis-benchmark
// may say that all clients disconnected.
Result<Load> run_redis(const PackagedProgram& client, const RedisLoad& wanted, long requests) {
  const long pipeline = wanted.pipeline;
  requests = (requests + pipeline - 1) / pipeline * pipeline;
  ProcessOptions options;
  options.environment = environment_of(client);
  auto output = run_command({"timeout", "60", client.file.string(), "-h", wanted.host, "-p",
                             std::to_string(wanted.port), "-t", wanted.command, "-c",
                             std::to_string(wanted.connections), "-P", std::to_string(wanted.pipeline), "-n",
                             std::to_string(requests), "-r", "1000", "--csv"},
                            options);
  if (!output)
    return output.error();
  if (output->status != 0)
    return failed("redis-benchmark", output->text);
  auto load = parse_redis(output->text);
  if (load)
    load->requests = load->sent = static_cast<double>(requests);
  return load;
}

} // namespace

Result<Load> parse_redis(const std::string& text) {
  // "GET","20408.16","0.431","0.152","0.423","0.591","0.695","1.623": requests/s; average, least, 50 %, 95 %,
  // 99 % and most in ms.
  std::vector<double> numbers;
  std::istringstream lines(text);
  std::string field, last;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("\"GET\"") || line.starts_with("\"SET\""))
      last = line;
  std::istringstream fields(last);
  std::getline(fields, field, ',');
  while (std::getline(fields, field, ','))
    numbers.push_back(std::strtod(field.c_str() + (field.starts_with('"') ? 1 : 0), nullptr));
  if (numbers.size() < 7 || numbers[0] <= 0)
    return failed("redis-benchmark", text);
  return Load{0, 0, numbers[0], 1e3 * numbers[3], 1e3 * numbers[5]};
}

Result<Load> redis_load(const PackagedProgram& client, const RedisLoad& wanted) {
  auto trial = run_redis(client, wanted, 50L * wanted.connections);
  if (!trial)
    return trial;
  const double earlier = trial->sent;
  const auto requests = std::max(200L, std::lround(trial->rate * wanted.seconds));
  auto load = run_redis(client, wanted, requests);
  if (load)
    load->sent += earlier;
  return load;
}

Result<Load> parse_wrk(const std::string& text) {
  Load load;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first, second, third;
    words >> first >> second >> third;
    if (first == "50%")
      load.latency_50 = microseconds(second);
    if (first == "99%")
      load.latency_99 = microseconds(second);
    if (first == "Requests/sec:")
      load.rate = std::strtod(second.c_str(), nullptr);
    if (second == "requests" && third == "in")
      load.requests = load.sent = std::strtod(first.c_str(), nullptr);
    if (line.starts_with("  Non-2xx") || line.starts_with("  Socket errors"))
      return failed("wrk", line);
  }
  if (load.rate <= 0 || load.requests <= 0 || load.latency_50 <= 0 || load.latency_99 <= 0)
    return failed("wrk", text);
  return load;
}

Result<Load> wrk_load(const PackagedProgram& client, const WrkLoad& wanted) {
  ProcessOptions options;
  options.environment = environment_of(client);
  const auto seconds = std::max(1L, std::lround(wanted.seconds));
  auto output = run_command({"timeout", "60", client.file.string(), "-t", "1", "-c",
                             std::to_string(wanted.connections), "-d", fmt::format("{}s", seconds),
                             "--latency", fmt::format("http://{}:{}/", wanted.host, wanted.port)},
                            options);
  if (!output)
    return output.error();
  if (output->status != 0)
    return failed("wrk", output->text);
  return parse_wrk(output->text);
}

} // namespace ukl::bench
