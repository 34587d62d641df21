// SPDX-License-Identifier: GPL-2.0-only
#include "servers.hpp"
#include "memcached_load.hpp"
#include "other_loads.hpp"
#include "packaged_program.hpp"

#include <fmt/format.h>

namespace ukl::bench {
namespace {

namespace fs = std::filesystem;

Result<Server> make_memcached(const fs::path& start) {
  auto program = packaged_program("usr/bin/memcached", {"memcached", "libevent-2.1-7", "libsasl2-2"});
  if (!program)
    return program.error();
  Server server{"memcached", 11211, "version\r\n", {}, {{"memcached", program->versions["memcached"]}},
                {},          {}};
  server.program = guest_program(*program, {"memcached", "-u", "root", "-U", "11211"}, start);
  server.fill = [](const Address& address) { return memcached_fill(address.host, address.tcp); };
  const auto add = [&](bool udp, unsigned connections, unsigned pipeline) {
    auto name = fmt::format("memcached {} {}c", udp ? "UDP get" : "TCP", connections);
    if (pipeline > 1)
      name += fmt::format(" P{}", pipeline);
    server.workloads.push_back({name, [=](const Address& address, double seconds) {
                                  return memcached_load({address.host, udp ? address.udp : address.tcp, udp,
                                                         connections, pipeline, seconds});
                                }});
  };
  for (const unsigned pipeline : {1, 16})
    for (const unsigned connections : {1, 16, 64})
      add(false, connections, pipeline);
  add(true, 1, 1);
  add(true, 16, 1);
  return server;
}

Result<Server> make_redis(const fs::path& start) {
  // Debian's redis-server is a link to redis-check-rdb, one program that looks at the name it is started by.
  auto program =
      packaged_program("usr/bin/redis-check-rdb",
                       {"redis-tools", "libatomic1", "libhiredis0.14", "libjemalloc2", "liblua5.1-0",
                        "liblzf1", "libssl3", "libsystemd0", "lua-bitop", "lua-cjson"});
  if (!program)
    return program.error();
  Server server{"redis", 6379, "PING\r\n", {}, {{"redis", program->versions["redis-tools"]}}, {}, {}};
  server.program = guest_program(*program,
                                 {"redis-server", "--save", "", "--appendonly", "no", "--protected-mode",
                                  "no", "--bind", "0.0.0.0", "--loglevel", "warning"},
                                 start);
  auto client = *program;
  client.file = program->file.parent_path() / "redis-benchmark";
  const auto add = [&](const char* command, unsigned connections, unsigned pipeline) {
    server.workloads.push_back(
        {fmt::format("redis {} {}c P{}", command, connections, pipeline),
         [=](const Address& address, double seconds) {
           return redis_load(client, {address.host, address.tcp, command, connections, pipeline, seconds});
         },
         0.3});
  };
  for (const unsigned pipeline : {1, 16}) {
    add("get", 1, pipeline);
    add("get", 50, pipeline);
    add("set", 50, pipeline);
  }
  return server;
}

constexpr const char* kNginxConfiguration = "daemon off;\n"
                                            "user root;\n"
                                            "worker_processes 1;\n"
                                            "error_log stderr;\n"
                                            "pid /run/nginx.pid;\n"
                                            "events { worker_connections 1024; }\n"
                                            "http {\n"
                                            "  access_log off;\n"
                                            "  default_type text/html;\n"
                                            "  keepalive_requests 1000000;\n"
                                            "  server { listen 80; root /srv; }\n"
                                            "}\n";

Result<Server> make_nginx(const fs::path& start) {
  auto program =
      packaged_program("usr/sbin/nginx", {"nginx", "libpcre2-8-0", "libssl3", "zlib1g", "libcrypt1"});
  if (!program)
    return program.error();
  auto client = packaged_program("usr/bin/wrk", {"wrk", "libluajit-5.1-2", "libssl3"});
  if (!client)
    return client.error();
  Server server{"nginx",
                80,
                "GET / HTTP/1.0\r\n\r\n",
                {},
                {{"nginx", program->versions["nginx"]}, {"wrk", client->versions["wrk"]}},
                {},
                {}};
  server.program = guest_program(*program, {"nginx", "-c", "/etc/nginx/nginx.conf"}, start);
  // The page has 612 bytes, as nginx's own welcome page had when such figures became usual.
  const std::string begin = "<!DOCTYPE html>\n<title>A page</title>\n<p>", end = "</p>\n";
  const auto page = begin + std::string(612 - begin.size() - end.size(), 'x') + end;
  server.program.texts = {{"/etc/nginx/nginx.conf", kNginxConfiguration}, {"/srv/index.html", page}};
  server.program.folders = {"/var/lib/nginx", "/var/log/nginx"};
  for (const unsigned connections : {1, 16, 64})
    server.workloads.push_back({fmt::format("nginx 612 B {}c", connections),
                                [=, wrk = *client](const Address& address, double seconds) {
                                  return wrk_load(wrk, {address.host, address.tcp, connections, seconds});
                                },
                                1}); // wrk counts in whole seconds
  return server;
}

} // namespace

std::vector<std::string> known_servers() {
  return {"memcached", "redis", "nginx"};
}

Result<Server> make_server(const std::string& name, const fs::path& start) {
  if (name == "memcached")
    return make_memcached(start);
  if (name == "redis")
    return make_redis(start);
  if (name == "nginx")
    return make_nginx(start);
  return Error{Failure::usage, fmt::format("there is no server {} to be measured", name),
               "memcached, redis or nginx"};
}

} // namespace ukl::bench
