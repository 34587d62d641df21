// SPDX-License-Identifier: GPL-2.0-only
// What `ukl run` and `ukl trace` have in common.
#pragma once

#include "commands/command.hpp"
#include "commands/run_life.hpp"
#include "image/guest_settings.hpp"
#include "machine/strace.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ukl {

/// The options as they stand on the command line.
struct RunTexts {
  std::string image;
  std::vector<std::string> arguments, forwards, volumes, qemu_arguments;
  std::vector<std::string> environment, environment_files, configs, secrets, memory_folders;
  std::string entrypoint;
  GuestSettings guest;
  std::string memory, accelerator = "auto", machine, append;
  unsigned cpus = 1;
  std::string timeout;
  std::vector<std::string> networks;
  std::string mac;
  std::string vmm = "qemu";
  std::string trace;     // a file
  std::string bootchart; // a file
  bool dry_run = false, json = false, time = false, read_only = false, publish_all = false;
  std::optional<StraceOptions> strace; // ukl trace
  std::string strace_output;           // a file
  LifeOptions life;
};

/// All options of a run but its help's last part.
void add_run_options(CLI::App& command, const std::shared_ptr<RunTexts>& texts);

/// Boots the image. Errors: those of run_machine, and what is wrong with the options.
Result<int> run_image(const RunTexts& texts);

} // namespace ukl
