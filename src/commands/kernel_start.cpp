// SPDX-License-Identifier: GPL-2.0-only
#include "commands/kernel_start.hpp"

#include "image/pack.hpp"
#include "image/write.hpp"
#include "machine/accelerator.hpp"
#include "machine/fit_machine.hpp"
#include "machine/hypervisor.hpp"
#include "machine/run.hpp"
#include "support/files.hpp"
#include "support/installation.hpp"

#include <algorithm>
#include <array>

namespace ukl {
namespace {

constexpr std::size_t kRuns = 3;

} // namespace

Result<std::chrono::milliseconds> kernel_start(const std::string& profile) {
  TRY_LET(const auto folder, TemporaryFolder::create("ukl-kernel"));
  PackRequest request;
  TRY_LET(request.places, read_places());
  request.program = find_installation().init.string();
  request.output = folder.path() / "image.ukl";
  request.profile = profile;
  request.settings.addresses = {"none"};
  // It never runs as a program, and as init it is answered every call.
  request.calls.answer = CallPolicy::Answer::listed;
  TRY(pack(request));
  TRY_LET(const auto image, read_image(request.output));
  MachineOptions options;
  options.image = request.output;
  options.machine.clear();
  options.memory = 0;
  options.probe = true;
  TRY(fit_machine(qemu(), image, options));
  options.accelerator = choose_accelerator(probe_with(options));
  std::array<std::chrono::milliseconds, kRuns> times;
  for (auto& time : times) {
    TRY_LET(const auto end, run_machine(options, image.manifest, true));
    time = end.total;
  }
  std::ranges::sort(times);
  return times[kRuns / 2];
}

} // namespace ukl
