// SPDX-License-Identifier: GPL-2.0-only
// POSIX threads and C++ threads: creation, joining, every lock, cancellation, thread-specific data, many at
// once.
#include "check.hpp"

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <numeric>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <semaphore>
#include <shared_mutex>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>
#include <vector>

namespace {

void create_and_join() {
  for (long round = 0; round < 50; ++round) {
    pthread_t threads[8];
    for (long number = 0; number < 8; ++number)
      REQUIRE_EQ(pthread_create(
                     &threads[number], nullptr,
                     [](void* argument) -> void* {
                       return reinterpret_cast<void*>(reinterpret_cast<long>(argument) * 3);
                     },
                     reinterpret_cast<void*>(round * 8 + number)),
                 0);
    for (long number = 0; number < 8; ++number) {
      void* result = nullptr;
      REQUIRE_EQ(pthread_join(threads[number], &result), 0);
      REQUIRE_EQ(reinterpret_cast<long>(result), (round * 8 + number) * 3);
    }
  }
}

void mutex_protects() {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  long counter = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread)
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        pthread_mutex_lock(&mutex);
        const long before = counter;
        if (i % 64 == 0)
          sched_yield();
        counter = before + 1;
        pthread_mutex_unlock(&mutex);
      }
    });
  for (auto& thread : threads)
    thread.join();
  REQUIRE_EQ(counter, 40000);
}

void condition_variable_queue() {
  std::mutex mutex;
  std::condition_variable not_empty, not_full;
  std::vector<int> queue;
  long sum = 0;
  std::thread consumer([&] {
    for (int i = 0; i < 10000; ++i) {
      std::unique_lock lock(mutex);
      not_empty.wait(lock, [&] { return !queue.empty(); });
      sum += queue.back();
      queue.pop_back();
      not_full.notify_one();
    }
  });
  for (int i = 0; i < 10000; ++i) {
    std::unique_lock lock(mutex);
    not_full.wait(lock, [&] { return queue.size() < 16; });
    queue.push_back(i);
    not_empty.notify_one();
  }
  consumer.join();
  REQUIRE_EQ(sum, 9999L * 10000 / 2);

  std::unique_lock lock(mutex);
  const double start = check::now();
  REQUIRE(not_empty.wait_for(lock, std::chrono::milliseconds(50)) == std::cv_status::timeout);
  REQUIRE(check::now() - start >= 0.049);
}

void barrier_and_rwlock() {
  pthread_barrier_t barrier;
  REQUIRE_EQ(pthread_barrier_init(&barrier, nullptr, 4), 0);
  std::atomic<int> serial{0}, arrived{0};
  std::shared_mutex lock;
  std::vector<std::thread> threads;
  int value = 0;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&] {
      for (int round = 1; round <= 100; ++round) {
        ++arrived;
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
          ++serial;
        REQUIRE_EQ(arrived.load(), round * 4);
        pthread_barrier_wait(&barrier);
        if (round % 4 == 0) {
          std::unique_lock write(lock);
          ++value;
        } else {
          std::shared_lock read(lock);
          REQUIRE(value >= 0);
        }
      }
    });
  for (auto& thread : threads)
    thread.join();
  REQUIRE_EQ(serial.load(), 100);
  REQUIRE_EQ(value, 100);
}

void cancellation() {
  // Cancellation of a blocking call unwinds the thread's stack and runs its cleanup handlers.
  static std::atomic<bool> cleaned;
  int ends[2];
  REQUIRE_OK(pipe(ends));
  pthread_t thread;
  static int reading;
  reading = ends[0];
  pthread_create(
      &thread, nullptr,
      [](void*) -> void* {
        pthread_cleanup_push([](void*) { cleaned = true; }, nullptr);
        char byte;
        if (read(reading, &byte, 1) >= 0)
          check::fail(__FILE__, __LINE__, "read returned");
        pthread_cleanup_pop(0);
        return nullptr;
      },
      nullptr);
  check::sleep_ms(30);
  REQUIRE_EQ(pthread_cancel(thread), 0);
  void* result = nullptr;
  REQUIRE_EQ(pthread_join(thread, &result), 0);
  REQUIRE(result == PTHREAD_CANCELED);
  REQUIRE(cleaned.load());

  // Asynchronous cancellation of a loop that never enters the kernel.
  pthread_create(
      &thread, nullptr,
      [](void*) -> void* {
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, nullptr);
        while (true)
          __builtin_ia32_pause();
      },
      nullptr);
  check::sleep_ms(10);
  REQUIRE_EQ(pthread_cancel(thread), 0);
  REQUIRE_EQ(pthread_join(thread, &result), 0);
  REQUIRE(result == PTHREAD_CANCELED);
  close(ends[0]);
  close(ends[1]);
}

