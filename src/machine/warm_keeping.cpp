// SPDX-License-Identifier: GPL-2.0-only
#include "machine/warm_keeping.hpp"

#include "support/files.hpp"
#include "support/text.hpp"
#include "ukl/run_settings.hpp"

#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <sys/random.h>

namespace ukl {
namespace {

using Use = MachineOptions::Warm::Use;

// What a stopped machine had written before is here by then.
constexpr std::chrono::milliseconds kSettle{30};

std::string hexadecimal(std::string_view bytes) {
  std::string digits;
  for (const unsigned char byte : bytes)
    digits += fmt::format("{:02x}", byte);
  return digits;
}

} // namespace

Result<std::string> go_on_settings(Manifest settings) {
  std::array<char, 64> seed;
  if (getrandom(seed.data(), seed.size(), 0) != static_cast<ssize_t>(seed.size()))
    return file_error("random numbers", "read", errno);
  settings.emplace_back(key::seed, hexadecimal({seed.data(), seed.size()}));
  // Without the header, which is for a loader.
  return hexadecimal(std::string_view(encode_run_settings(settings)).substr(sizeof(RunSettingsHeader)));
}

WarmKeeping::WarmKeeping(const MachineOptions::Warm& warm, int state, std::string settings)
    : warm_(warm), settings_(std::move(settings)) {
  if (warm.use == Use::keep)
    // QEMU starts a shell.
    steps_.emplace(WarmSteps::Kind::keep, "exec:cat > " + shell_line({(warm.folder / "state").string()}));
  else if (warm.use == Use::go_on)
    steps_.emplace(WarmSteps::Kind::go_on, fmt::format("fd:{}", state));
}

void WarmKeeping::on_greeting(QemuMonitor& monitor) {
  if (warm_.use == Use::go_on)
    steps_->begin(monitor);
}

void WarmKeeping::ask_how_quiet(MachineSupervisor& supervisor) {
  asked_ = true;
  supervisor.send("quiet");
}

void WarmKeeping::on_start(MachineSupervisor& supervisor) {
  if (warm_.use == Use::keep && warm_.port == 0 && !warm_.line && !asked_)
    ask_how_quiet(supervisor);
}

void WarmKeeping::on_line(MachineSupervisor& supervisor) {
  if (warm_.use == Use::keep && !asked_)
    ask_how_quiet(supervisor);
}

void WarmKeeping::on_listening(std::uint16_t port, MachineSupervisor& supervisor) {
  if (warm_.use == Use::keep && port == warm_.port && !asked_)
    ask_how_quiet(supervisor);
}

void WarmKeeping::look(QemuMonitor& monitor, MachineSupervisor& supervisor, std::uint64_t written, Time now) {
  if (!steps_)
    return;
  steps_->look(monitor, now);
  if (const auto quiet = supervisor.take_quiet())
    expected_ = quiet;
  // All that was written is here: the machine is stopped, and then nothing more may have come.
  if (expected_ && written >= *expected_ && !steps_->stopped() && !settle_) {
    settle_ = now + kSettle;
    expected_ = written;
    steps_->begin(monitor);
  } else if (steps_->stopped() && settle_ && now >= *settle_) {
    const bool all_is_here = written == *expected_;
    steps_->confirm(monitor, all_is_here);
    settle_.reset();
    expected_.reset();
    if (!all_is_here)
      ask_how_quiet(supervisor);
  }
  if (warm_.use == Use::go_on && steps_->done() && !went_on_) {
    went_on_ = true;
    supervisor.send("go-on " + settings_);
  }
}

std::optional<WarmKeeping::Time> WarmKeeping::next_time() const {
  if (!steps_)
    return std::nullopt;
  const auto next = steps_->next_time();
  if (settle_ && steps_->stopped() && (!next || *settle_ < *next))
    return settle_;
  return next;
}

} // namespace ukl
