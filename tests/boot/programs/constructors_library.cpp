// SPDX-License-Identifier: GPL-2.0-only
// A shared library whose constructor must run before the program's.
char order_log[64];
int order_length = 0;

extern "C" void order_add(char letter) {
  order_log[order_length++] = letter;
}

__attribute__((constructor)) static void library_ready() {
  order_add('L');
}
