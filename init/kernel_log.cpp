// SPDX-License-Identifier: GPL-2.0-only
#include "kernel_log.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace ukl::init {

KernelLog KernelLog::from_now_on() {
  KernelLog log;
  log.fd_ = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (log.fd_ >= 0)
    lseek(log.fd_, 0, SEEK_END);
  return log;
}

std::vector<std::string> KernelLog::lines() const {
  // One read gives one record: `priority,number,time,flags;text\n`, and lines of properties (Linux's
  // Documentation/ABI/testing/dev-kmsg). EPIPE: records were overwritten before we came; the next read goes
  // on.
  std::vector<std::string> lines;
  char record[8192];
  while (true) {
    const ssize_t got = read(fd_, record, sizeof record);
    if (got < 0 && errno == EPIPE)
      continue;
    if (got <= 0)
      return lines;
    const std::string text(record, static_cast<std::size_t>(got));
    const auto start = text.find(';');
    if (start != std::string::npos)
      lines.push_back(text.substr(start + 1, text.find('\n', start) - start - 1));
  }
}

} // namespace ukl::init
