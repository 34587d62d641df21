// SPDX-License-Identifier: GPL-2.0-only
// Futexes, raw and through the C library: wait and wake, bitsets, requeue, wake_op, timeouts, between
// processes, robust mutexes whose owner dies, and priority inheritance.
#include "check.hpp"

#include <atomic>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>
#include <vector>

namespace {

long futex(void* word, int operation, unsigned value, const void* timeout_or_count = nullptr,
           void* second = nullptr, unsigned third = 0) {
  return syscall(SYS_futex, word, operation, value, timeout_or_count, second, third);
}

const void* count(unsigned long number) {
  return reinterpret_cast<const void*>(number);
}

/// Sleeps until `wanted` threads wait on the word: FUTEX_CMP_REQUEUE onto itself with nothing to wake counts
/// them.
void until_waiting(unsigned* word, long wanted) {
  const double start = check::now();
  while (futex(word, FUTEX_CMP_REQUEUE_PRIVATE, 0, count(1000), word, *word) < wanted) {
    REQUIRE(check::now() - start < 30);
    check::sleep_ms(1);
  }
}

void wait_and_wake() {
  alignas(4) unsigned word = 5;
  REQUIRE_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 4), EAGAIN);
  REQUIRE_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 10), 0);
  const timespec brief{0, 30000000};
  const double start = check::now();
  REQUIRE_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 5, &brief), ETIMEDOUT);
  REQUIRE(check::now() - start >= 0.029);
  REQUIRE_ERRNO(futex(reinterpret_cast<char*>(&word) + 1, FUTEX_WAIT_PRIVATE, 5), EINVAL);
  REQUIRE_ERRNO(futex(reinterpret_cast<void*>(16), FUTEX_WAIT, 5), EFAULT);

  std::atomic<int> woken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([&] {
      REQUIRE_OK(futex(&word, FUTEX_WAIT_PRIVATE, 5));
      ++woken;
    });
  until_waiting(&word, 6);
  REQUIRE_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 2), 2);
  while (woken < 2)
    sched_yield();
  REQUIRE_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 100), 4);
  for (auto& thread : threads)
    thread.join();
}

void bitsets() {
  alignas(4) unsigned word = 0;
  std::atomic<unsigned> woken{0};
  std::vector<std::thread> threads;
  for (unsigned bit = 1; bit <= 4; bit *= 2)
    threads.emplace_back([&, bit] {
      REQUIRE_OK(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, nullptr, nullptr, bit));
      woken |= bit;
    });
  until_waiting(&word, 3);
  REQUIRE_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, nullptr, nullptr, 2), 1);
  while (woken != 2)
    sched_yield();
  REQUIRE_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, nullptr, nullptr, 5), 2);
  for (auto& thread : threads)
    thread.join();
  REQUIRE_EQ(woken.load(), 7);
}

void requeue() {
  alignas(4) unsigned first = 1, second = 2;
  std::vector<std::thread> threads;
  for (int i = 0; i < 5; ++i)
    threads.emplace_back([&] { REQUIRE_OK(futex(&first, FUTEX_WAIT_PRIVATE, 1)); });
  until_waiting(&first, 5);
  REQUIRE_ERRNO(futex(&first, FUTEX_CMP_REQUEUE_PRIVATE, 1, count(10), &second, 9), EAGAIN);
  REQUIRE_EQ(futex(&first, FUTEX_CMP_REQUEUE_PRIVATE, 1, count(10), &second, 1), 5); // one woken, four moved
  REQUIRE_EQ(futex(&first, FUTEX_WAKE_PRIVATE, 10), 0);
  REQUIRE_EQ(futex(&second, FUTEX_WAKE_PRIVATE, 10), 4);
  for (auto& thread : threads)
    thread.join();

  std::thread waiter([&] { REQUIRE_OK(futex(&second, FUTEX_WAIT_PRIVATE, 2)); });
  until_waiting(&second, 1);
  // second = second + 7, and wake it because it was 2 before
  const auto operation = FUTEX_OP(FUTEX_OP_ADD, 7, FUTEX_OP_CMP_EQ, 2);
  REQUIRE_EQ(futex(&first, FUTEX_WAKE_OP_PRIVATE, 1, count(1), &second, static_cast<unsigned>(operation)), 1);
  REQUIRE_EQ(second, 9);
  waiter.join();
}

