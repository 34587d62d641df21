// SPDX-License-Identifier: GPL-2.0-only
// Makes a system call that small kernels lack; ends with the number of its error.
#include <errno.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/shm.h>

int main(void) {
  const int segment = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
  const int error = segment < 0 ? errno : 0;
  if (segment >= 0)
    shmctl(segment, IPC_RMID, NULL);
  printf("shmget: %d\n", error);
  return error;
}
