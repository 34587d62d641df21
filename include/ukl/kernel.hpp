// SPDX-License-Identifier: GPL-2.0-only
// Calling the kernel's own functions from a program in ring 0, by name:
//
//     #include <ukl/kernel.hpp>
//     UKL_KERNEL_FUNCTION(std::uint64_t, ktime_get_mono_fast_ns, void);
//     …
//     std::uint64_t now = ktime_get_mono_fast_ns();
//
// The declaration leaves the name in the program's section `ukl_kernel`; `ukl pack` looks it up in the
// image's kernel and stores where it is, or says that this kernel has no such function. The call goes through
// the gate page
// (<ukl/gate.h>, UKL_GATE_FUNCTION).
//
// Rules, and what keeps them:
//   - Stack: the function runs on the thread's kernel stack (16 KiB), never on the program's. The gate sees
//   to it.
//   - Preemption: it runs as a system call does: interruptible, and it may sleep unless the kernel says
//   otherwise of
//     that function. It must come back as it went: interrupts on, no lock held, preemption not disabled.
//   - Memory that may fault: a kernel function that gets a pointer touches it without looking. So no raw
//   pointer can
//     be passed: only kernel memory (KernelPointer, which kernel functions return) or memory of the program
//     that is locked (Pinned). Anything else does not compile.
//   - Arguments and results are integers, enumerations, bool, or these pointers: at most six, eight bytes
//   each.
//   - Not in a signal handler that interrupted such a call of the same thread, and not before main().
// A program that is started outside of an image ends at its first such call, with a message.
#pragma once

#include "ukl/gate.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sys/mman.h>
#include <type_traits>
#include <unistd.h>
#include <utility>

namespace ukl {

/// An address in the kernel's half. In ring 0 the program may read and write what is behind it, as the kernel
/// may.
template <typename T> struct KernelPointer { T* address = nullptr; };

/// Memory of the program that stays in RAM while this object lives (mlock(2)), so that the kernel can touch
/// it at any time. Does not own the memory.
template <typename T> class Pinned {
public:
  /// Locks `count` objects from `first`, and writes one byte of each page so that it is the program's own.
  /// address() is null if the kernel refuses (RLIMIT_MEMLOCK).
  Pinned(T* first, std::size_t count) : address_(first), bytes_(count * sizeof(T)) {
    if (mlock(first, bytes_) != 0)
      address_ = nullptr;
  }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  ~Pinned() {
    if (address_)
      munlock(address_, bytes_);
  }
  T* address() const { return address_; }

private:
  T* address_;
  std::size_t bytes_;
};

namespace detail {

/// One record of the section `ukl_kernel`. `offset` is written by `ukl pack`: bytes from the kernel's _text.
struct KernelFunctionRecord {
  char name[56];
  std::uint64_t offset;
};
static_assert(sizeof(KernelFunctionRecord) == 64);

template <typename T> std::uint64_t to_register(T value) {
  static_assert(std::is_integral_v<T> || std::is_enum_v<T>,
                "pass integers, ukl::KernelPointer or ukl::Pinned: the kernel would not notice a page that "
                "is not there");
  return static_cast<std::uint64_t>(value);
}
template <typename T> std::uint64_t to_register(KernelPointer<T> pointer) {
  return reinterpret_cast<std::uint64_t>(pointer.address);
}
template <typename T> std::uint64_t to_register(const Pinned<T>& memory) {
  return reinterpret_cast<std::uint64_t>(memory.address());
}

template <typename T> struct FromRegister {
  static T convert(std::uint64_t value) {
    static_assert(std::is_integral_v<T> || std::is_enum_v<T>, "results are integers or ukl::KernelPointer");
    return static_cast<T>(value);
  }
};
template <> struct FromRegister<void> {
  static void convert(std::uint64_t) {}
};
template <typename T> struct FromRegister<KernelPointer<T>> {
  static KernelPointer<T> convert(std::uint64_t value) { return {reinterpret_cast<T*>(value)}; }
};

[[noreturn, gnu::cold]] inline void not_in_an_image() {
  static constexpr char message[] =
      "ukl: this program calls kernel functions; pack it with `ukl pack` and run the image\n";
  [[maybe_unused]] const auto ignored = write(STDERR_FILENO, message, sizeof message - 1);
  std::_Exit(126);
}

inline std::uint64_t call_kernel(std::uint64_t offset, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                                 std::uint64_t d, std::uint64_t e, std::uint64_t f) {
  std::uint16_t code_segment;
  asm("mov %%cs, %0" : "=r"(code_segment));
  if (offset == 0 || (code_segment & 3) != 0)
    not_in_an_image();
  const auto* gate = reinterpret_cast<const std::uint64_t*>(UKL_GATE);
  asm volatile("" : "+r"(gate)); // no constant: compilers warn of an array at such an address
  std::uint64_t result = gate[UKL_GATE_TEXT] + offset;
  register std::uint64_t fourth asm("r10") = d;
  register std::uint64_t fifth asm("r8") = e;
  register std::uint64_t sixth asm("r9") = f;
  // RAX: the function, then its result. The jump leaves the red zone alone, as a call would not. The kernel's
  // functions use no vector registers; those that do save the program's.
  asm volatile("lea 1f(%%rip), %%rcx\n\t"
               "jmp *%c[gate]\n"
               "1:"
               : "+a"(result)
               : "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth),
                 "r"(sixth), [gate] "i"(static_cast<std::int32_t>(UKL_GATE) + 8 * UKL_GATE_FUNCTION)
               : "rcx", "r11", "memory", "cc");
  return result;
}

template <typename Signature> class KernelFunction;
template <typename Result, typename... Arguments> class KernelFunction<Result(Arguments...)> {
  static_assert(sizeof...(Arguments) <= 6, "the gate carries six arguments");

public:
  constexpr explicit KernelFunction(const volatile KernelFunctionRecord& record) : record_(record) {}
  template <typename... Given> Result operator()(Given&&... given) const {
    static_assert(sizeof...(Given) == sizeof...(Arguments), "number of arguments");
    std::uint64_t registers[6] = {to_register(std::forward<Given>(given))...};
    return FromRegister<Result>::convert(call_kernel(record_.offset, registers[0], registers[1], registers[2],
                                                     registers[3], registers[4], registers[5]));
  }

private:
  const volatile KernelFunctionRecord& record_;
};

} // namespace detail
} // namespace ukl

/// Declares a kernel function at namespace scope: its result, its name, and its arguments' types.
#define UKL_KERNEL_FUNCTION(result, name, ...)                                                               \
  [[gnu::section("ukl_kernel"),                                                                              \
    gnu::used]] static volatile ::ukl::detail::KernelFunctionRecord ukl_record_##name = {#name, 0};          \
  static const ::ukl::detail::KernelFunction<result(__VA_ARGS__)> name(ukl_record_##name)
