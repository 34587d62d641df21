// SPDX-License-Identifier: GPL-2.0-only
// What library code has to say while it works. It does not print: the command that called it passes down whom
// it tells.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace ukl {

/// How far one piece of work is. Ends when destroyed.
class Progress {
public:
  virtual ~Progress() = default;
  /// `done` is in the unit of the total; `detail` is what is being worked on now.
  virtual void update(std::uint64_t done, const std::string& detail = {}) = 0;
};

class Reporter {
public:
  virtual ~Reporter() = default;
  /// Something that the user should know and that is no error: one sentence.
  virtual void note(const std::string& text) = 0;
  /// Begins a piece of work. `total` is in the caller's unit; 0: not known.
  virtual std::unique_ptr<Progress> progress(std::string label, std::uint64_t total) = 0;
};

/// Tells nobody.
Reporter& silent_reporter();

} // namespace ukl
