// SPDX-License-Identifier: GPL-2.0-only
// C++ exceptions: deep, nested, across threads, through a shared library (-DWITH_LIBRARY), out of a handler
// for a fault, and out of a handler that interrupted a blocking call. Compiled with -fnon-call-exceptions.
#include "check.hpp"

#include <csignal>
#include <exception>
#include <execinfo.h>
#include <future>
#include <stdexcept>
#include <sys/time.h>
#include <thread>
#include <vector>

#ifdef WITH_LIBRARY
void library_throw(const std::string& text);
void library_call(void (*function)(), int* cleaned);
#endif

namespace {
int destroyed = 0;
struct Guard {
  ~Guard() { ++destroyed; }
};

[[gnu::noinline]] int deep(int depth) {
  Guard guard;
  if (depth == 0)
    throw std::out_of_range("bottom");
  return deep(depth - 1) + 1;
}

void basics() {
  bool caught = false;
  try {
    deep(500);
  } catch (const std::logic_error& error) {
    caught = strcmp(error.what(), "bottom") == 0;
  }
  REQUIRE(caught);
  REQUIRE_EQ(destroyed, 501);

  try {
    try {
      throw 17;
    } catch (int number) {
      REQUIRE_EQ(number, 17);
      std::throw_with_nested(std::runtime_error("outer"));
    }
  } catch (const std::runtime_error& error) {
    REQUIRE(strcmp(error.what(), "outer") == 0);
    try {
      std::rethrow_if_nested(error);
      check::fail(__FILE__, __LINE__, "no nested exception");
    } catch (int) {
    }
  }
  bool from_library = false;
  try {
    (void)std::string("abc").at(10);
  } catch (const std::out_of_range&) {
    from_library = true;
  }
  REQUIRE(from_library);
  void* frames[16];
  REQUIRE(backtrace(frames, 16) >= 3);
}

void across_threads() {
  for (int round = 0; round < 20; ++round) {
    std::promise<void> promise;
    auto future = promise.get_future();
    std::thread thread([&] {
      try {
        deep(20);
      } catch (...) {
        promise.set_exception(std::current_exception());
      }
    });
    bool caught = false;
    try {
      future.get();
    } catch (const std::out_of_range&) {
      caught = true;
    }
    thread.join();
    REQUIRE(caught);
  }
  std::vector<std::thread> threads;
  std::atomic<int> caught{0};
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 300; ++round)
        try {
          throw round;
        } catch (int number) {
          caught += number == round;
        }
    });
  for (auto& thread : threads)
    thread.join();
  REQUIRE_EQ(caught.load(), 8 * 300);
}

void through_library() {
#ifdef WITH_LIBRARY
  bool caught = false;
  try {
    library_throw("from the library");
  } catch (const std::runtime_error& error) {
    caught = std::string(error.what()) == "from the library";
  }
  REQUIRE(caught);
  int cleaned = 0;
  caught = false;
  try {
    library_call([] { throw 5L; }, &cleaned);
  } catch (long number) {
    caught = number == 5;
  }
  REQUIRE(caught);
  REQUIRE_EQ(cleaned, 1);
#endif
}

struct Fault {
  void* address;
};

void out_of_a_fault() {
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  action.sa_sigaction = [](int, siginfo_t* info, void*) { throw Fault{info->si_addr}; };
  REQUIRE_OK(sigaction(SIGSEGV, &action, nullptr));
  for (long address = 0x10; address < 0x200; address += 0x10) {
    bool caught = false;
    Guard guard;
    try {
      *reinterpret_cast<volatile int*>(address) = 1;
    } catch (const Fault& fault) {
      caught = fault.address == reinterpret_cast<void*>(address);
    }
    REQUIRE(caught);
  }
  signal(SIGSEGV, SIG_DFL);
}

struct Alarm {};

void out_of_a_blocking_call() {
  int ends[2];
  REQUIRE_OK(pipe(ends));
  struct sigaction action {};
  action.sa_flags = SA_NODEFER;
  action.sa_handler = [](int) { throw Alarm(); };
  REQUIRE_OK(sigaction(SIGALRM, &action, nullptr));
  for (int round = 0; round < 10; ++round) {
    const itimerval soon{{0, 0}, {0, 20000}};
    bool caught = false;
    char byte;
    try {
      REQUIRE_OK(setitimer(ITIMER_REAL, &soon, nullptr));
      (void)!read(ends[0], &byte, 1);
    } catch (const Alarm&) {
      caught = true;
    }
    REQUIRE(caught);
  }
  signal(SIGALRM, SIG_DFL);
  close(ends[0]);
  close(ends[1]);
}
} // namespace

int main() {
  basics();
  across_threads();
  through_library();
  out_of_a_fault();
  out_of_a_blocking_call();
  REQUIRE_KILLED(check::in_child([] {
                   close(2); // the C++ runtime prints why it aborts
                   std::thread([] { throw 1; }).join();
                 }),
                 SIGABRT);
}
