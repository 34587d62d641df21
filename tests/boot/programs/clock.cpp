// SPDX-License-Identifier: GPL-2.0-only
// A server of time: waits for so many seconds (the argument), then listens on port 7000; each connection gets
// a line with two clock readings in nanoseconds since 1970, now and when it began to listen. `set`: first
// puts its clock a day ahead.
#include "check.hpp"

#include <netinet/in.h>
#include <string_view>
#include <sys/socket.h>

namespace {

constexpr long long kSecond = 1'000'000'000;

long long clock_now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

} // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc > 1 ? argv[1] : "0";
  if (how == "set") {
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec += 86400;
    REQUIRE_OK(clock_settime(CLOCK_REALTIME, &time));
  } else {
    check::sleep_ms(1000 * atol(how.data()));
  }
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(7000);
  REQUIRE_OK(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address));
  REQUIRE_OK(listen(listener, 16));
  const long long listening = clock_now();
  puts("READY");
  fflush(stdout);
  while (true) {
    const int client = accept(listener, nullptr, nullptr);
    if (client >= 0)
      dprintf(client, "%lld %lld\n", clock_now(), listening);
    close(client);
  }
}
