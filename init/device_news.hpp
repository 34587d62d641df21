// SPDX-License-Identifier: GPL-2.0-only
// Waiting for a device that Linux may not have found yet.
#pragma once

#include "deadline.hpp"

#include <string>
#include <unistd.h>

namespace ukl::init {

/// Where Linux tells of devices from now on; -1: it cannot.
int open_device_news();
/// Takes what it has told.
void drain_device_news(int news);

/// What `find` gives, as soon as that is not empty: it is asked at once, and again whenever Linux tells of
/// devices. Empty after that many milliseconds. (A template, since std::function would bring the machinery of
/// exceptions into init, 57 KiB.)
template <typename Find> std::string wait_for_device(const Find& find, int milliseconds) {
  std::string found = find();
  if (!found.empty())
    return found;
  const Deadline deadline(milliseconds);
  // First listen, then look: nothing falls between.
  const int news = open_device_news();
  found = find();
  while (news >= 0 && found.empty() && deadline.wait(news, POLLIN)) {
    drain_device_news(news);
    found = find();
  }
  close(news);
  return found;
}

} // namespace ukl::init
