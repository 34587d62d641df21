// SPDX-License-Identifier: GPL-2.0-only
// /proc and /sys as programs read them: what they say must agree with what the program knows of itself.
#include "check.hpp"

#include <cstdint>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <map>
#include <sched.h>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <thread>
#include <vector>

namespace {

int global_data = 3;

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  if (!file)
    check::fail(__FILE__, __LINE__, "cannot open %s", path.c_str());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The protection of the mapping that holds `address`, and its name.
std::pair<std::string, std::string> mapping_of(const void* address) {
  std::istringstream maps(read_all("/proc/self/maps"));
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t start = 0, end = 0;
    char protection[8] = {}, name[512] = {};
    if (sscanf(line.c_str(), "%lx-%lx %7s %*s %*s %*s %511s", &start, &end, protection, name) < 3)
      continue;
    REQUIRE(start < end && end <= 0x7ffffffff000);
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    if (wanted >= start && wanted < end)
      return {protection, name};
  }
  return {};
}

void maps() {
  char self[512] = {};
  REQUIRE(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
  int local = 0;
  auto* heap = static_cast<char*>(malloc(64));
  const auto code = mapping_of(reinterpret_cast<void*>(&mapping_of));
  REQUIRE(code.first == "r-xp" && code.second == self);
  const auto data = mapping_of(&global_data);
  REQUIRE(data.first == "rw-p" && data.second == self);
  REQUIRE(mapping_of(&local).first == "rw-p" && mapping_of(&local).second == "[stack]");
  REQUIRE(mapping_of(heap).second == "[heap]");
  REQUIRE(mapping_of("a constant").first == "r--p");
  free(heap);
  REQUIRE(read_all("/proc/self/maps").find("[vdso]") != std::string::npos);
  REQUIRE(read_all("/proc/self/smaps").find("Rss:") != std::string::npos);
}

void status_and_stat() {
  std::map<std::string, std::string> status;
  std::istringstream lines(read_all("/proc/self/status"));
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    status[line.substr(0, colon)] = line.substr(colon + 2);
  }
  REQUIRE_EQ(std::stol(status["Pid"]), getpid());
  REQUIRE_EQ(std::stol(status["PPid"]), getppid());
  REQUIRE_EQ(std::stol(status["Uid"]), getuid());
  REQUIRE_EQ(std::stol(status["Threads"]), 1);
  REQUIRE(std::stol(status["VmRSS"]) > 100);
  REQUIRE(status["State"].starts_with("R"));
  REQUIRE(status.contains("SigCgt") && status.contains("voluntary_ctxt_switches"));

  const std::string stat = read_all("/proc/self/stat");
  const auto close = stat.rfind(')');
  REQUIRE(close != std::string::npos);
  REQUIRE_EQ(std::stol(stat), getpid());
  std::istringstream fields(stat.substr(close + 2));
  std::string field;
  std::vector<std::string> values;
  while (fields >> field)
    values.push_back(field);
  REQUIRE(values.size() >= 44);
  REQUIRE(values[0] == "R");
  REQUIRE_EQ(std::stol(values[1]), getppid());
  REQUIRE_EQ(std::stol(values[17]), 1); // threads

  std::thread([] {
    int count = 0;
    DIR* folder = opendir("/proc/self/task");
    REQUIRE(folder);
    for (const dirent* entry; (entry = readdir(folder));)
      count += entry->d_name[0] != '.';
    closedir(folder);
    REQUIRE_EQ(count, 2);
    REQUIRE_EQ(std::stol(read_all("/proc/thread-self/stat")), syscall(SYS_gettid));
  }).join();

  const pid_t sleeper = fork();
  if (sleeper == 0) {
    pause();
    _exit(0);
  }
  const std::string folder = "/proc/" + std::to_string(sleeper);
  for (int tries = 0; read_all(folder + "/stat").find(") S") == std::string::npos; ++tries) {
    REQUIRE(tries < 10000);
    sched_yield();
  }
  REQUIRE(read_all(folder + "/cmdline") == read_all("/proc/self/cmdline"));
  kill(sleeper, SIGKILL);
  waitpid(sleeper, nullptr, 0);
  REQUIRE_ERRNO(access(folder.c_str(), F_OK), ENOENT);
}

