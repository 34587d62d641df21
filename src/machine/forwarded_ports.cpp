// SPDX-License-Identifier: GPL-2.0-only
#include "machine/forwarded_ports.hpp"

#include "machine/checks.hpp"
#include "machine/listening_sockets.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <sys/socket.h>
#include <utility>

namespace ukl {
namespace {

constexpr std::chrono::seconds kPatience{10};

// The most that wait for a program, as far as net.core.somaxconn allows.
constexpr int kBacklog = 4096;

// The sockets' places in their group: the order in which they joined it (net/core/sock_reuseport.c).
constexpr std::uint32_t kTheirs = 0, kOurs = 1;

sockaddr_in address_of(const Forward& forward) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(forward.host_port);
  inet_pton(AF_INET, forward.host_address.c_str(), &address.sin_addr);
  return address;
}

bool listens_on(const FileDescriptor& socket, const Forward& forward) {
  sockaddr_in there = {}, wanted = address_of(forward);
  socklen_t size = sizeof there;
  return getsockname(socket.get(), reinterpret_cast<sockaddr*>(&there), &size) == 0 &&
         there.sin_family == AF_INET && there.sin_port == wanted.sin_port &&
         there.sin_addr.s_addr == wanted.sin_addr.s_addr;
}

// Lets the socket with this place in the group have all new clients.
bool choose(const FileDescriptor& member, std::uint32_t place) {
  sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, place)};
  const sock_fprog program = {1, code};
  return setsockopt(member.get(), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0;
}

bool join_group(const FileDescriptor& ours, const FileDescriptor& theirs) {
  const int yes = 1;
  for (const auto* socket : {&theirs, &ours})
    if (setsockopt(socket->get(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) != 0)
      return false;
  return listen(ours.get(), kBacklog) == 0 && choose(ours, kOurs);
}

std::string lost(const Forward& forward, const Error& error) {
  return fmt::format("clients that waited on TCP port {}:{} are lost: {}", forward.host_address,
                     forward.host_port, error.message);
}

// Of a socket that is not blocking.
void accept_all(const FileDescriptor& listener, std::vector<FileDescriptor>& clients) {
  while (FileDescriptor client{accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)})
    clients.push_back(std::move(client));
}

} // namespace

Result<ForwardedPorts> ForwardedPorts::hold(const std::vector<Forward>& forwards) {
  ForwardedPorts ports;
  for (const auto& forward : forwards) {
    if (forward.protocol != "tcp")
      continue;
    auto socket = take_port(forward);
    if (!socket)
      return socket.error();
    ports.ports_.push_back({forward, std::move(*socket)});
  }
  return ports;
}

void ForwardedPorts::take_clients(pid_t pid) {
  if (ports_.empty())
    return;
  const auto sockets = listening_sockets(pid);
  for (auto& port : ports_) {
    const auto theirs =
        std::ranges::find_if(sockets, [&](const auto& socket) { return listens_on(socket, port.forward); });
    if (port.state != State::held || theirs == sockets.end())
      continue;
    listen(theirs->get(), SOMAXCONN); // libslirp's own is 1
    if (!join_group(port.socket, *theirs)) {
      shutdown(port.socket.get(), SHUT_RDWR); // no longer listens
      continue;
    }
    port.state = State::waiting;
    // QEMU may accept one at the same time: then there is none to wait for.
    fcntl(theirs->get(), F_SETFL, fcntl(theirs->get(), F_GETFL) | O_NONBLOCK);
    accept_all(*theirs, port.clients);
  }
}

void ForwardedPorts::keep_clients() {
  for (auto& port : ports_)
    if (listen(port.socket.get(), kBacklog) == 0)
      port.state = State::kept;
}

bool ForwardedPorts::has_untaken() const {
  return std::ranges::any_of(ports_, [](const Port& port) { return port.state == State::held; });
}

std::vector<std::uint16_t> ForwardedPorts::awaited() const {
  std::vector<std::uint16_t> numbers;
  for (const auto& port : ports_)
    if (std::ranges::find(numbers, port.forward.guest_port) == numbers.end())
      numbers.push_back(port.forward.guest_port);
  return numbers;
}

std::string ForwardedPorts::id_of(const Forward& forward) {
  return fmt::format("forward {}:{}", forward.host_address, forward.host_port);
}

Result<void> ForwardedPorts::serve_early_clients(Port& port, FileDescriptor listener) {
  sockaddr_in server = address_of(port.forward);
  if (server.sin_addr.s_addr == htonl(INADDR_ANY))
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  TRY_LET(auto early, EarlyClients::serve(std::exchange(port.clients, {}), std::move(listener), server));
  early_.push_back(std::move(early));
  return {};
}

std::vector<std::string> ForwardedPorts::open(std::uint16_t guest_port, const std::string& guest_address,
                                              QemuMonitor& monitor) {
  std::vector<std::string> wrong;
  for (auto& port : ports_) {
    if (port.forward.guest_port != guest_port)
      continue;
    if (port.state == State::waiting) {
      choose(port.socket, kTheirs);
      if (const auto served = serve_early_clients(port, std::move(port.socket)); !served)
        wrong.push_back(lost(port.forward, served.error()));
    }
    if (port.state == State::kept) {
      accept_all(port.socket, port.clients);
      shutdown(port.socket.get(), SHUT_RDWR); // no longer listens, and keeps the port
      port.state = State::refused;
    }
    if (port.state == State::refused) {
      monitor.command(id_of(port.forward),
                      fmt::format("hostfwd_add network tcp:{}:{}-{}:{}", port.forward.host_address,
                                  port.forward.host_port, guest_address, guest_port));
      port.state = State::opening;
      continue;
    }
    if (port.state != State::opening)
      port.state = State::open;
  }
  return wrong;
}

std::vector<std::string> ForwardedPorts::take_answers(QemuMonitor& monitor, bool& opened) {
  std::vector<std::string> wrong;
  for (auto& port : ports_) {
    const auto answer = monitor.take_answer(id_of(port.forward));
    if (!answer || port.state != State::opening)
      continue;
    port.state = State::open;
    if (answer->empty()) {
      opened = true;
      if (!port.clients.empty())
        if (const auto served = serve_early_clients(port, {}); !served)
          wrong.push_back(lost(port.forward, served.error()));
    } else
      wrong.push_back(fmt::format("TCP port {}:{} does not lead to the program: QEMU says {}",
                                  port.forward.host_address, port.forward.host_port,
                                  answer->substr(0, answer->find_last_not_of("\r\n") + 1)));
  }
  return wrong;
}

void ForwardedPorts::on_start(Time now) {
  if (!ports_.empty())
    refuse_at_ = now + kPatience;
}

std::optional<ForwardedPorts::Time> ForwardedPorts::next_time() const {
  return refuse_at_;
}

void ForwardedPorts::refuse_clients(QemuMonitor& monitor) {
  refuse_at_.reset();
  for (auto& port : ports_) {
    if (port.state == State::kept) {
      shutdown(port.socket.get(), SHUT_RDWR);
      port.state = State::refused;
    }
    if (port.state != State::held && port.state != State::waiting)
      continue;
    // QEMU first: its answer says nothing of interest, and ours has the next clients until it is gone.
    monitor.command("refuse", fmt::format("hostfwd_remove network tcp:{}:{}", port.forward.host_address,
                                          port.forward.host_port));
    if (port.state == State::waiting)
      shutdown(port.socket.get(), SHUT_RDWR); // no longer listens, and keeps the port
    port.clients.clear();
    port.state = State::refused;
  }
}

} // namespace ukl
