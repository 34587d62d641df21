// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/systemd_unit.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace ukl {
namespace {

// systemd's own quoting, with its specifiers and variables as they are.
std::string quoted(const std::string& word) {
  std::string text;
  bool plain = !word.empty();
  for (const char byte : word) {
    if (byte == '%' || byte == '$')
      text += byte;
    if (byte == '"' || byte == '\\')
      text += '\\';
    plain = plain && byte > ' ' && byte != '"' && byte != '\'' && byte != '\\' && byte != ';';
    if (byte == '\n')
      text += "\\n";
    else
      text += byte;
  }
  return plain ? text : "\"" + text + "\"";
}

// A path stands as it is, but for specifiers.
std::string path_of(const std::string& folder) {
  std::string text;
  for (const char byte : folder)
    text += byte == '%' ? "%%" : std::string(1, byte);
  return text;
}

constexpr const char* kFlags[] = {"--detach", "--rm", "--interactive", "--tty"};
constexpr const char* kWithValue[] = {"--restart", "--wait-ready", "--log-max", "--name"};

// -d, -i and -t, alone or as one word.
bool is_short_flags(const std::string& word) {
  return word.size() > 1 && word[0] == '-' && word.find_first_not_of("dit", 1) == std::string::npos;
}

} // namespace

std::vector<std::string> foreground_command(const std::vector<std::string>& command) {
  std::vector<std::string> kept;
  for (std::size_t index = 0; index < command.size(); ++index) {
    const auto& word = command[index];
    if (word == "--") { // the program's own from here on
      kept.insert(kept.end(), command.begin() + static_cast<std::ptrdiff_t>(index), command.end());
      break;
    }
    if (std::ranges::find(kFlags, word) != std::end(kFlags) || is_short_flags(word))
      continue;
    const auto name = word.substr(0, word.find('='));
    if (std::ranges::find(kWithValue, name) != std::end(kWithValue)) {
      index += name.size() == word.size();
      continue;
    }
    kept.push_back(word);
  }
  return kept;
}

std::string systemd_unit(const RecordedPlan& plan) {
  auto command = foreground_command(plan.command);
  // ukl run, then its options.
  if (command.size() >= 2)
    command.insert(command.begin() + 2, {"--name", plan.name});
  std::string line;
  for (const auto& word : command)
    line += (line.empty() ? "" : " ") + quoted(word);
  const auto restart = plan.restart.substr(0, plan.restart.find(':'));
  return fmt::format("[Unit]\n"
                     "Description=ukl machine {}\n"
                     "Wants=network-online.target\n"
                     "After=network-online.target\n"
                     "\n"
                     "[Service]\n"
                     "# READY=1 comes once the program runs.\n"
                     "Type=notify\n"
                     "NotifyAccess=main\n"
                     "WorkingDirectory={}\n"
                     "ExecStart={}\n"
                     "StandardInput=null\n"
                     "Restart={}\n"
                     "# SIGTERM is for the program; QEMU ends with it.\n"
                     "KillMode=mixed\n"
                     "TimeoutStopSec=30\n"
                     "# The machine's statuses after a signal that asked it to end.\n"
                     "SuccessExitStatus=143 130\n"
                     "# The machine itself is the wall; these are for QEMU.\n"
                     "NoNewPrivileges=yes\n"
                     "ProtectClock=yes\n"
                     "ProtectControlGroups=yes\n"
                     "ProtectKernelLogs=yes\n"
                     "ProtectKernelModules=yes\n"
                     "ProtectKernelTunables=yes\n"
                     "RestrictRealtime=yes\n"
                     "RestrictSUIDSGID=yes\n"
                     "LockPersonality=yes\n"
                     "SystemCallArchitectures=native\n"
                     "\n"
                     "[Install]\n"
                     "WantedBy=multi-user.target\n",
                     plan.name, path_of(plan.folder), line,
                     restart == "on-failure" || restart == "always" ? restart : "no");
}

void notify_systemd(const std::string& socket, const std::string& line) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (socket.size() < 2 || socket.size() >= sizeof address.sun_path || (socket[0] != '/' && socket[0] != '@'))
    return;
  std::memcpy(address.sun_path, socket.data(), socket.size());
  if (socket[0] == '@') // a name that is in no file system
    address.sun_path[0] = '\0';
  const FileDescriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sendto(fd.get(), line.data(), line.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
         static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket.size()));
}

} // namespace ukl
