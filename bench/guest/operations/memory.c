// SPDX-License-Identifier: GPL-2.0-only
// Operations on pages of 4 KiB.
#define _GNU_SOURCE
#include "operations.h"

#include <sys/mman.h>

enum { PAGE = 4096 };

long map_touch_unmap(struct state* state) {
  for (long i = 0; i < state->count; ++i) {
    char* page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
      return 0;
    *(volatile char*)page = 1;
    if (munmap(page, PAGE) != 0)
      return 0;
  }
  return state->count;
}

// Kernels differ in whether they give huge pages unasked; here they all give small ones.
int map_fresh(struct state* state) {
  state->size = (size_t)state->count * PAGE;
  state->memory = mmap(NULL, state->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (state->memory == MAP_FAILED)
    return -1;
  madvise(state->memory, state->size, MADV_NOHUGEPAGE);
  return 0;
}

long touch_fresh(struct state* state) {
  for (long i = 0; i < state->count; ++i)
    *(volatile char*)(state->memory + i * PAGE) = 1;
  return state->count;
}

void unmap_fresh(struct state* state) {
  munmap(state->memory, state->size);
}
