// SPDX-License-Identifier: GPL-2.0-only
// A shared library with thread-local data of its own; tls.cpp loads it while threads run.
#include <cstdlib>

namespace {
thread_local long counter = 1000;
thread_local char zeroed[4096];
struct Constructed {
  long value;
  Constructed() : value(77) {}
  ~Constructed() { ++*destroyed; }
  static inline long* destroyed = static_cast<long*>(std::calloc(1, sizeof(long)));
};
thread_local Constructed constructed;
} // namespace

extern "C" long library_next() {
  return ++counter;
}
extern "C" char* library_zeroed() {
  return zeroed;
}
extern "C" long library_constructed() {
  return constructed.value++;
}
extern "C" long library_destroyed() {
  return __atomic_load_n(Constructed::destroyed, __ATOMIC_SEQ_CST);
}
