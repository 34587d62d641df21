// SPDX-License-Identifier: GPL-2.0-only
// Looks for files in several ways; prints what it finds.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int show(int folder, const char* path) {
  char text[64];
  const int fd = openat(folder, path, O_RDONLY);
  if (fd < 0)
    return 0;
  const ssize_t length = read(fd, text, sizeof text);
  close(fd);
  printf("%s: %d bytes\n", path, (int)(length > 0));
  fflush(stdout);
  return 1;
}

int main(void) {
  struct stat about;
  const int found = show(AT_FDCWD, "/etc/debian_version");
  const int folder = open("/etc", O_RDONLY | O_DIRECTORY);
  // A relative path, in another process, and only when the first was there.
  if (found && fork() == 0)
    return show(folder, "issue") ? 0 : 1;
  wait(NULL);
  stat("/usr", &about);
  stat("/no/such/file", &about);
  mkdir("/var/lib/nobody/here", 0755);
  open("/var/lib/nobody/else", O_CREAT | O_WRONLY, 0644);
  return 0;
}
