// SPDX-License-Identifier: GPL-2.0-only
// Pi as the integral of 4/(1+x²) from 0 to 1: each thread adds up its part of the strips.
#include <cstdio>
#include <omp.h>

int main() {
  constexpr long kStrips = 20'000'000;
  double sum = 0;
  int threads = 0;
#pragma omp parallel reduction(+ : sum)
  {
#pragma omp single
    threads = omp_get_num_threads();
#pragma omp for
    for (long strip = 0; strip < kStrips; ++strip) {
      const double x = (static_cast<double>(strip) + 0.5) / kStrips;
      sum += 4 / (1 + x * x);
    }
  }
  std::printf("%d threads: %.9f\n", threads, sum / kStrips);
}
