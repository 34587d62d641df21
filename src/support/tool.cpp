// SPDX-License-Identifier: GPL-2.0-only
#include "support/tool.hpp"
#include "support/standard_streams.hpp"
#include "support/terminal.hpp"

#include <csignal>
#include <exception>
#include <fmt/format.h>
#include <new>

namespace ukl {
namespace {

Result<int> run_guarded(const std::function<Result<int>()>& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return Error{Failure::too_little_memory, "there is too little memory on this machine",
                 "end other programs, raise `ulimit -v`, or leave large files out"};
  } catch (const std::exception& error) {
    return Error{Failure::internal, fmt::format("a mistake in ukl: {}", error.what()),
                 "please report it with the command line"};
  }
}

} // namespace

int run_tool(const std::function<Result<int>()>& work) {
  open_standard_streams();
  for (const int signal : {SIGPIPE, SIGXFSZ})
    ::signal(signal, SIG_IGN);
  auto status = run_guarded(work);
  if (!status)
    print_error(status.error());
  // Even after an error: what came before it belongs to it.
  const auto written = flush_output();
  if (!status)
    return static_cast<int>(status.error().failure);
  if (!written) {
    print_error(written.error());
    return static_cast<int>(written.error().failure);
  }
  return *status;
}

void restore_signals() {
  for (const int signal : {SIGPIPE, SIGXFSZ})
    ::signal(signal, SIG_DFL);
}

} // namespace ukl
