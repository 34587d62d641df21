// SPDX-License-Identifier: GPL-2.0-only
// OpenMP: parallel loops, reductions, tasks, critical sections and thread-private data.
#include "check.hpp"

#include <omp.h>
#include <vector>

namespace {
int own = 0;
#pragma omp threadprivate(own)

long fibonacci(int n) {
  if (n < 2)
    return n;
  long left = 0, right = 0;
#pragma omp task shared(left) if (n > 12)
  left = fibonacci(n - 1);
  right = fibonacci(n - 2);
#pragma omp taskwait
  return left + right;
}
} // namespace

int main() {
  omp_set_dynamic(0);
  omp_set_num_threads(4);
  int seen = 0;
#pragma omp parallel
  {
#pragma omp atomic
    ++seen;
    own = omp_get_thread_num() + 1;
  }
  REQUIRE_EQ(seen, 4);
  int wrong = 0;
#pragma omp parallel reduction(+ : wrong)
  wrong += own != omp_get_thread_num() + 1;
  REQUIRE_EQ(wrong, 0);

  std::vector<long> squares(20000);
  long total = 0;
#pragma omp parallel for schedule(dynamic, 64) reduction(+ : total)
  for (long i = 0; i < 20000; ++i) {
    squares[static_cast<std::size_t>(i)] = i * i;
    total += i * i;
  }
  REQUIRE_EQ(total, 19999L * 20000 * 39999 / 6);
  long again = 0;
  for (const long square : squares)
    again += square;
  REQUIRE_EQ(again, total);

  long guarded = 0;
#pragma omp parallel for
  for (int i = 0; i < 4000; ++i) {
#pragma omp critical
    ++guarded;
  }
  REQUIRE_EQ(guarded, 4000);

  long number = 0;
#pragma omp parallel
#pragma omp single
  number = fibonacci(20);
  REQUIRE_EQ(number, 6765);
}
