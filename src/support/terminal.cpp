// SPDX-License-Identifier: GPL-2.0-only
#include "support/terminal.hpp"
#include "support/environment.hpp"
#include "support/standard_streams.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <unistd.h>

namespace ukl {

bool colour_allowed() {
  const auto type = terminal_type();
  return isatty(STDERR_FILENO) && !no_colour_wanted() && !type.empty() && type != "dumb";
}

void print_error(const Error& error) {
  const bool colour = colour_allowed();
  print_message(
      fmt::format("{}ukl: {}{}\n", colour ? "\033[1;31m" : "", error.message, colour ? "\033[0m" : ""));
  if (!error.hint.empty())
    print_message(
        fmt::format("{}hint:{} {}\n", colour ? "\033[1;36m" : "", colour ? "\033[0m" : "", error.hint));
}

void print_note(const std::string& text) {
  print_message(fmt::format("ukl: {}\n", text));
}

namespace {

class TerminalProgress : public Progress {
public:
  TerminalProgress(std::string label, std::uint64_t total)
      : label_(std::move(label)), total_(total), terminal_(isatty(STDERR_FILENO)) {}
  TerminalProgress(const TerminalProgress&) = delete;
  TerminalProgress& operator=(const TerminalProgress&) = delete;
  ~TerminalProgress() override {
    if (terminal_ && drawn_)
      print_message("\n");
  }

  void update(std::uint64_t done, const std::string& detail) override {
    // A bar moves by percent (by hundred where the total is unknown), a log by ten of them.
    const std::uint64_t step = total_ ? std::min<std::uint64_t>(100, done * 100 / total_) : done / 100;
    const std::uint64_t now = terminal_ ? step : step / 10;
    if (now == shown_)
      return;
    shown_ = now;
    drawn_ = true;
    if (!terminal_) {
      if (total_)
        print_message(fmt::format("{}: {} %\n", label_, now * 10));
      else
        print_message(fmt::format("{}: {}\n", label_, done));
      return;
    }
    if (!total_) {
      print_message(fmt::format("\r\033[K{} {} {:.40}", label_, done, detail));
      return;
    }
    const std::size_t width = 30;
    const std::size_t full = static_cast<std::size_t>(width * step / 100);
    print_message(fmt::format("\r\033[K{} [{}{}] {:3} % {:.36}", label_, std::string(full, '#'),
                              std::string(width - full, '.'), step, detail));
  }

private:
  std::string label_;
  std::uint64_t total_;
  std::uint64_t shown_ = UINT64_MAX;
  bool terminal_;
  bool drawn_ = false;
};

class TerminalReporter : public Reporter {
public:
  void note(const std::string& text) override { print_note(text); }
  std::unique_ptr<Progress> progress(std::string label, std::uint64_t total) override {
    return std::make_unique<TerminalProgress>(std::move(label), total);
  }
};

} // namespace

Reporter& terminal_reporter() {
  static TerminalReporter reporter;
  return reporter;
}

} // namespace ukl
