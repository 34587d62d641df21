// SPDX-License-Identifier: GPL-2.0-only
// Prints what a program is given: arguments, environment, folder, user, host name; byte by byte where it
// matters. With STATUS in the environment it exits with that.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

int main(int argc, char** argv) {
  for (int i = 0; i < argc; ++i)
    printf("argument %d: [%s] %zu bytes\n", i, argv[i], strlen(argv[i]));
  for (char** variable = environ; *variable; ++variable)
    printf("environment: [%s]\n", *variable);
  char folder[4096];
  if (getcwd(folder, sizeof folder))
    printf("folder: %s\n", folder);
  utsname name;
  if (uname(&name) == 0)
    printf("host: %s\n", name.nodename);
  rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  printf("user %u group %u, pid %s 1, open files %lu\n", getuid(), getgid(), getpid() == 1 ? "is" : "is not",
         static_cast<unsigned long>(files.rlim_cur));
  for (int fd = 3; fd < 256; ++fd)
    if (fcntl(fd, F_GETFD) >= 0)
      printf("inherited descriptor %d\n", fd);
  fflush(stdout);
  const char* status = getenv("STATUS");
  return status ? atoi(status) : 0;
}