void machine() {
  const std::string info = read_all("/proc/cpuinfo");
  long processors = 0;
  for (auto at = info.find("processor\t"); at != std::string::npos; at = info.find("processor\t", at + 1))
    ++processors;
  REQUIRE_EQ(processors, sysconf(_SC_NPROCESSORS_ONLN));
  REQUIRE(info.find("flags\t") != std::string::npos && info.find(" fxsr ") != std::string::npos);
  long total = 0;
  REQUIRE_EQ(sscanf(read_all("/proc/meminfo").c_str(), "MemTotal: %ld kB", &total), 1);
  struct sysinfo memory {};
  REQUIRE_OK(sysinfo(&memory));
  REQUIRE_EQ(total, memory.totalram * memory.mem_unit / 1024);
  double up = 0, idle = 0;
  REQUIRE_EQ(sscanf(read_all("/proc/uptime").c_str(), "%lf %lf", &up, &idle), 2);
  REQUIRE(up > 0);
  REQUIRE(read_all("/proc/stat").starts_with("cpu "));
  REQUIRE(read_all("/proc/version").starts_with("Linux version "));
  utsname name{};
  REQUIRE_OK(uname(&name));
  REQUIRE(strcmp(name.sysname, "Linux") == 0 && strcmp(name.machine, "x86_64") == 0);
  REQUIRE(read_all("/proc/sys/kernel/osrelease") == std::string(name.release) + "\n");
  REQUIRE(read_all("/proc/mounts").find(" /proc proc ") != std::string::npos);
  REQUIRE(read_all("/proc/filesystems").find("tmpfs") != std::string::npos);
  REQUIRE(read_all("/proc/self/limits").find("Max open files") != std::string::npos);
  REQUIRE(read_all("/proc/sys/kernel/random/boot_id").size() == 37);
  REQUIRE(read_all("/sys/devices/system/cpu/online").starts_with("0"));
}

void descriptors_and_memory() {
  const int fd = open("/proc/self/exe", O_RDONLY);
  char target[512] = {}, self[512] = {};
  REQUIRE(readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target, sizeof target - 1) > 0);
  REQUIRE(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
  REQUIRE(strcmp(target, self) == 0);
  REQUIRE(read_all("/proc/self/fdinfo/" + std::to_string(fd)).starts_with("pos:\t0\n"));
  close(fd);
  // /proc/self/mem reads and writes the program's own memory, also where it may not write itself.
  static const char constant[] = "constant";
  const int memory = open("/proc/self/mem", O_RDWR);
  REQUIRE_OK(memory);
  char copy[sizeof constant] = {};
  REQUIRE_EQ(pread(memory, copy, sizeof copy, reinterpret_cast<off_t>(constant)), sizeof copy);
  REQUIRE(strcmp(copy, constant) == 0);
  const int changed = 4;
  REQUIRE_EQ(pwrite(memory, &changed, sizeof changed, reinterpret_cast<off_t>(&global_data)), sizeof changed);
  REQUIRE_EQ(*const_cast<volatile int*>(&global_data), 4);
  REQUIRE_ERRNO(pread(memory, copy, 1, 64), EIO);
  close(memory);
  // Page tables as the kernel sees them.
  const int pagemap = open("/proc/self/pagemap", O_RDONLY);
  std::uint64_t entry = 0;
  REQUIRE_EQ(pread(pagemap, &entry, 8,
                   static_cast<off_t>(reinterpret_cast<std::uintptr_t>(&global_data) / 4096 * 8)),
             8);
  REQUIRE(entry >> 63 & 1);
  close(pagemap);
  const std::string environment = read_all("/proc/self/environ");
  const char* path = getenv("PATH");
  if (path)
    REQUIRE(environment.find(std::string("PATH=") + path) != std::string::npos);
}

} // namespace

int main() {
  maps();
  status_and_stat();
  machine();
  descriptors_and_memory();
}
