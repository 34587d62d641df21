// SPDX-License-Identifier: GPL-2.0-only
// A load generator for memcached's text protocol (memcached, doc/protocol.txt), one thread with an epoll
// loop.
#pragma once

#include "load.hpp"

namespace ukl::bench {

struct MemcachedLoad {
  std::string host; ///< IPv4
  int port = 0;
  bool udp = false;         ///< one request per datagram; only gets
  unsigned connections = 1; ///< TCP connections, or UDP sockets
  unsigned pipeline = 1; ///< requests that a connection sends together, before it waits for all their answers
  double seconds = 3;    ///< measured, after a tenth of that to warm up
};

/// Stores the 1000 values of 100 bytes that the gets ask for, over TCP. Error: machine, as memcached_load.
Result<void> memcached_fill(const std::string& host, int port);

/// A closed loop: gets of these values, every tenth request over TCP a set. Errors: machine (no connection,
/// the server closes one, or an answer that is none: also a get that finds nothing), interrupted.
Result<Load> memcached_load(const MemcachedLoad& wanted);

/// Takes complete answers off the front of `received`. A get's answer is `VALUE key flags bytes`, the value,
/// `END`; a set's is `STORED`. Returns how many there were; error: machine, if something else stands there.
Result<unsigned> take_answers(std::string& received);

} // namespace ukl::bench
