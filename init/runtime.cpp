// SPDX-License-Identifier: GPL-2.0-only
// The few entry points of the C++ run-time that the standard containers need, so that the linker leaves its
// exception handling, demangling and locales (most of a megabyte) out of every image.
#include "ending.hpp"

#include <cstdlib>
#include <new>

namespace {

[[noreturn]] void stop(const char* what) {
  ukl::init::fail(what);
}

void* allocate(std::size_t size) {
  void* memory = malloc(size);
  if (!memory)
    stop("init has no memory left");
  return memory;
}

} // namespace

void* operator new(std::size_t size) {
  return allocate(size);
}
void* operator new[](std::size_t size) {
  return allocate(size);
}
void operator delete(void* memory) noexcept {
  free(memory);
}
void operator delete[](void* memory) noexcept {
  free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  free(memory);
}

namespace std {
void __throw_length_error(const char* what) {
  stop(what);
}
void __throw_logic_error(const char* what) {
  stop(what);
}
void __throw_out_of_range_fmt(const char* what, ...) {
  stop(what);
}
void __throw_bad_alloc() {
  stop("init has no memory left");
}
void __throw_bad_array_new_length() {
  stop("init has no memory left");
}
} // namespace std