void specific_data_and_once() {
  static pthread_key_t key;
  static std::atomic<int> destroyed, initialised;
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  REQUIRE_EQ(pthread_key_create(&key, [](void*) { ++destroyed; }), 0);
  std::vector<std::thread> threads;
  for (long number = 1; number <= 10; ++number)
    threads.emplace_back([number] {
      pthread_once(&once, [] { ++initialised; });
      pthread_setspecific(key, reinterpret_cast<void*>(number));
      sched_yield();
      REQUIRE_EQ(reinterpret_cast<long>(pthread_getspecific(key)), number);
    });
  for (auto& thread : threads)
    thread.join();
  REQUIRE_EQ(destroyed.load(), 10);
  REQUIRE_EQ(initialised.load(), 1);
}

void futures() {
  std::vector<std::future<long>> parts;
  for (long part = 0; part < 6; ++part)
    parts.push_back(std::async(std::launch::async, [part] {
      std::vector<long> numbers(1000);
      std::iota(numbers.begin(), numbers.end(), part * 1000);
      return std::accumulate(numbers.begin(), numbers.end(), 0L);
    }));
  long total = 0;
  for (auto& part : parts)
    total += part.get();
  REQUIRE_EQ(total, 5999L * 6000 / 2);
}

void semaphores() {
  sem_t semaphore;
  REQUIRE_OK(sem_init(&semaphore, 0, 0));
  std::thread poster([&] {
    for (int i = 0; i < 1000; ++i)
      sem_post(&semaphore);
  });
  for (int i = 0; i < 1000; ++i)
    REQUIRE_OK(sem_wait(&semaphore));
  poster.join();
  REQUIRE_ERRNO(sem_trywait(&semaphore), EAGAIN);
  std::counting_semaphore<4> counting(0);
  std::thread releaser([&] { counting.release(3); });
  for (int i = 0; i < 3; ++i)
    counting.acquire();
  releaser.join();
}

void identity() {
  // Every thread has its own id and the process's; the main thread's are equal.
  REQUIRE_EQ(syscall(SYS_gettid), getpid());
  std::thread([] {
    REQUIRE(syscall(SYS_gettid) != getpid());
    char name[16] = {};
    pthread_setname_np(pthread_self(), "named-thread");
    pthread_getname_np(pthread_self(), name, sizeof name);
    REQUIRE(strcmp(name, "named-thread") == 0);
  }).join();
}

void many_alive() {
  std::mutex gate;
  std::atomic<int> alive{0};
  std::vector<std::thread> threads;
  gate.lock();
  for (int i = 0; i < 200; ++i)
    threads.emplace_back([&] {
      ++alive;
      std::lock_guard wait(gate);
    });
  while (alive < 200)
    sched_yield();
  gate.unlock();
  for (auto& thread : threads)
    thread.join();
}

void own_stack_size() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  REQUIRE_EQ(pthread_attr_setstacksize(&attributes, 64 * 1024 * 1024), 0);
  pthread_t thread;
  REQUIRE_EQ(pthread_create(
                 &thread, &attributes,
                 [](void*) -> void* {
                   volatile char* deep = static_cast<char*>(__builtin_alloca(48 * 1024 * 1024));
                   for (long at = 48 * 1024 * 1024 - 4096; at >= 0; at -= 1024 * 1024)
                     deep[at] = 1;
                   return nullptr;
                 },
                 nullptr),
             0);
  REQUIRE_EQ(pthread_join(thread, nullptr), 0);
}

} // namespace

int main() {
  create_and_join();
  mutex_protects();
  condition_variable_queue();
  barrier_and_rwlock();
  cancellation();
  specific_data_and_once();
  futures();
  semaphores();
  identity();
  many_alive();
  own_stack_size();
}
