// SPDX-License-Identifier: GPL-2.0-only
// A server on port 7000 that answers each connection with what must be new in every run of a kept machine: random
// numbers, the time, the host's name, a secret; and with what it has counted.
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void answer(int client, int count) {
  unsigned long long number = 0;
  char host[65] = "", secret[65] = "none", text[512];
  FILE* file = fopen("/run/secrets/word", "r");
  if (file) {
    if (!fgets(secret, sizeof secret, file))
      strcpy(secret, "empty");
    fclose(file);
  }
  gethostname(host, sizeof host - 1);
  if (getrandom(&number, sizeof number, 0) != sizeof number)
    exit(2);
  const int length = snprintf(text, sizeof text, "count %d random %016llx time %lld host %s secret %s\n", count, number,
                              (long long)time(NULL), host, secret);
  if (write(client, text, (size_t)length) != length)
    exit(3);
}

int main(void) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(7000)};
  puts("begins");
  fflush(stdout);
  if (bind(listener, (const struct sockaddr*)&address, sizeof address) != 0 || listen(listener, 16) != 0)
    return 1;
  for (int count = 1;; ++count) {
    char request[16];
    const int client = accept(listener, NULL, NULL);
    const ssize_t got = read(client, request, sizeof request);
    answer(client, count);
    printf("answered %d\n", count);
    fflush(stdout);
    close(client);
    if (got > 0 && request[0] == 'q')
      return 7;
  }
}
