// SPDX-License-Identifier: GPL-2.0-only
// Counts the primes below a limit: each rank takes every n-th number, and the first adds up what they found.
#include <cstdio>
#include <mpi.h>

static bool is_prime(long number) {
  for (long divisor = 2; divisor * divisor <= number; ++divisor)
    if (number % divisor == 0)
      return false;
  return number > 1;
}

int main(int count, char** arguments) {
  MPI_Init(&count, &arguments);
  int rank = 0, ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  constexpr long kLimit = 200'000;
  long mine = 0, all = 0;
  for (long number = rank; number < kLimit; number += ranks)
    mine += is_prime(number) ? 1 : 0;
  MPI_Reduce(&mine, &all, 1, MPI_LONG, MPI_SUM, 0, MPI_COMM_WORLD);
  if (rank == 0)
    std::printf("%d ranks: %ld primes below %ld\n", ranks, all, kLimit);
  MPI_Finalize();
}
