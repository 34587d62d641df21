// SPDX-License-Identifier: GPL-2.0-only
// Load generators of others: redis-benchmark and wrk, with what they print read.
#pragma once

#include "load.hpp"
#include "packaged_program.hpp"

namespace ukl::bench {

struct RedisLoad {
  std::string host;
  int port = 0;
  std::string command; ///< get or set
  unsigned connections = 1, pipeline = 1;
  double seconds = 3; ///< about: redis-benchmark takes a number of requests, which a short run finds out
};

/// redis-benchmark with values of 3 bytes (its default) under 1000 keys. Errors: missing_tool, machine.
Result<Load> redis_load(const PackagedProgram& client, const RedisLoad& wanted);

struct WrkLoad {
  std::string host;
  int port = 0;
  unsigned connections = 1;
  double seconds = 3; ///< rounded to whole seconds, at least 1
};

/// wrk with one thread. Errors: missing_tool, machine (also: an answer other than 2xx or 3xx).
Result<Load> wrk_load(const PackagedProgram& client, const WrkLoad& wanted);

/// The last line of `redis-benchmark --csv`: name, requests/s and latencies in ms. Error: machine.
Result<Load> parse_redis(const std::string& text);
/// What `wrk --latency` prints. Error: machine.
Result<Load> parse_wrk(const std::string& text);

} // namespace ukl::bench
