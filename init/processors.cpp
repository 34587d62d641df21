// SPDX-License-Identifier: GPL-2.0-only
#include "processors.hpp"

#include "ending.hpp"

#include <cstdlib>
#include <unistd.h>

namespace ukl::init {

void check_processors(const Manifest& settings) {
  const long wanted = atol(value_of(settings, key::cpus).c_str());
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  if (online < wanted)
    fail("Linux has brought up " + std::to_string(online) + " of " + std::to_string(wanted) + " CPUs");
}

} // namespace ukl::init
