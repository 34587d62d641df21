// SPDX-License-Identifier: GPL-2.0-only
#include "machine/private_network.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestFrame = 65536 + 64;
// Of frames that the machine has not taken yet.
constexpr std::size_t kMostKept = 1 << 20;
constexpr int kMostAtOnce = 64; // then the machine is looked after
// How long a sender waits for a process that does not take frames: it is stopped, or the host is busy.
constexpr timeval kPatience{0, 20000};
// Linux keeps ten datagrams of a socket, whatever their size (net.unix.max_dgram_qlen), and counts their
// bytes here.
constexpr int kSocketBytes = 1 << 20;

// The name of a card's socket: its address without colons.
std::string socket_name(const std::string& mac) {
  std::string name = mac;
  std::erase(name, ':');
  return name;
}

std::string name_of(const std::uint8_t* address) {
  return fmt::format("{:02x}{:02x}{:02x}{:02x}{:02x}{:02x}", address[0], address[1], address[2], address[3],
                     address[4], address[5]);
}

// Through the folder's descriptor, since the path may be longer than an address of a socket.
sockaddr_un address_in(int folder, const std::string& name) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  fmt::format_to_n(address.sun_path, sizeof address.sun_path - 1, "/proc/self/fd/{}/{}", folder, name);
  return address;
}

bool send_to(int from, int folder, const std::string& name, const std::uint8_t* frame, std::size_t size) {
  const auto address = address_in(folder, name);
  return sendto(from, frame, size, MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                sizeof address) >= 0;
}

std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  const int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* entries = copy < 0 ? nullptr : fdopendir(copy);
  if (!entries && copy >= 0)
    close(copy);
  while (const dirent* entry = entries ? readdir(entries) : nullptr)
    if (entry->d_type == DT_SOCK || entry->d_type == DT_UNKNOWN)
      names.emplace_back(entry->d_name);
  if (entries)
    closedir(entries);
  return names;
}

// The socket of the card in the folder; errno if not. One that a killed machine has left makes room.
int bind_in(int folder, const std::string& name, int socket) {
  const auto address = address_in(folder, name);
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  if (bind(socket, where, sizeof address) == 0)
    return 0;
  if (errno != EADDRINUSE)
    return errno;
  const FileDescriptor probe(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (connect(probe.get(), where, sizeof address) == 0 || errno != ECONNREFUSED)
    return EADDRINUSE;
  unlinkat(folder, name.c_str(), 0);
  return bind(socket, where, sizeof address) == 0 ? 0 : errno;
}

} // namespace

class PrivatePort::Traffic {
public:
  Traffic(fs::path folder, FileDescriptor opened, std::string name, FileDescriptor own)
      : path_(std::move(folder)), folder_(std::move(opened)), name_(std::move(name)), own_(std::move(own)) {}
  Traffic(const Traffic&) = delete;

  Result<void> begin() {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) != 0)
      return file_error("a network card", "make", errno);
    ours_ = FileDescriptor(pair[0]);
    qemus_ = FileDescriptor(pair[1]);
    end_ = FileDescriptor(eventfd(0, EFD_CLOEXEC));
    for (const int socket : {ours_.get(), qemus_.get(), own_.get()})
      setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &kSocketBytes, sizeof kSocketBytes);
    setsockopt(own_.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    // Signals are for the thread that has always been there.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    outwards_ = std::jthread([this] { send_out(); });
    inwards_ = std::jthread([this] { take_in(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return {};
  }

  ~Traffic() {
    if (own_ && folder_)
      unlinkat(folder_.get(), name_.c_str(), 0);
    // Others may be in it.
    rmdir(path_.c_str());
    shutdown(ours_.get(), SHUT_RDWR);
    eventfd_write(end_.get(), 1);
  }

  int qemus_end() const { return qemus_.get(); }
  void close_far_end() { qemus_ = FileDescriptor(); }

private:
  // What the machine sends, until it has ended.
  void send_out() const {
    std::vector<std::uint8_t> frame(kLongestFrame);
    while (true) {
      const ssize_t got = recv(ours_.get(), frame.data(), frame.size(), 0);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return;
      const auto size = static_cast<std::size_t>(got);
      constexpr std::size_t kAddress = 6;
      if (size < 2 * kAddress)
        continue;
      const bool for_all = (frame[0] & 1) != 0; // IEEE 802.3, 3.2.3: a group's address
      if (!for_all) {
        send_to(own_.get(), folder_.get(), name_of(frame.data()), frame.data(), size);
        continue;
      }
      for (const auto& other : names_in(folder_.get()))
        if (other != name_)
          send_to(own_.get(), folder_.get(), other, frame.data(), size);
    }
  }

  // What others send: taken at once, and given to the machine as it takes it.
  void take_in() const {
    std::vector<std::uint8_t> frame(kLongestFrame);
    std::deque<std::vector<std::uint8_t>> kept;
    std::size_t kept_bytes = 0;
    while (true) {
      std::array<pollfd, 3> ready = {
          {{end_.get(), POLLIN, 0}, {own_.get(), POLLIN, 0}, {kept.empty() ? -1 : ours_.get(), POLLOUT, 0}}};
      if (poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR)
        return;
      if (ready[0].revents != 0)
        return;
      for (int taken = 0; taken < kMostAtOnce; ++taken) {
        const ssize_t got = recv(own_.get(), frame.data(), frame.size(), MSG_DONTWAIT);
        if (got < 0)
          break;
        const auto size = static_cast<std::size_t>(got);
        if (kept_bytes + size > kMostKept)
          continue; // dropped
        kept.emplace_back(frame.begin(), frame.begin() + got);
        kept_bytes += size;
      }
      while (!kept.empty() &&
             (send(ours_.get(), kept.front().data(), kept.front().size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
              (errno != EAGAIN && errno != EWOULDBLOCK))) {
        kept_bytes -= kept.front().size();
        kept.pop_front();
      }
    }
  }

  fs::path path_;
  FileDescriptor folder_;
  std::string name_;
  FileDescriptor own_, ours_, qemus_, end_;
  std::jthread outwards_, inwards_;
};

Result<PrivatePort> PrivatePort::join(const fs::path& folder, const std::string& mac) {
  const auto name = socket_name(mac);
  // Its last machine may remove the folder at any moment.
  constexpr int kAttempts = 100;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::error_code failure;
    fs::create_directories(folder.parent_path(), failure);
    if (failure)
      return file_error(folder.parent_path(), "create", failure.value());
    if (mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST)
      return file_error(folder, "create", errno);
    FileDescriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    FileDescriptor own(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const int failed = !opened ? errno : bind_in(opened.get(), name, own.get());
    if (failed == ENOENT)
      continue;
    if (failed == EADDRINUSE)
      return Error{
          Failure::port_in_use,
          fmt::format("a machine with the address {} is on the network {}", mac, folder.filename().string()),
          "give one of them another: ,mac=MAC behind --network"};
    if (failed != 0)
      return file_error(folder / name, "create", failed);
    auto traffic = std::make_unique<Traffic>(folder, std::move(opened), name, std::move(own));
    TRY(traffic->begin());
    return PrivatePort(std::move(traffic));
  }
  return file_error(folder, "create", ENOENT);
}

PrivatePort::PrivatePort(std::unique_ptr<Traffic> traffic) : traffic_(std::move(traffic)) {}
PrivatePort::PrivatePort(PrivatePort&& other) noexcept = default;
PrivatePort::~PrivatePort() = default;

int PrivatePort::qemus_end() const {
  return traffic_->qemus_end();
}

void PrivatePort::close_far_end() {
  traffic_->close_far_end();
}

} // namespace ukl
