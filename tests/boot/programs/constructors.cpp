// SPDX-License-Identifier: GPL-2.0-only
// The order of constructors (library, then by priority, then as written) and of destructors (reversed, atexit
// handlers among them). With -DWITH_LIBRARY the library's constructor comes first.
#include "check.hpp"

#ifdef WITH_LIBRARY
extern char order_log[64];
extern int order_length;
extern "C" void order_add(char letter);
#else
static char order_log[64];
static int order_length = 0;
static void order_add(char letter) {
  order_log[order_length++] = letter;
}
#endif

static int report = -1; // a pipe to the parent, for what happens after main

static void tell(char letter) {
  if (report >= 0 && write(report, &letter, 1) != 1)
    _exit(9);
}

struct Object {
  char letter;
  explicit Object(char letter) : letter(letter) { order_add(letter); }
  ~Object() { tell(letter); }
};

static Object late_object('c');
static Object later_object('d');
__attribute__((init_priority(200))) static Object early_object('b');
__attribute__((constructor(101))) static void first() {
  order_add('a');
}
__attribute__((destructor(101))) static void last() {
  tell('z');
}

int main() {
#ifdef WITH_LIBRARY
  const char* wanted = "Labcd";
#else
  const char* wanted = "abcd";
#endif
  if (strcmp(order_log, wanted) != 0)
    check::fail(__FILE__, __LINE__, "constructors ran as %s, wanted %s", order_log, wanted);

  int ends[2];
  REQUIRE_OK(pipe(ends));
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    report = ends[1];
    atexit([] { tell('e'); });
    static Object local('s');
    exit(3);
  }
  close(ends[1]);
  char text[32] = {};
  std::size_t length = 0;
  for (ssize_t got; (got = read(ends[0], text + length, sizeof text - 1 - length)) > 0;)
    length += static_cast<std::size_t>(got);
  int status = 0;
  REQUIRE_EQ(waitpid(child, &status, 0), child);
  REQUIRE_EXIT(status, 3);
  if (strcmp(text, "sedcbz") != 0)
    check::fail(__FILE__, __LINE__, "destructors ran as %s, wanted sedcbz", text);
}
