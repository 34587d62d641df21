// SPDX-License-Identifier: GPL-2.0-only
// What the user sees: errors, notes and progress on standard error; colour and bars only on a terminal.
#pragma once

#include "support/result.hpp"

#include <cstdint>
#include <string>

namespace ukl {

/// True if standard error is a terminal and neither NO_COLOR nor TERM=dumb forbids colour.
bool colour_allowed();

/// `ukl: message` and, below it, `hint: …`, on standard error.
void print_error(const Error& error);

/// `ukl: text` on standard error, for something the user should know that is no error.
void print_note(const std::string& text);

/// A bar on a terminal, a line every 10 % elsewhere. Finishes its line when destroyed.
class Progress {
public:
  /// `total` is in the caller's unit; 0 means that it is not known, and only the count is shown.
  Progress(std::string label, std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Shows `done` of total; `detail` is what is being worked on now (cut to fit the line).
  void update(std::uint64_t done, const std::string& detail = {});

private:
  std::string label_;
  std::uint64_t total_;
  std::uint64_t shown_ = UINT64_MAX;
  bool terminal_;
  bool drawn_ = false;
};

} // namespace ukl
