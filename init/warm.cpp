// SPDX-License-Identifier: GPL-2.0-only
#include "warm.hpp"

#include "clock.hpp"
#include "control.hpp"
#include "ending.hpp"
#include "exec.hpp"
#include "names.hpp"
#include "network.hpp"
#include "run_files.hpp"
#include "settings.hpp"
#include "streams.hpp"
#include "ukl/run_settings.hpp"

#include <cstring>
#include <fcntl.h>
#include <linux/random.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <vector>

namespace ukl::init {
namespace {

int digit(char character) {
  return character <= '9' ? character - '0' : character - 'a' + 10;
}

std::string from_hexadecimal(const std::string& digits) {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2)
    bytes += static_cast<char>(digit(digits[at]) << 4 | digit(digits[at + 1]));
  return bytes;
}

// Until this is done, two runs of one machine would draw the same numbers.
void begin_random_numbers_anew(const std::string& seed) {
  const int source = open("/dev/urandom", O_WRONLY | O_CLOEXEC);
  std::vector<char> room(sizeof(rand_pool_info) + seed.size());
  auto* pool = reinterpret_cast<rand_pool_info*>(room.data());
  pool->entropy_count = static_cast<int>(8 * seed.size());
  pool->buf_size = static_cast<int>(seed.size());
  memcpy(pool->buf, seed.data(), seed.size());
  if (source < 0 || seed.empty() || ioctl(source, RNDADDENTROPY, pool) != 0 ||
      ioctl(source, RNDRESEEDCRNG) != 0)
    fail("cannot begin random numbers anew" + reason());
  close(source);
}

} // namespace

void say_how_quiet() {
  report("quiet " + std::to_string(stream_bytes(1)) + " " + std::to_string(stream_bytes(2)));
}

void go_on(const std::string& settings) {
  auto run = decode_run_settings(from_hexadecimal(settings));
  if (!run)
    fail("the settings of this run are damaged");
  begin_random_numbers_anew(from_hexadecimal(value_of(*run, key::seed)));
  count_streams_anew();
  set_clock();
  const bool moved = !value_of(*run, key::address).empty();
  const Manifest all = take_run_settings(*run);
  set_names(all);
  write_run_files(all);
  if (moved)
    set_up_network(all);
  report("started");
  exec_ready(all);
}

} // namespace ukl::init
