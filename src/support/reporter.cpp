// SPDX-License-Identifier: GPL-2.0-only
#include "support/reporter.hpp"

namespace ukl {
namespace {

class SilentProgress : public Progress {
public:
  void update(std::uint64_t, const std::string&) override {}
};

class SilentReporter : public Reporter {
public:
  void note(const std::string&) override {}
  std::unique_ptr<Progress> progress(std::string, std::uint64_t) override {
    return std::make_unique<SilentProgress>();
  }
};

} // namespace

Reporter& silent_reporter() {
  static SilentReporter reporter;
  return reporter;
}

} // namespace ukl