void between_processes() {
  auto* word =
      static_cast<unsigned*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  auto& turn = *reinterpret_cast<std::atomic<unsigned>*>(word);
  const auto play = [&](unsigned own) {
    for (int round = 0; round < 500; ++round) {
      for (unsigned now; (now = turn.load()) % 2 != own;)
        futex(word, FUTEX_WAIT, now);
      ++turn;
      futex(word, FUTEX_WAKE, 1);
    }
  };
  const pid_t child = fork();
  if (child == 0) {
    play(1);
    _exit(0);
  }
  play(0);
  int status;
  REQUIRE_EQ(waitpid(child, &status, 0), child);
  REQUIRE_EXIT(status, 0);
  REQUIRE_EQ(turn.load(), 1000);
  munmap(word, 4096);
}

void robust() {
  auto* mutex = static_cast<pthread_mutex_t*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  REQUIRE_EQ(pthread_mutex_init(mutex, &attributes), 0);
  // The owner is a process that is killed; then a thread that ends.
  const pid_t child = fork();
  if (child == 0) {
    pthread_mutex_lock(mutex);
    kill(getpid(), SIGKILL);
  }
  int status;
  REQUIRE_EQ(waitpid(child, &status, 0), child);
  REQUIRE_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
  REQUIRE_EQ(pthread_mutex_consistent(mutex), 0);
  REQUIRE_EQ(pthread_mutex_unlock(mutex), 0);
  std::thread([&] { REQUIRE_EQ(pthread_mutex_lock(mutex), 0); }).join();
  REQUIRE_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
  REQUIRE_EQ(pthread_mutex_unlock(mutex), 0); // without repair it is lost
  REQUIRE_EQ(pthread_mutex_lock(mutex), ENOTRECOVERABLE);
  munmap(mutex, 4096);
}

void priority_inheritance() {
  pthread_mutex_t mutex;
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  REQUIRE_EQ(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT), 0);
  REQUIRE_EQ(pthread_mutex_init(&mutex, &attributes), 0);
  long counter = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 500; ++round) {
        REQUIRE_EQ(pthread_mutex_lock(&mutex), 0);
        const long before = counter;
        if (round % 16 == 0)
          sched_yield();
        counter = before + 1;
        REQUIRE_EQ(pthread_mutex_unlock(&mutex), 0);
      }
    });
  for (auto& thread : threads)
    thread.join();
  REQUIRE_EQ(counter, 3000);

  // Raw: the kernel writes the owner's thread id into the word, and sees a deadlock.
  alignas(4) unsigned word = 0;
  REQUIRE_OK(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0));
  REQUIRE_EQ(word & FUTEX_TID_MASK, gettid());
  REQUIRE_ERRNO(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0), EDEADLK);
  std::thread other([&] {
    REQUIRE_ERRNO(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0), EAGAIN);
    REQUIRE_OK(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0));
    REQUIRE_EQ(word & FUTEX_TID_MASK, gettid());
    REQUIRE_OK(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0));
  });
  while (!(__atomic_load_n(&word, __ATOMIC_SEQ_CST) & FUTEX_WAITERS))
    sched_yield();
  REQUIRE_OK(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0));
  other.join();
  REQUIRE_ERRNO(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0), EPERM);

  // A condition variable with such a mutex (requeue to it).
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  int ready = 0, done = 0;
  threads.clear();
  for (int i = 0; i < 5; ++i)
    threads.emplace_back([&] {
      pthread_mutex_lock(&mutex);
      ++ready;
      while (!done)
        pthread_cond_wait(&condition, &mutex);
      pthread_mutex_unlock(&mutex);
    });
  while (true) {
    pthread_mutex_lock(&mutex);
    if (ready == 5)
      break;
    pthread_mutex_unlock(&mutex);
    sched_yield();
  }
  done = 1;
  pthread_cond_broadcast(&condition);
  pthread_mutex_unlock(&mutex);
  for (auto& thread : threads)
    thread.join();
}

} // namespace

int main() {
  wait_and_wake();
  bitsets();
  requeue();
  between_processes();
  robust();
  priority_inheritance();
}
