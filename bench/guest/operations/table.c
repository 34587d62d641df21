// SPDX-License-Identifier: GPL-2.0-only
// The operations by name. Batches are sized to stay below a million instructions where that can be, so that
// most of them end before the next timer tick (4 million at 250 Hz, one instruction a nanosecond).
#include "operations.h"

const struct operation operations[] = {
    {"self-check", 1000, NULL, NULL, self_check, NULL, NULL},
    {"empty-loop", 1000, NULL, NULL, empty_loop, NULL, NULL},
    {"getppid", 1000, NULL, NULL, call_getppid, NULL, NULL},
    {"clock-vdso", 1000, NULL, NULL, clock_by_vdso, NULL, NULL},
    {"clock-syscall", 1000, NULL, NULL, clock_by_call, NULL, NULL},
    {"read-1", 1000, open_zero, NULL, read_1, NULL, close_all},
    {"read-8k", 500, open_zero, NULL, read_8k, NULL, close_all},
    {"write-1", 1000, open_zero, NULL, write_1, NULL, close_all},
    {"write-8k", 1000, open_zero, NULL, write_8k, NULL, close_all},
    {"pipe", 200, make_pipe, NULL, write_read, NULL, close_all},
    {"unix", 100, make_unix_pair, NULL, write_read, NULL, close_all},
    {"tcp", 50, make_tcp_pair, NULL, send_receive, NULL, close_all},
    {"epoll-wait", 500, make_epoll, NULL, poll_ready, NULL, close_all},
    {"futex-wake", 1000, NULL, NULL, wake_nobody, NULL, NULL},
    {"futex-ping-pong", 50, start_partner, NULL, futex_round_trip, NULL, stop_partner},
    {"mmap-touch-munmap", 100, NULL, NULL, map_touch_unmap, NULL, NULL},
    {"page-fault", 200, NULL, map_fresh, touch_fresh, unmap_fresh, NULL},
    {"fork-exit-wait", 5, NULL, NULL, fork_wait, NULL, NULL},
    {"fork-exec-wait", 3, NULL, NULL, fork_exec_wait, NULL, NULL},
    {"thread-create-join", 10, NULL, NULL, create_join, NULL, NULL},
    {"switch-yield", 200, start_yielder, NULL, yield_together, NULL, stop_yielder},
    {"switch-pipe", 50, start_echo, NULL, pipe_round_trip, NULL, stop_echo},
    {"signal", 100, install_handler, NULL, signal_self, NULL, NULL},
    {NULL, 0, NULL, NULL, NULL, NULL, NULL},
};
