// SPDX-License-Identifier: GPL-2.0-only
// A server with threads: on port 7000 each connection gets one, and answers lines: `add A B`, `echo TEXT`,
// `count`, `quit` (ends the program with 0).
#include "check.hpp"

#include <arpa/inet.h>
#include <atomic>
#include <netinet/in.h>
#include <sstream>
#include <sys/socket.h>
#include <thread>

namespace {
std::atomic<long> answered;

bool send_line(int client, std::string line) {
  line += '\n';
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t put = send(client, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (put <= 0)
      return false;
    sent += static_cast<std::size_t>(put);
  }
  ++answered;
  return true;
}

void serve(int client) {
  std::string pending;
  char buffer[4096];
  for (ssize_t got; (got = read(client, buffer, sizeof buffer)) > 0;) {
    pending.append(buffer, static_cast<std::size_t>(got));
    for (std::size_t end; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1)) {
      std::istringstream line(pending.substr(0, end));
      std::string command;
      line >> command;
      if (command == "add") {
        long a = 0, b = 0;
        line >> a >> b;
        send_line(client, std::to_string(a + b));
      } else if (command == "echo") {
        send_line(client, pending.substr(5, end - 5));
      } else if (command == "count") {
        send_line(client, std::to_string(answered.load()));
      } else if (command == "quit") {
        send_line(client, "bye");
        shutdown(client, SHUT_RDWR);
        check::sleep_ms(100); // the goodbye is on its way
        printf("server ends after %ld answers\n", answered.load());
        fflush(stdout);
        _exit(0);
      }
    }
  }
  close(client);
}
} // namespace

int main() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(7000);
  REQUIRE_OK(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address));
  REQUIRE_OK(listen(listener, 64));
  puts("READY");
  fflush(stdout);
  while (true) {
    const int client = accept(listener, nullptr, nullptr);
    REQUIRE_OK(client);
    std::thread(serve, client).detach();
  }
}
