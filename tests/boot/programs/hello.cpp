// SPDX-License-Identifier: GPL-2.0-only
// The first program of all, in C++.
#include <iostream>

int main() {
  std::cout << "Hello from C++" << std::endl;
}
