// SPDX-License-Identifier: GPL-2.0-only
#include "machine/accelerator.hpp"

#include "kernel/profile.hpp"
#include "machine/run.hpp"
#include "support/files.hpp"
#include "support/places.hpp"
#include "support/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace ukl {
namespace {

constexpr std::chrono::milliseconds kProbeTime{10000};

std::string boot_id() {
  auto text = read_text("/proc/sys/kernel/random/boot_id");
  return text ? text->substr(0, text->find('\n')) : std::string();
}

} // namespace

Accelerator choose_accelerator(const KvmProbe& probe) {
  if (access("/dev/kvm", R_OK | W_OK) != 0)
    return Accelerator::tcg;
  const auto path = cache_folder() / "kvm";
  const std::string works = boot_id() + " works\n", does_not = boot_id() + " does not work\n";
  if (auto known = read_text(path)) {
    if (*known == works)
      return Accelerator::kvm;
    if (*known == does_not)
      return Accelerator::tcg;
  }
  const auto probed = probe();
  if (!probed) {
    // An answer that Ctrl-C gave is none.
    if (probed.error().failure == Failure::interrupted)
      return Accelerator::tcg;
    print_note(
        fmt::format("/dev/kvm is there but does not work ({}); using QEMU's translator, which is slower",
                    probed.error().message));
  }
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (auto written = write_text(path, probed ? works : does_not); !written)
    print_note(fmt::format("KVM will be tried again next time: {}", written.error().message));
  return probed ? Accelerator::kvm : Accelerator::tcg;
}

KvmProbe probe_with(const MachineOptions& options) {
  return [options]() -> Result<void> {
    MachineOptions probe = options;
    probe.accelerator = Accelerator::kvm;
    probe.probe = true;
    probe.cpus = 1;
    probe.timeout = kProbeTime;
    probe.forwards.clear();
    probe.volumes.clear();
    probe.settings.clear();
    probe.arguments.clear();
    probe.qemu_arguments.clear();
    auto end = run_machine(probe, {}, true);
    if (!end)
      return end.error();
    if (end->status == kTimedOut)
      return Error{Failure::machine, fmt::format("no program started within {} s", kProbeTime.count() / 1000),
                   ""};
    if (end->status != 0)
      return Error{Failure::interrupted, "interrupted", ""};
    return {};
  };
}

} // namespace ukl
