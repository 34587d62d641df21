// SPDX-License-Identifier: GPL-2.0-only
// The smallest server that is one: answers each connection to port 8000 with a page. One thread.
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
  static const char page[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n";
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8000)};
  if (bind(listener, (const struct sockaddr*)&address, sizeof address) != 0 || listen(listener, 16) != 0) {
    perror("web: port 8000");
    return 1;
  }
  puts("hello");
  fflush(stdout);
  for (;;) {
    char request[4096];
    const int client = accept(listener, NULL, NULL);
    if (client < 0)
      continue;
    if (read(client, request, sizeof request) > 0 && write(client, page, sizeof page - 1) < 0)
      perror("web: answer");
    close(client);
  }
}
