// SPDX-License-Identifier: GPL-2.0-only
#include "machine/shared_folders.hpp"

#include "machine/file_guard.hpp"
#include "machine/qemu_type.hpp"
#include "support/terminal.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace ukl {
namespace {

constexpr std::size_t kLastWords = 4096;

// What to say where virtiofs was wanted or needed and cannot be had.
Error without_virtiofs(Error error, const Volume& volume) {
  if (volume.transport == Transport::virtiofs)
    return error;
  const std::string other = volume.kind == VolumeKind::file || volume.shared
                                ? "attach a disk with an ext4 file system"
                                : "attach it read-only (:ro), or over 9p with its limits (:9p, see "
                                  "docs/limits.md), or attach a disk with an ext4 file system";
  error.hint = error.hint.empty() ? other : fmt::format("{}; or {}", error.hint, other);
  return error;
}

} // namespace

bool takes_virtiofs(const MachineOptions& options) {
  // QEMU tells the daemon of a request through an eventfd. A virtio device on a slot of its own (MMIO) has
  // one only under KVM (hw/virtio/virtio-mmio.c).
  return machine_name(options) != "microvm" || options.accelerator == Accelerator::kvm;
}

Result<SharedFolders> SharedFolders::start(MachineOptions& options) {
  SharedFolders folders;
  folders.count_ = options.volumes.size();
  bool ninep = false;
  for (std::size_t index = 0; index < options.volumes.size(); ++index) {
    Volume& volume = options.volumes[index];
    if (volume.kind == VolumeKind::disk)
      continue;
    if (volume.transport != Transport::ninep) {
      auto daemon = takes_virtiofs(options)
                        ? FolderDaemon::start(volume)
                        : Result<FolderDaemon>(Error{
                              Failure::machine,
                              fmt::format("cannot share {}: QEMU's machine {} takes virtiofs under KVM only",
                                          volume.host.string(), options.machine),
                              "take another machine, as in --machine q35"});
      if (daemon) {
        volume.transport = Transport::virtiofs;
        folders.daemons_.push_back({index, std::move(*daemon), volume.host, {}});
      } else if (volume.read_only && volume.transport == Transport::automatic &&
                 volume.kind == VolumeKind::folder && !volume.shared) {
        print_note(fmt::format("{}; it is shared over 9p", daemon.error().message));
        volume.transport = Transport::ninep;
      } else {
        return without_virtiofs(daemon.error(), volume);
      }
    }
    ninep |= volume.transport == Transport::ninep;
    const auto use = volume.shared      ? FolderUse::shared
                     : volume.read_only ? FolderUse::reading
                                        : FolderUse::alone;
    if (auto claimed = folders.claims_.claim(volume.host, use); !claimed)
      return claimed.error();
  }
  if (ninep)
    folders.guard_ = file_guard_filter({});
  return folders;
}

std::vector<int> SharedFolders::sockets() const {
  std::vector<int> sockets(count_, -1);
  for (const auto& daemon : daemons_)
    sockets[daemon.volume] = daemon.daemon.socket.get();
  return sockets;
}

std::vector<int> SharedFolders::inherited() const {
  std::vector<int> descriptors;
  for (const auto& daemon : daemons_)
    descriptors.push_back(daemon.daemon.socket.get());
  for (const int claim : claims_.descriptors())
    descriptors.push_back(claim);
  return descriptors;
}

void SharedFolders::close_far_ends() {
  for (auto& daemon : daemons_)
    daemon.daemon.socket = FileDescriptor();
  claims_ = FolderClaims();
}

std::vector<int> SharedFolders::watched() const {
  std::vector<int> descriptors;
  for (const auto& daemon : daemons_)
    if (daemon.daemon.errors)
      descriptors.push_back(daemon.daemon.errors.get());
  return descriptors;
}

std::optional<Error> SharedFolders::look() {
  for (auto& daemon : daemons_) {
    auto& errors = daemon.daemon.errors;
    while (errors) {
      pollfd event = {errors.get(), POLLIN, 0};
      if (poll(&event, 1, 0) != 1)
        break;
      char buffer[4096];
      const ssize_t got = read(errors.get(), buffer, sizeof buffer);
      if (got < 0 && errno == EINTR)
        continue;
      if (got > 0) {
        daemon.said.append(buffer, static_cast<std::size_t>(got));
        if (daemon.said.size() > kLastWords)
          daemon.said.erase(0, daemon.said.size() - kLastWords);
        continue;
      }
      errors = FileDescriptor();
      const auto words = daemon.said.substr(0, daemon.said.find_last_not_of('\n') + 1);
      const auto line = words.substr(words.rfind('\n') + 1);
      return Error{Failure::machine,
                   fmt::format("stopped the machine: virtiofsd, which shared {} with it, has ended{}{}",
                               daemon.folder.string(), line.empty() ? "" : ": ", line),
                   "what the program had written before is in the folder; see who ended virtiofsd: the "
                   "system's log, or memory that ran out"};
    }
  }
  return std::nullopt;
}

} // namespace ukl
