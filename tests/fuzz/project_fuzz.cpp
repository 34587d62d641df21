// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as a Compose file. What is understood becomes command lines, with the options that belong to each
// service where `ukl run` takes options.
#include "lifecycle/project.hpp"
#include "support/files.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto folder = ukl::TemporaryFolder::create("ukl-fuzz");
  static const auto file = folder->path() / "compose.yaml";
  if (!ukl::write_text(file, std::string(data, data + size)))
    return 0;
  const auto here = [](const std::string& name) {
    return name.size() % 2 ? std::optional<std::string>("a b") : std::nullopt;
  };
  const auto project = ukl::read_project(file, "", folder->path() / "made", here);
  for (const auto& service : project ? project->services : std::vector<ukl::Service>()) {
    const auto command = start_command("ukl", *project, service);
    const auto options = std::span(command).subspan(7, service.options.size());
    if (command[2] != "-d" || !std::ranges::equal(options, service.options))
      __builtin_trap();
  }
  return 0;
}
