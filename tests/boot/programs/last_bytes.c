// SPDX-License-Identifier: GPL-2.0-only
// A server that writes much to each of as many clients as its argument says, closes, and ends at once.
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char** arguments) {
  static char block[5000000];
  memset(block, 'x', sizeof block);
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(7000)};
  if (bind(listener, (struct sockaddr*)&address, sizeof address) != 0 || listen(listener, 16) != 0)
    return 1;
  puts("READY");
  fflush(stdout);
  int clients[16];
  const int wanted = count > 1 ? atoi(arguments[1]) : 1;
  for (int i = 0; i < wanted; ++i)
    clients[i] = accept(listener, NULL, NULL);
  for (int i = 0; i < wanted; ++i) {
    for (size_t done = 0; done < sizeof block;) {
      const ssize_t put = write(clients[i], block + done, sizeof block - done);
      if (put < 0)
        return 2;
      done += (size_t)put;
    }
    close(clients[i]);
  }
  return 0;
}
