// SPDX-License-Identifier: GPL-2.0-only
// The last of what a machine wrote on its console, and what it says about a machine that just ended.
#pragma once

#include "support/result.hpp"

#include <string>
#include <string_view>

namespace ukl {

class ConsoleTail {
public:
  /// Appends; only the last 16 KiB are kept.
  void add(std::string_view bytes);
  const std::string& text() const { return text_; }
  /// Why a machine ended without a status: too_little_memory or machine (a kernel panic, with its reason; the
  /// hypervisor's own message `errors`; or nothing known).
  Error explain(const std::string& image, const std::string& errors) const;
  /// True if Linux ended the program because the machine ran out of memory.
  bool out_of_memory() const;

private:
  std::string text_;
};

} // namespace ukl
