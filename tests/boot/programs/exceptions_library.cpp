// SPDX-License-Identifier: GPL-2.0-only
// A shared library that throws, and that lets its caller's exceptions pass.
#include <stdexcept>
#include <string>

struct LibraryCleanup {
  int* count;
  ~LibraryCleanup() { ++*count; }
};

__attribute__((visibility("default"))) void library_throw(const std::string& text) {
  throw std::runtime_error(text);
}

__attribute__((visibility("default"))) void library_call(void (*function)(), int* cleaned) {
  LibraryCleanup cleanup{cleaned};
  function();
}
