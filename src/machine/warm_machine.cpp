// SPDX-License-Identifier: GPL-2.0-only
#include "machine/warm_machine.hpp"
#include "machine/hypervisor.hpp"
#include "support/files.hpp"
#include "support/process.hpp"

#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPlan = "machine.json";
constexpr int kFormat = 1;

// The processor's model and features: state of one is not another's.
std::string this_processor() {
  std::ifstream file("/proc/cpuinfo");
  std::string text;
  for (std::string line; std::getline(file, line) && !line.empty();)
    if (line.starts_with("model name") || line.starts_with("flags"))
      text += line;
  return sha256_hex(text).substr(0, 16);
}

Result<std::string> this_qemu() {
  TRY_LET(const auto output, run_command({qemu().program, "--version"}));
  return output.text.substr(0, output.text.find('\n'));
}

std::string processor_of(Accelerator accelerator) {
  return accelerator == Accelerator::kvm ? this_processor() : "tcg";
}

} // namespace

bool is_warm_machine(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path / kPlan, ignored);
}

Result<WarmMachine> plan_warm_machine(const MachineOptions& options, const fs::path& folder) {
  WarmMachine warm;
  warm.folder = folder;
  TRY_LET(warm.qemu, this_qemu());
  warm.processor = processor_of(options.accelerator);
  warm.machine = options.machine;
  warm.memory = options.memory;
  warm.cpus = options.cpus;
  return warm;
}

Result<void> write_warm_machine(const WarmMachine& warm) {
  const nlohmann::ordered_json plan = {{"format", kFormat},           {"qemu", warm.qemu},
                                       {"processor", warm.processor}, {"machine", warm.machine},
                                       {"memory", warm.memory},       {"cpus", warm.cpus}};
  return write_text(warm.folder / kPlan, plan.dump(2) + "\n");
}

Result<WarmMachine> read_warm_machine(const fs::path& folder) {
  TRY_LET(const auto text, read_text(folder / kPlan));
  const auto plan = nlohmann::json::parse(text, nullptr, false);
  const auto damaged = [&](const std::string& what) {
    return Error{Failure::not_an_image, fmt::format("{} is not a kept machine: {}", folder.string(), what),
                 "make it again: ukl snapshot"};
  };
  if (!plan.is_object() || !plan.contains("format") || !plan["format"].is_number_integer())
    return damaged(fmt::format("{} cannot be read", kPlan));
  if (plan["format"] != kFormat)
    return Error{Failure::other_version,
                 fmt::format("{} has format {}, and this ukl knows {}", folder.string(),
                             plan["format"].get<int>(), kFormat),
                 "make it again: ukl snapshot"};
  WarmMachine warm;
  warm.folder = folder;
  const auto text_of = [&](const char* name, std::string& value) {
    const auto found = plan.find(name);
    if (found == plan.end() || !found->is_string())
      return false;
    value = *found;
    return true;
  };
  if (!text_of("qemu", warm.qemu) || !text_of("processor", warm.processor) ||
      !text_of("machine", warm.machine) || !plan.contains("memory") || !plan["memory"].is_number_unsigned() ||
      !plan.contains("cpus") || !plan["cpus"].is_number_unsigned())
    return damaged(fmt::format("{} is not whole", kPlan));
  warm.memory = plan["memory"];
  warm.cpus = plan["cpus"];
  std::error_code failure;
  for (const auto& file : {warm.image_file(), warm.memory_file(), warm.state_file()})
    if (!fs::is_regular_file(file, failure))
      return damaged(fmt::format("{} is missing", file.filename().string()));
  if (fs::file_size(warm.memory_file(), failure) != warm.memory)
    return damaged("its memory has another size");
  return warm;
}

std::string warm_obstacle(const WarmMachine& warm, const MachineOptions& options) {
  const auto qemu = this_qemu();
  if (!qemu || *qemu != warm.qemu)
    return fmt::format("it was made with {}, and this is {}", warm.qemu, qemu ? *qemu : "none");
  if (processor_of(options.accelerator) != warm.processor)
    return warm.processor == "tcg" ? "it was made with QEMU's translator, and this is KVM"
                                   : "it was made with another processor";
  if (options.machine != warm.machine)
    return fmt::format("it was made on the machine type {}", warm.machine);
  if (options.memory != warm.memory)
    return fmt::format("it was made with -m {}K", warm.memory >> 10);
  if (options.cpus != warm.cpus)
    return fmt::format("it was made with --cpus {}", warm.cpus);
  if (options.network.kind != HostNetwork::Kind::user || !options.more_networks.empty())
    return "its network is QEMU's own";
  if (!options.volumes.empty() || !options.memory_folders.empty() || options.read_only)
    return "it has no volumes";
  if (!options.arguments.empty())
    return "its program has its arguments already";
  for (const auto& [name, value] : options.settings)
    if (name == key::environment || name == key::user || name == key::directory || name == key::limit ||
        name == key::sysctl)
      return "its program has its variables, user, folder and limits already";
  if (!options.append.empty() || !options.qemu_arguments.empty() || options.trace ||
      options.times != MachineOptions::Times::none)
    return "its kernel and its QEMU were started with other parameters";
  return {};
}

} // namespace ukl
