// SPDX-License-Identifier: GPL-2.0-only
// Errors as values: every function that can fail returns Result<T>, and no exception crosses a file's border.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace ukl {

/// Why something failed. The number is the tool's exit status, so it never changes its meaning. They stay
/// below 64 so that they are rarely mistaken for a program's own status, which `ukl run` passes through.
enum class Failure : int {
  internal = 1,            ///< our own mistake
  usage = 2,               ///< the command line asks for something that does not exist
  not_found = 20,          ///< an input file does not exist
  unreadable = 21,         ///< an input file cannot be read
  not_elf = 22,            ///< not an ELF file, or a damaged one
  wrong_architecture = 23, ///< an ELF file for another machine or another word size
  missing_library = 24,    ///< a shared library that the program needs is nowhere to be found
  unwritable = 25,         ///< the output cannot be written
  disk_full = 26,          ///< no room for the output; nothing is left behind
  not_an_image = 27,       ///< the file is not an image of ours
  other_version = 28,      ///< the image was made by a tool with another image format
  no_kernel = 29,          ///< no kernel of that profile is built yet
  kernel_build = 30,       ///< building the kernel failed
  missing_tool = 31,       ///< a program we start (QEMU, gcc, make …) is not installed
  port_in_use = 32,        ///< a host port is taken
  too_little_memory = 33,  ///< the machine is too small for its image
  machine = 34,            ///< the virtual machine ended without reporting a status
  compile = 35,            ///< the user's compiler failed
  rewrite = 36,            ///< a system-call site could not be rewritten
  missing_symbol = 37,     ///< the program asks for a kernel function that this kernel does not have
  volume_in_use = 38,      ///< another machine has the disk or the folder
  name_in_use = 39,        ///< there is a machine of that name
  no_such_machine = 40,    ///< there is none
  machine_runs = 41,       ///< the machine runs, and has to end first
  not_ready = 42,          ///< the machine was not ready in time
  kernel_lacks = 43,       ///< the image's kernel lacks what is asked of it
  interrupted = 130,       ///< Ctrl-C
};

/// What happened (one line, names the file) and what to do about it (one line, may be empty).
struct Error {
  Failure failure = Failure::internal;
  std::string message;
  std::string hint;
};

/// A value or an error. TRY and TRY_LET, below, hand an error on.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Error& error() const { return std::get<1>(state_); }

private:
  std::variant<T, Error> state_;
};

/// Success without a value, or an error.
template <> class [[nodiscard]] Result<void> {
public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  explicit operator bool() const { return !error_; }
  const Error& error() const { return *error_; }

private:
  std::optional<Error> error_;
};

/// Hands an error on: `TRY(check_files(tree));` goes on after success and returns the error otherwise.
#define TRY(...)                                                                                             \
  if (auto tried = (__VA_ARGS__); !tried)                                                                    \
  return tried.error()

/// The same for a result with a value, which is stored or declared: `TRY_LET(const auto text,
/// read_text(path));`. It is several statements: where one is expected, put it in braces.
#define TRY_LET(target, ...) UKL_TRY_LET(UKL_TRY_JOIN(tried_in_line_, __LINE__), target, __VA_ARGS__)
#define UKL_TRY_LET(result, target, ...)                                                                     \
  auto result = (__VA_ARGS__);                                                                               \
  if (!result)                                                                                               \
    return result.error();                                                                                   \
  target = *std::move(result)
#define UKL_TRY_JOIN(left, right) UKL_TRY_JOIN_EXPANDED(left, right)
#define UKL_TRY_JOIN_EXPANDED(left, right) left##right

} // namespace ukl
