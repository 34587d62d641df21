// SPDX-License-Identifier: GPL-2.0-only
// Where the kernel's text is: as the gate page says it (an image of ring 0), and as /proc/kallsyms does.
#include "../../../include/ukl/gate.h"
#include "check.hpp"

#include <cstdint>
#include <fstream>

int main() {
  std::ifstream symbols("/proc/kallsyms");
  std::string line, text;
  while (text.empty() && std::getline(symbols, line))
    if (line.ends_with(" _text"))
      text = line.substr(0, line.find(' '));
  unsigned short selector = 0;
  asm volatile("movw %%cs, %0" : "=r"(selector));
  if ((selector & 3) == 0) {
    const auto* gate = reinterpret_cast<const volatile std::uint64_t*>(UKL_GATE);
    char address[17];
    snprintf(address, sizeof address, "%016lx", static_cast<unsigned long>(gate[UKL_GATE_TEXT]));
    printf("gate page says %s\n", address);
  }
  printf("kallsyms says %s\n", text.c_str());
  return 0;
}
