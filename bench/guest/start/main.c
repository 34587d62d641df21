// SPDX-License-Identifier: GPL-2.0-only
// PID 1 of the machines of `bench/run applications` with Debian's kernel, in place of ukl's init: file systems, the
// modules that this kernel needs for its network card, the network, and then the server whose command line stands in
// /bench/command, one argument a line.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_ARGUMENTS = 64 };

static void complain(const char* what) {
  printf("start: %s: %s\n", what, strerror(errno));
}

static void mount_all(void) {
  static const char* const mounts[][2] = {
      {"devtmpfs", "/dev"}, {"proc", "/proc"}, {"sysfs", "/sys"}, {"tmpfs", "/tmp"}, {"tmpfs", "/run"}};
  for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; ++i) {
    mkdir(mounts[i][1], 0755);
    if (mount(mounts[i][0], mounts[i][1], mounts[i][0], 0, NULL) != 0 && errno != EBUSY)
      complain(mounts[i][1]);
  }
}

static void open_console(void) {
  const int console = open("/dev/console", O_RDWR);
  if (console < 0)
    return;
  for (int fd = 0; fd < 3; ++fd)
    dup2(console, fd);
  if (console > 2)
    close(console);
}

// /bench/modules/00.ko and on, in the order in which they depend on each other.
static void load_modules(void) {
  char path[64];
  for (int i = 0; i < 100; ++i) {
    snprintf(path, sizeof path, "/bench/modules/%02d.ko", i);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      return;
    if (syscall(SYS_finit_module, fd, "", 0) != 0)
      complain(path);
    close(fd);
  }
}

static int set_up(int fd, const char* interface, const char* address) {
  struct ifreq request = {0};
  struct sockaddr_in number = {.sin_family = AF_INET};
  strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  if (address) {
    inet_pton(AF_INET, address, &number.sin_addr);
    memcpy(&request.ifr_addr, &number, sizeof number);
    if (ioctl(fd, SIOCSIFADDR, &request) != 0)
      return -1;
    inet_pton(AF_INET, "255.255.255.0", &number.sin_addr);
    memcpy(&request.ifr_netmask, &number, sizeof number);
    if (ioctl(fd, SIOCSIFNETMASK, &request) != 0)
      return -1;
  }
  if (ioctl(fd, SIOCGIFFLAGS, &request) != 0)
    return -1;
  request.ifr_flags |= IFF_UP;
  return ioctl(fd, SIOCSIFFLAGS, &request);
}

// The network is QEMU's; the host is a neighbour in it, so no route is needed.
static void start_network(void) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (set_up(fd, "lo", NULL) != 0)
    complain("lo");
  if (set_up(fd, "eth0", "10.0.2.15") != 0)
    complain("eth0");
  close(fd);
}

static void run_server(void) {
  static char text[4096];
  char* arguments[MOST_ARGUMENTS + 1] = {0};
  FILE* file = fopen("/bench/command", "r");
  if (!file || fread(text, 1, sizeof text - 1, file) == 0) {
    complain("/bench/command");
    return;
  }
  fclose(file);
  int count = 0;
  text[strlen(text) - 1] = 0; // the last line's end
  for (char *rest = text, *line = strsep(&rest, "\n"); line && count < MOST_ARGUMENTS;
       line = strsep(&rest, "\n"))
    arguments[count++] = line; // may be empty
  const pid_t child = fork();
  if (child == 0) {
    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    execvp(arguments[0], arguments);
    complain(arguments[0]);
    _exit(127);
  }
  int status = 0;
  for (pid_t ended = 0; ended != child;) {
    ended = wait(&status);
    if (ended < 0 && errno != EINTR)
      return;
  }
  printf("start: the server ended with wait status %d\n", status);
}

int main(void) {
  mount_all();
  open_console();
  setvbuf(stdout, NULL, _IOLBF, 0);
  load_modules();
  start_network();
  const struct rlimit files = {65536, 65536};
  if (setrlimit(RLIMIT_NOFILE, &files) != 0)
    complain("RLIMIT_NOFILE");
  run_server();
  reboot(RB_AUTOBOOT);
  return 1;
}
