// SPDX-License-Identifier: GPL-2.0-only
#include <ukl/kernel.hpp>

UKL_KERNEL_FUNCTION(int, no_such_function_in_linux, void);

int main() {
  return no_such_function_in_linux();
}
