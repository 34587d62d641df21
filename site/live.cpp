// SPDX-License-Identifier: GPL-2.0-only
// The first program of the site's image. It starts itself once more to answer /live.json, by FastCGI, and
// then becomes the web server that its arguments name, so that signals and the exit status are the web
// server's. HTTP is left to nginx, FastCGI to its library; ours is only what the answer says, and all of that
// is asked for when the question comes.
#include "ukl/gate.h"
#include "ukl/manifest.hpp"

#include <algorithm>
#include <cerrno>
#include <cpuid.h>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <exception>
#include <fcgiapp.h>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace {

// nginx.conf has the same name.
constexpr const char* kSocket = "/run/live.sock";
// nobody; the socket is made before.
constexpr unsigned kUser = 65534;

std::string file_text(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What stands behind `name:` in files like /proc/meminfo, up to the line's end; empty if it is not there.
std::string field(const std::string& text, const std::string& name) {
  auto at = text.starts_with(name) ? 0 : text.find("\n" + name);
  if (at == std::string::npos)
    return {};
  at = text.find(':', at);
  const auto begin = text.find_first_not_of(" \t", at + 1);
  return text.substr(begin, text.find('\n', begin) - begin);
}

// Of a clock, in seconds.
double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// 0 in ring 0, 3 where Linux usually has its programs: the processor says it itself.
int ring() {
  unsigned selector = 0;
  asm("mov %%cs, %0" : "=r"(selector));
  return static_cast<int>(selector & 3);
}

// What the hypervisor calls itself, as "TCGTCGTCGTCG" or "KVMKVMKVM"; empty on a machine without one.
std::string hypervisor() {
  unsigned a = 0;
  unsigned name[3] = {};
  __cpuid(1, a, name[0], name[1], name[2]);
  if ((name[1] >> 31) == 0)
    return {};
  __cpuid(0x40000000, a, name[0], name[1], name[2]);
  std::string text(reinterpret_cast<const char*>(name), sizeof name);
  return text.substr(0, text.find('\0'));
}

// Nanoseconds of one getppid(), the cheapest call that really enters the kernel: the quickest of some turns,
// since whatever else runs only makes it slower.
double call_nanoseconds() {
  constexpr int kTurns = 20;
  constexpr int kCalls = 500;
  double best = 1;
  for (int turn = 0; turn < kTurns; ++turn) {
    const double begin = seconds(CLOCK_MONOTONIC);
    for (int call = 0; call < kCalls; ++call)
      getppid();
    best = std::min(best, (seconds(CLOCK_MONOTONIC) - begin) / kCalls);
  }
  return best * 1e9;
}

// The first bytes of the C library's getppid: number into EAX, then a `syscall` (0f 05), or the jump that
// became of it.
std::string call_code() {
  unsigned char bytes[10];
  auto* const function = &getppid;
  std::memcpy(bytes, reinterpret_cast<const void*>(function), sizeof bytes);
  std::string text;
  for (const auto byte : bytes)
    text += fmt::format("{}{:02x}", text.empty() ? "" : " ", byte);
  return text;
}

nlohmann::json answer(const ukl::Manifest& manifest, double begin) {
  utsname system{};
  uname(&system);
  struct sysinfo now {};
  sysinfo(&now);
  const auto memory = [](const std::string& kibibytes) {
    return kibibytes.empty() ? nlohmann::json() : nlohmann::json(std::stoull(kibibytes) * 1024);
  };
  const std::string meminfo = file_text("/proc/meminfo");
  const auto calls = ukl::values_of(manifest, ukl::key::syscall);
  const auto masked =
      std::count_if(calls.begin(), calls.end(), [](const auto& call) { return call.ends_with(":masked"); });
  return {
      {"kernel", system.release},
      {"profile", ukl::value_of(manifest, ukl::key::profile)},
      {"kernel_hash", ukl::value_of(manifest, ukl::key::kernel)},
      {"ring", ring()},
      {"hypervisor", hypervisor()},
      {"processor", field(file_text("/proc/cpuinfo"), "model name")},
      {"cpus", get_nprocs()},
      {"memory", memory(field(meminfo, "MemTotal"))},
      {"memory_free", memory(field(meminfo, "MemAvailable"))},
      {"uptime", seconds(CLOCK_BOOTTIME)},
      {"first_line", begin},
      {"processes", now.procs},
      {"load", static_cast<double>(now.loads[0]) / (1 << SI_LOAD_SHIFT)},
      {"calls_masked", masked},
      {"call_nanoseconds", call_nanoseconds()},
      {"call_code", call_code()},
  };
}

// Answers questions until the machine ends.
int serve(int socket, const ukl::Manifest& manifest, double begin) {
  FCGX_Request request;
  FCGX_InitRequest(&request, socket, 0);
  while (FCGX_Accept_r(&request) == 0) {
    const std::string text = answer(manifest, begin).dump();
    FCGX_FPrintF(request.out, "Content-Type: application/json\r\nCache-Control: no-store\r\n\r\n%s\n",
                 text.c_str());
    FCGX_Finish_r(&request);
  }
  return 1;
}

int run(int count, char** arguments) {
  if (count < 2) {
    fmt::print(stderr, "usage: live PROGRAM [ARGUMENTS…]   answers FastCGI at {} and becomes PROGRAM\n",
               kSocket);
    return 2;
  }
  const double begin = seconds(CLOCK_BOOTTIME);
  fmt::print("ukl's site: {} seconds after the kernel began\n", begin);
  std::fflush(stdout);
  const ukl::Manifest manifest = ukl::decode_manifest(file_text(ukl::kManifestPath));
  FCGX_Init();
  // Any user may connect: the web server's processes are not root's.
  const auto mask = umask(0);
  const int socket = FCGX_OpenSocket(kSocket, 16);
  umask(mask);
  if (socket < 0) {
    fmt::print(stderr, "live: no socket at {}\n", kSocket);
    return 1;
  }
  if (fork() == 0) {
    if (setgid(kUser) != 0 || setuid(kUser) != 0)
      return 1;
    // It goes when the web server goes, else the machine would run on. A change of the user would undo this.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return serve(socket, manifest, begin);
  }
  close(socket);
  execv(arguments[1], arguments + 1);
  fmt::print(stderr, "live: {}: {}\n", arguments[1], std::strerror(errno));
  return 1;
}

} // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "live: %s\n", error.what());
    return 1;
  }
}
