// SPDX-License-Identifier: GPL-2.0-only
#include "machine/qemu_type.hpp"

#include "kernel/lacks.hpp"
#include "machine/plan.hpp"
#include "machine/timers.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <unistd.h>

namespace ukl {
namespace {

// CONFIG_NR_CPUS in kernel/profiles/base.config.
constexpr unsigned kKernelCpus = 64;

// A version as in pc-q35-2.10, to be compared.
using Version = std::pair<int, int>;

std::optional<Version> version_behind(std::string_view prefix, std::string_view name) {
  if (!name.starts_with(prefix))
    return std::nullopt;
  Version version;
  const char* end = name.data() + name.size();
  const auto major = std::from_chars(name.data() + prefix.size(), end, version.first);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.')
    return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, version.second);
  // pc-q35-4.0.1 is a type, too.
  if (minor.ec != std::errc() || (minor.ptr != end && *minor.ptr != '.'))
    return std::nullopt;
  return version;
}

std::string first_part(const std::string& text) {
  return text.substr(0, text.find(','));
}

// `name` with a value, as a word of the kernel's parameters.
bool has_word(const std::string& parameters, const std::string& name) {
  return (" " + parameters).find(" " + name) != std::string::npos;
}

bool has_property(const std::string& machine, const std::string& property) {
  return (machine + ",").find("," + property) != std::string::npos;
}

// QEMU takes the last type that it is given.
std::string name_in_force(const MachineOptions& options) {
  std::string name = machine_name(options);
  const auto& arguments = options.qemu_arguments;
  for (std::size_t at = 0; at + 1 < arguments.size(); ++at) {
    if (arguments[at] != "-M" && arguments[at] != "-machine" && arguments[at] != "--machine")
      continue;
    const auto& value = arguments[at + 1];
    const auto type = value.find("type=");
    if (type != std::string::npos)
      name = first_part(value.substr(type + 5));
    else if (const auto first = first_part(value); first.find('=') == std::string::npos)
      name = first;
  }
  return name;
}

// The most CPUs that QEMU gives to a type (its query-machines), or nothing if the type does not boot an
// image.
std::optional<unsigned> most_cpus(const std::string& name) {
  if (name == "q35" || name == "microvm")
    return 288;
  if (name == "pc")
    return 255;
  // QEMU starts PVH kernels since 4.0, and leaves the versions of before as they were (hw/i386/pc_q35.c and
  // pc_piix.c: pvh_enabled).
  for (const auto& [prefix, most] : {std::pair("pc-q35-", 288U), {"pc-i440fx-", 255U}})
    if (const auto version = version_behind(prefix, name); version && *version >= Version(4, 0))
      return most;
  return std::nullopt;
}

bool is_microvm(const MachineOptions& options) {
  return machine_name(options) == "microvm";
}

bool lacking(const MachineOptions& options, std::string_view feature) {
  return std::ranges::find(options.lacks, feature) != options.lacks.end();
}

// What this run asks of the kernel, as words; not what the image's own settings do.
std::vector<std::string> asked_features(const MachineOptions& options) {
  auto words = needed_features(run_settings(options, {}));
  if (name_in_force(options) != "microvm")
    words.emplace_back("pci");
  return words;
}

// An image that is what it is need not be made for this machine.
Result<void> check_kernel(const MachineOptions& options) {
  for (const auto& word : asked_features(options))
    if (lacking(options, word))
      return Error{Failure::kernel_lacks,
                   fmt::format("the kernel of {} lacks {}, which this run asks for", options.image.string(),
                               feature_meaning(word)),
                   "make the image with another: ukl pack --profile general"};
  return {};
}

// The firmware that QEMU gives to microvm (Debian's qemu-system-data): it does less than SeaBIOS, sooner.
constexpr const char* kSmallFirmware = "/usr/share/qemu/qboot.rom";

} // namespace

std::string machine_name(const MachineOptions& options) {
  return first_part(options.machine);
}

std::string usual_machine(const std::vector<std::string>& lacks) {
  return std::ranges::find(lacks, "pci") != lacks.end() ? "microvm" : "q35";
}

bool goes_without_acpi(const MachineOptions& options) {
  if (lacking(options, "acpi"))
    return !has_property(options.machine, "acpi=");
  return options.accelerator != Accelerator::kvm && !has_property(options.machine, "acpi=") &&
         (is_microvm(options) ||
          (options.qemu_arguments.empty() && !has_word(options.append, "acpi=") && counter_is_steady()));
}

std::string machine_argument(const MachineOptions& options) {
  return options.machine + (goes_without_acpi(options) ? ",acpi=off" : "");
}

std::vector<std::string> machine_parameters(const MachineOptions& options) {
  std::vector<std::string> words;
  if (options.accelerator != Accelerator::kvm) {
    // An option of QEMU's can make the counter another one (-icount, -cpu).
    const bool counter = options.qemu_arguments.empty() && counter_is_steady();
    const bool with_acpi = is_microvm(options) && !goes_without_acpi(options);
    words = timer_parameters(counter || with_acpi);
  }
  if (goes_without_acpi(options))
    words.emplace_back("acpi=off");
  // A triple fault resets every machine at once. Linux would ask ACPI and a keyboard controller first,
  // for 2.8 s where there is none.
  if (is_microvm(options) || goes_without_acpi(options))
    words.emplace_back("reboot=t");
  return words;
}

std::string processors_argument(const MachineOptions& options) {
  // SeaBIOS's MP tables, which say what ACPI otherwise would, have the first CPU of each package.
  return fmt::format("{}{}", options.cpus,
                     options.cpus > 1 && !is_microvm(options) && goes_without_acpi(options)
                         ? fmt::format(",sockets={}", options.cpus)
                         : "");
}

std::string firmware(const MachineOptions& options) {
  return !is_microvm(options) && goes_without_acpi(options) && access(kSmallFirmware, R_OK) == 0
             ? kSmallFirmware
             : "";
}

Result<void> check_machine(const MachineOptions& options) {
  const std::string name = name_in_force(options);
  const auto most = most_cpus(name);
  if (!most)
    return Error{
        Failure::usage,
        fmt::format("QEMU's machine type '{}' does not boot an image: it starts no PVH kernels", name),
        "q35, pc and microvm do, and pc-q35-VERSION and pc-i440fx-VERSION from 4.0 on"};
  if (options.cpus > std::min(*most, kKernelCpus))
    return Error{Failure::usage,
                 fmt::format("there cannot be {} CPUs: the machine type {} has at most {}, the kernel {}",
                             options.cpus, name, *most, kKernelCpus),
                 fmt::format("--cpus {}", std::min(*most, kKernelCpus))};
  return check_kernel(options);
}

} // namespace ukl
