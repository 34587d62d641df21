// SPDX-License-Identifier: GPL-2.0-only
#include "machine/virtiofs.hpp"

#include "machine/file_guard.hpp"
#include "ukl/manifest.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// A busy host may need seconds to start a program.
constexpr std::chrono::seconds kLongestStart{30};

// As many descriptors as the machine may know files, where we may ask for them.
constexpr rlim_t kDescriptors = 1000000;

// How the daemon may be shut in, best first.
struct Sandbox {
  bool own_user;    // in a user namespace whose root we are
  const char* mode; // virtiofsd's sandbox=
};

std::vector<Sandbox> sandboxes() {
  const bool without_root = geteuid() != 0;
  return {{without_root, "namespace"}, {without_root, "chroot"}};
}

// FUSE's option parser takes a comma for an end and a backslash for an escape.
std::string option_value(const std::string& text) {
  std::string escaped;
  for (const char character : text)
    escaped +=
        character == ',' || character == '\\' ? std::string{'\\', character} : std::string(1, character);
  return escaped;
}

// Everything that is done between fork and exec, prepared so far that only system calls are left.
class Preparation {
public:
  Preparation(const Volume& volume, const Sandbox& sandbox, const fs::path& stage)
      : own_user_(sandbox.own_user), users_(fmt::format("0 {} 1", geteuid())),
        groups_(fmt::format("0 {} 1", getegid())),
        filter_(file_guard_filter({volume.read_only, sandbox.own_user})) {
    if (volume.kind != VolumeKind::file)
      return;
    file_ = volume.host.string();
    stage_ = stage.string();
    place_ = (stage / kVolumeFile).string();
  }

  // Returns 0 or errno.
  int operator()() const {
    if (own_user_)
      if (const int error = become_root_of_our_own())
        return error;
    if (!file_.empty())
      if (const int error = stage_file())
        return error;
    const rlimit all = {kDescriptors, kDescriptors};
    rlimit now;
    if (setrlimit(RLIMIT_NOFILE, &all) != 0 && getrlimit(RLIMIT_NOFILE, &now) == 0) {
      now.rlim_cur = now.rlim_max;
      setrlimit(RLIMIT_NOFILE, &now);
    }
    return enter_file_guard(filter_);
  }

private:
  static int write_whole(const char* path, const std::string& text) {
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
      return errno;
    const int error = write(fd, text.data(), text.size()) < 0 ? errno : 0;
    close(fd);
    return error;
  }

  int become_root_of_our_own() const {
    if (unshare(CLONE_NEWUSER) != 0)
      return errno;
    // Linux wants this before it lets a user map the group (user_namespaces(7)); older ones lack the file.
    write_whole("/proc/self/setgroups", deny_);
    if (const int error = write_whole("/proc/self/uid_map", users_))
      return error;
    return write_whole("/proc/self/gid_map", groups_);
  }

