// SPDX-License-Identifier: GPL-2.0-only
// Says what the program finds: `limits`, `zone`, `locale`, `multicast`, `processors`, each an argument.
#include "check.hpp"

#include <arpa/inet.h>
#include <clocale>
#include <fstream>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>

namespace {

void limits() {
  rlimit files{};
  REQUIRE_OK(getrlimit(RLIMIT_NOFILE, &files));
  printf("nofile %lu %lu\n", files.rlim_cur, files.rlim_max);
}

void zone() {
  const time_t moment = 1753000000; // in July 2025
  tm local{};
  char text[64];
  localtime_r(&moment, &local);
  strftime(text, sizeof text, "%H:%M %Z", &local);
  printf("%ld is %s\n", static_cast<long>(moment), text);
}

void locale() {
  const char* name = setlocale(LC_ALL, "C.UTF-8");
  printf("locale %s\n", name ? name : "is not there");
}

// /proc/net/igmp: a line for each interface, and below it a line for each of its groups, in hexadecimal and
// in the order of the host's bytes.
void multicast() {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  ip_mreq request{};
  inet_pton(AF_INET, "239.1.2.3", &request.imr_multiaddr);
  REQUIRE_OK(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request));
  std::ifstream groups("/proc/net/igmp");
  REQUIRE(groups.is_open());
  std::string device;
  for (std::string line; std::getline(groups, line);) {
    if (line[0] >= '0' && line[0] <= '9')
      device = line.substr(2, line.find(' ') - 2);
    if (line.find("030201EF") != std::string::npos)
      printf("joined 239.1.2.3 on %s\n", device.c_str());
  }
  close(fd);
}

} // namespace

int main(int argc, char** argv) {
  for (int argument = 1; argument < argc; ++argument) {
    const std::string_view what = argv[argument];
    if (what == "limits")
      limits();
    else if (what == "zone")
      zone();
    else if (what == "locale")
      locale();
    else if (what == "multicast")
      multicast();
    else if (what == "processors")
      printf("%ld processors\n", sysconf(_SC_NPROCESSORS_ONLN));
    else
      return 2;
  }
}
