// SPDX-License-Identifier: GPL-2.0-only
// The servers that are measured, and the loads that are put on them.
#pragma once

#include "guest_program.hpp"
#include "load.hpp"

#include <functional>
#include <map>

namespace ukl::bench {

/// Where a server can be reached.
struct Address {
  std::string host; ///< IPv4
  int tcp = 0, udp = 0;
};

struct Workload {
  std::string name; ///< the row in tables
  std::function<Result<Load>(const Address& address, double seconds)> run;
  double turn = 0.15; ///< seconds: the shortest run that says something
};

struct Server {
  std::string name;
  int port = 0;         ///< in the guest
  std::string question; ///< to which it sends some answer over TCP
  GuestProgram program;
  std::map<std::string, std::string> versions;      ///< of the packages that the figures depend on
  std::function<Result<void>(const Address&)> fill; ///< once per boot, before the loads; may be empty
  std::vector<Workload> workloads;
};

/// The names that make_server knows: memcached, redis, nginx.
std::vector<std::string> known_servers();

/// Gets a server and its load generator from Debian's archive. `start` is the first program of its machine
/// (bench/guest/start). Errors: those of debian_package and find_libraries.
Result<Server> make_server(const std::string& name, const std::filesystem::path& start);

} // namespace ukl::bench