  // virtiofsd shares folders: an empty one that cannot be changed, with the file mounted in it.
  int stage_file() const {
    const char* const stage = stage_.c_str();
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("stage", stage, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=755") != 0)
      return errno;
    const int fd = open(place_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
      return errno;
    close(fd);
    if (mount(file_.c_str(), place_.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
        mount(nullptr, stage, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, nullptr) != 0)
      return errno;
    return 0;
  }

  bool own_user_;
  std::string users_, groups_, deny_ = "deny", file_, stage_, place_;
  std::vector<sock_filter> filter_;
};

std::vector<std::string> daemon_command(const Volume& volume, const Sandbox& sandbox, const fs::path& source,
                                        int listener) {
  const std::vector<std::string> options = {
      "source=" + option_value(source.string()), fmt::format("sandbox={}", sandbox.mode),
      // What the machine remembers of a file is asked for again each time, since the host and other machines
      // change it too; its pages stay until the file's time or size is another.
      "cache=auto", "timeout=0", "no_readdirplus",
      // virtiofsd grants a lock at once or not at all: it refuses to wait, and even flock's LOCK_UN, which
      // Linux sends as a call that may wait. So locks go to the host only where others have to see them.
      volume.shared ? "flock" : "no_flock", volume.shared ? "posix_lock" : "no_posix_lock",
      // Extended attributes, without a question for security.capability before each write; lists that the
      // machine would not heed (ACLs) are refused.
      "xattr", "killpriv_v2", "no_posix_acl",
      // Neither devices nor capabilities of files.
      "modcaps=-mknod:-setfcap:-fsetid",
      // A file system mounted in the folder has inode numbers of its own.
      "announce_submounts", "log_level=err"};
  return {kVirtiofsd, fmt::format("--fd={}", listener), "--rlimit-nofile=0", "-o",
          fmt::format("{}", fmt::join(options, ","))};
}

// A listening socket and one connection to it, so that nobody else can connect.
struct SocketPair {
  FileDescriptor listener, connection;
};

Result<SocketPair> connected_sockets(const fs::path& folder) {
  SocketPair sockets{FileDescriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
                     FileDescriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))};
  // The folder's own name may be longer than a socket's address.
  const FileDescriptor inside(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  fmt::format_to_n(address.sun_path, sizeof address.sun_path - 1, "/proc/self/fd/{}/socket", inside.get());
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (bind(sockets.listener.get(), generic, sizeof address) != 0 || listen(sockets.listener.get(), 1) != 0 ||
      connect(sockets.connection.get(), generic, sizeof address) != 0)
    return file_error(folder / "socket", "create", errno);
  unlink((folder / "socket").c_str());
  return sockets;
}

// The head of every message of QEMU's docs/interop/vhost-user.rst.
struct MessageHead {
  std::uint32_t request, flags, size;
};
constexpr std::uint32_t kGetFeatures = 1;
constexpr std::uint32_t kVersion = 1;

// Asks for the daemon's features, as QEMU will again. It answers when its sandbox is closed. False if it
// ended instead, or took too long.
bool answers(const FileDescriptor& connection) {
  const MessageHead question = {kGetFeatures, kVersion, 0};
  if (send(connection.get(), &question, sizeof question, MSG_NOSIGNAL) != sizeof question)
    return false;
  std::array<char, sizeof(MessageHead) + sizeof(std::uint64_t)> answer = {};
  const auto end = std::chrono::steady_clock::now() + kLongestStart;
  for (std::size_t have = 0; have < answer.size();) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    pollfd readable = {connection.get(), POLLIN, 0};
    if (left <= 0)
      return false;
    const int ready = poll(&readable, 1, static_cast<int>(left));
    if (ready <= 0)
      continue; // a signal, or the time is over
    const ssize_t got = recv(connection.get(), answer.data() + have, answer.size() - have, 0);
    if (got == 0 || (got < 0 && errno != EINTR))
      return false;
    if (got > 0)
      have += static_cast<std::size_t>(got);
  }
  MessageHead head;
  std::memcpy(&head, answer.data(), sizeof head);
  return head.request == kGetFeatures && head.size == sizeof(std::uint64_t);
}

// What it said, in one line.
std::string last_words(const FileDescriptor& messages) {
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = read(messages.get(), buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

Error no_daemon(const Volume& volume, const std::string& why) {
  return Error{Failure::machine, fmt::format("cannot share {}: {}", volume.host.string(), why), ""};
}

} // namespace

Result<FolderDaemon> FolderDaemon::start(const Volume& volume) {
  if (access(kVirtiofsd, X_OK) != 0)
    return Error{Failure::missing_tool,
                 fmt::format("cannot share {}: there is no {}", volume.host.string(), kVirtiofsd),
                 "apt-get install qemu-system-common"};
  std::string refusals;
  for (const auto& sandbox : sandboxes()) {
    auto folder = TemporaryFolder::create("ukl-share");
    if (!folder)
      return folder.error();
    auto sockets = connected_sockets(folder->path());
    if (!sockets)
      return sockets.error();
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
      return file_error("pipe", "create", errno);
    FileDescriptor messages(ends[0]), far_messages(ends[1]);

    const Preparation preparation(volume, sandbox, folder->path());
    ProcessOptions options;
    options.standard_output = options.standard_error = far_messages.get();
    options.keep = {sockets->listener.get()};
    options.prepare = [&preparation] { return preparation(); };
    const auto source = volume.kind == VolumeKind::file ? folder->path() : volume.host;
    auto process = Process::start(daemon_command(volume, sandbox, source, sockets->listener.get()), options);
    sockets->listener = FileDescriptor();
    far_messages = FileDescriptor();
    if (process && answers(sockets->connection))
      return FolderDaemon(std::move(*process), std::move(sockets->connection), std::move(messages));
    const std::string why = process ? last_words(messages) : process.error().message;
    refusals += fmt::format("{}{}: {}", refusals.empty() ? "" : "; ", sandbox.mode, why);
  }
  return no_daemon(volume, fmt::format("virtiofsd cannot be shut in on this host ({})", refusals));
}

} // namespace ukl
