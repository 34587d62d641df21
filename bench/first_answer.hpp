// SPDX-License-Identifier: GPL-2.0-only
// How long a server takes from the key to its first answer, booted and from a kept machine: a part of
// `bench/run start`.
#pragma once

#include "results.hpp"

namespace ukl::bench {

/// One server. Milliseconds from the start of `ukl run`.
struct FirstAnswerRow {
  std::string name;
  Samples cold, warm;
  std::string failure; ///< why there is nothing
};

struct FirstAnswerPlan {
  unsigned rounds = 5;
  std::filesystem::path tool;   ///< ukl
  std::filesystem::path web;    ///< bench/guest/web
  std::filesystem::path folder; ///< for images and kept machines
};

/// Makes an image and a kept machine of a small server in C, Debian's memcached, and Python with Flask, then
/// asks each in turns. A server that cannot be made is a row with its failure. Error: interrupted.
Result<std::vector<FirstAnswerRow>> measure_first_answers(const FirstAnswerPlan& plan);

} // namespace ukl::bench
