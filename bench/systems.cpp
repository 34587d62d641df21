// SPDX-License-Identifier: GPL-2.0-only
#include "systems.hpp"
#include "cloud_kernel.hpp"
#include "image/payload.hpp"
#include "image/write.hpp"
#include "kernel/profile.hpp"
#include "support/files.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ukl::bench {
namespace {

namespace fs = std::filesystem;

enum class Calls { normal, full, shortcut };

// Everything but the kernel's file. `profile` is empty for Debian's kernel.
struct Description {
  const char *name, *title, *profile;
  bool rewritten;
  Calls calls;
  const char* command_line;
};

constexpr Description kDescriptions[] = {
    {"cloud", "(a) Debian cloud", "", false, Calls::normal, ""},
    {"cloud-mitigations-off", "(a) mitigations=off", "", false, Calls::normal, "mitigations=off"},
    {"classic", "(b) classic, ring 3", "classic", false, Calls::normal, ""},
    {"ring0", "(c) ring 0", "general", false, Calls::normal, ""},
    {"full", "(d) rewritten, full", "general", true, Calls::full, ""},
    {"direct", "(e) rewritten, direct", "general", true, Calls::normal, ""},
    {"shortcut", "(f) e + TCP shortcut", "general", true, Calls::shortcut, ""},
    {"polling", "(g) f + polled network", "general", true, Calls::shortcut, "sysctl.net.core.busy_poll=50"},
};

CallPolicy call_policy(Calls calls) {
  CallPolicy policy;
  if (calls == Calls::full)
    for (std::uint32_t number = 0; number < UKL_GATE_CALLS; ++number)
      policy.kinds[number] = CallKind::full;
  if (calls == Calls::shortcut)
    for (const auto number : shortcut_calls())
      policy.kinds[number] = CallKind::shortcut;
  return policy;
}

Result<fs::path> our_kernel(const std::string& profile, const KernelFiles& kernels) {
  if (const auto given = kernels.find(profile); given != kernels.end())
    return given->second;
  auto kernel = find_kernel(profile);
  if (!kernel)
    return kernel.error();
  return kernel->vmlinux;
}

Result<System> make_system(const Description& description, const KernelFiles& kernels) {
  System system;
  system.name = description.name;
  system.title = description.title;
  system.rewritten = description.rewritten;
  system.calls = call_policy(description.calls);
  system.command_line = description.command_line;
  system.ours = *description.profile;
  if (system.ours) {
    auto file = our_kernel(description.profile, kernels);
    if (!file)
      return file.error();
    auto bytes = read_file(*file);
    if (!bytes)
      return bytes.error();
    system.file = *file;
    system.kernel = fmt::format("{} ({})", description.profile, sha256_hex(*bytes).substr(0, 12));
  } else {
    auto cloud = cloud_kernel();
    if (!cloud)
      return cloud.error();
    system.file = cloud->vmlinuz;
    system.network_modules = cloud->network_modules;
    system.kernel = fmt::format("linux-image-cloud-amd64 {}", cloud->version);
  }
  return system;
}

Result<Machine> foreign_machine(const System& system, const GuestProgram& program, const fs::path& folder) {
  TRY_LET(const auto tree, foreign_tree(program, system.network_modules));
  TRY_LET(const auto payload, make_payload(tree));
  auto machine = measured_machine();
  machine.ours = false;
  machine.options.image = system.file;
  machine.initrd = folder / (system.name + ".cpio");
  TRY(write_text(machine.initrd, std::string(payload.bytes.begin(), payload.bytes.end())));
  return machine;
}

Result<Machine> our_machine(const System& system, const GuestProgram& program, const fs::path& folder) {
  TRY_LET(auto request, pack_request(program, folder));
  request.output = folder / (system.name + ".ukl");
  request.kernel = system.file;
  request.rewrite = system.rewritten;
  request.calls = system.calls;
  TRY_LET(const auto summary, pack(request));
  TRY_LET(const auto image, read_image(summary.output));
  auto machine = measured_machine();
  machine.options.image = summary.output;
  machine.manifest = image.manifest;
  return machine;
}

} // namespace

std::vector<std::string> known_systems() {
  std::vector<std::string> names;
  for (const auto& description : kDescriptions)
    names.emplace_back(description.name);
  return names;
}

Result<std::vector<System>> find_systems(const std::vector<std::string>& names, const KernelFiles& kernels) {
  std::vector<System> systems;
  for (const auto& name : names) {
    const auto* found = std::ranges::find(kDescriptions, name, &Description::name);
    if (found == std::end(kDescriptions))
      return Error{Failure::usage, fmt::format("there is no system {}", name),
                   fmt::format("one of {}", fmt::join(known_systems(), ", "))};
    auto system = make_system(*found, kernels);
    if (!system)
      return system.error();
    systems.push_back(std::move(*system));
  }
  return systems;
}

Result<Machine> make_machine(const System& system, const GuestProgram& program, const fs::path& folder) {
  TRY_LET(auto machine,
          system.ours ? our_machine(system, program, folder) : foreign_machine(system, program, folder));
  machine.options.append = system.command_line;
  return machine;
}

} // namespace ukl::bench
