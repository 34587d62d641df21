// SPDX-License-Identifier: GPL-2.0-only
// Operations on pipes and sockets, both ends in one process: what one byte costs there and back out again.
#define _GNU_SOURCE
#include "operations.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static void no_files(struct state* state) {
  memset(state->fd, 0xff, sizeof state->fd);
}

int make_pipe(struct state* state) {
  no_files(state);
  return pipe(state->fd);
}

int make_unix_pair(struct state* state) {
  no_files(state);
  return socketpair(AF_UNIX, SOCK_STREAM, 0, state->fd);
}

int make_tcp_pair(struct state* state) {
  no_files(state);
  const int one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  state->fd[2] = socket(AF_INET, SOCK_STREAM, 0);
  state->fd[1] = socket(AF_INET, SOCK_STREAM, 0);
  if (state->fd[2] < 0 || state->fd[1] < 0)
    return -1;
  if (bind(state->fd[2], (struct sockaddr*)&address, length) != 0 || listen(state->fd[2], 1) != 0)
    return -1;
  if (getsockname(state->fd[2], (struct sockaddr*)&address, &length) != 0)
    return -1;
  if (connect(state->fd[1], (struct sockaddr*)&address, length) != 0)
    return -1;
  state->fd[0] = accept(state->fd[2], NULL, NULL);
  if (state->fd[0] < 0)
    return -1;
  return setsockopt(state->fd[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

// fd[1] is the end that is written to, fd[0] the one that is read, as pipe(2) has them.
long write_read(struct state* state) {
  char byte = 'x';
  for (long i = 0; i < state->count; ++i)
    if (write(state->fd[1], &byte, 1) != 1 || read(state->fd[0], &byte, 1) != 1)
      return 0;
  return state->count;
}

long send_receive(struct state* state) {
  char byte = 'x';
  for (long i = 0; i < state->count; ++i)
    if (send(state->fd[1], &byte, 1, 0) != 1 || recv(state->fd[0], &byte, 1, 0) != 1)
      return 0;
  return state->count;
}

int make_epoll(struct state* state) {
  no_files(state);
  state->fd[0] = epoll_create1(0);
  state->fd[1] = eventfd(1, 0);
  struct epoll_event event = {.events = EPOLLIN};
  if (state->fd[0] < 0 || state->fd[1] < 0)
    return -1;
  return epoll_ctl(state->fd[0], EPOLL_CTL_ADD, state->fd[1], &event);
}

long poll_ready(struct state* state) {
  struct epoll_event event;
  for (long i = 0; i < state->count; ++i)
    if (epoll_wait(state->fd[0], &event, 1, 0) != 1)
      return 0;
  return state->count;
}
