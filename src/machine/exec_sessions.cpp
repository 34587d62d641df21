// SPDX-License-Identifier: GPL-2.0-only
#include "machine/exec_sessions.hpp"

#include "ukl/exec.hpp"

#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl {
namespace {

// What the guest has not taken; then nobody is asked for more.
constexpr std::size_t kMostUnsent = 1 << 20;

} // namespace

bool ExecSessions::has_room() const {
  return port_ && unsent_.size() < kMostUnsent;
}

void ExecSessions::watch(std::vector<pollfd>& events) const {
  events.push_back({port_.get(), static_cast<short>(unsent_.empty() ? POLLIN : POLLIN | POLLOUT), 0});
  if (clients_)
    clients_->watch(events, has_room());
}

void ExecSessions::look(std::vector<pollfd>::const_iterator first) {
  // One that begins to listen now has not been waited for.
  const bool listened = clients_.has_value();
  if (first->revents)
    read_port();
  if (listened)
    clients_->look(first + 1, [this](std::uint16_t client, char kind, std::string_view bytes) {
      if (bytes.size() <= exec::kMostBytes)
        unsent_ += exec::frame(kind ? kind : exec::kGone, client, bytes);
    });
  write_port();
}

void ExecSessions::read_port() {
  char buffer[65536];
  const ssize_t got = read(port_.get(), buffer, sizeof buffer);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
    port_ = FileDescriptor();
  if (got <= 0)
    return;
  unread_.append(buffer, static_cast<std::size_t>(got));
  bool wrong = false;
  while (exec::take_frame(unread_, wrong, [this](char kind, std::uint16_t client, std::string_view bytes) {
    take(kind, client, bytes);
  })) {
  }
  // No init of ours; what it says is for nobody.
  if (wrong)
    port_ = FileDescriptor();
}

void ExecSessions::take(char kind, std::uint16_t client, std::string_view bytes) {
  if (kind == exec::kReady && !clients_) {
    // Without a place for a socket there are no further programs, and the machine runs all the same.
    if (auto clients = PacketServer::listen(folder_ / kSocket))
      clients_.emplace(std::move(*clients));
  } else if (clients_) {
    clients_->send(client, kind, bytes);
  }
}

void ExecSessions::write_port() {
  while (port_ && !unsent_.empty()) {
    const ssize_t put = ::send(port_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (put > 0)
      unsent_.erase(0, static_cast<std::size_t>(put));
    else if (errno == EAGAIN)
      return;
    else if (errno != EINTR)
      port_ = FileDescriptor();
  }
  if (!port_)
    unsent_.clear();
}

} // namespace ukl
