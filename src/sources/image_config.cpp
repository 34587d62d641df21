// SPDX-License-Identifier: GPL-2.0-only
#include "sources/image_config.hpp"
#include "sources/json_reading.hpp"
#include "sources/tree_users.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ukl {
namespace {

// `80/tcp` on a port of this machine that an ordinary user may have.
std::string forwarding(const std::string& port) {
  const auto slash = port.find('/');
  const auto number = port.substr(0, slash);
  const bool udp = slash != std::string::npos && port.substr(slash) == "/udp";
  const auto value = std::strtoul(number.c_str(), nullptr, 10);
  return fmt::format("-p {}:{}{}", value < 1024 ? value + 8000 : value, number, udp ? "/udp" : "");
}

void note_ports(const nlohmann::json& config, Source& source) {
  std::string ports, options;
  for (const auto& port : names_member(config, "ExposedPorts")) {
    if (port.find_first_not_of("0123456789/tcpud") != std::string::npos)
      continue;
    source.ports.push_back(port);
    ports += (ports.empty() ? "" : ", ") + port;
    options += " " + forwarding(port);
  }
  if (!ports.empty())
    source.command_notes.push_back(fmt::format("listens on {}: ukl run{}, or -P", ports, options));
}

void note_volumes(const nlohmann::json& config, Source& source) {
  const auto volumes = names_member(config, "Volumes");
  if (!volumes.empty())
    source.command_notes.push_back(
        fmt::format("keeps data in {}, which ends with the machine: ukl run --volume "
                    "FOLDER:{}",
                    fmt::join(volumes, ", "), volumes[0]));
}

bool has_variable(const std::vector<std::string>& environment, const std::string& name) {
  return std::ranges::any_of(environment, [&](const auto& one) { return one.starts_with(name + "="); });
}

} // namespace

Result<void> check_platform(const std::string& system, const std::string& architecture,
                            const std::string& name) {
  if ((system.empty() || system == "linux") && (architecture.empty() || architecture == "amd64"))
    return {};
  return Error{Failure::wrong_architecture,
               fmt::format("{} is for {}/{}; ukl runs linux/amd64", name, system, architecture),
               "take the image for linux/amd64"};
}

Result<void> read_image_config(const nlohmann::json& image, const std::string& name, Source& source) {
  TRY(check_platform(text_member(image, "os"), text_member(image, "architecture"), name));
  const auto& config = member(image, "config");
  source.entrypoint = texts_member(config, "Entrypoint");
  source.arguments = texts_member(config, "Cmd");
  for (const auto& variable : texts_member(config, "Env"))
    if (variable.find('=') != std::string::npos && !variable.starts_with('='))
      source.environment.push_back(variable);
  source.directory = text_member(config, "WorkingDir");
  if (!source.directory.empty() && !source.directory.starts_with('/'))
    source.directory = "/" + source.directory;
  // Who starts a container makes the folder if it is not there.
  if (!source.directory.empty() && !source.tree.find(source.directory))
    TRY(source.tree.add(source.directory, folder_entry(0755)));
  const auto user = text_member(config, "User");
  // As in a container, where engines set it so.
  source.low_ports = true;
  if (!user.empty()) {
    TRY_LET(source.user, resolve_user(source.tree, user));
    source.groups = further_groups(source.tree, user);
  }
  const auto known = find_tree_user(source.tree, user.empty() ? "0" : user.substr(0, user.find(':')));
  if (known && !known->home.empty() && !has_variable(source.environment, "HOME"))
    source.environment.push_back("HOME=" + known->home);
  source.stop_signal = text_member(config, "StopSignal");
  if (const auto& labels = member(config, "Labels"); labels.is_object())
    for (const auto& [label, text] : labels.items())
      if (text.is_string())
        source.labels.push_back(label + "=" + text.get<std::string>());
  if (const auto& health = member(config, "Healthcheck"); health.is_object())
    source.health = health.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  note_ports(config, source);
  note_volumes(config, source);
  source.no_program = "the image names none: give it after --, with its arguments";
  return {};
}

} // namespace ukl
