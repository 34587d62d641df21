// SPDX-License-Identifier: GPL-2.0-only
// Pipes, FIFOs, socket pairs, event descriptors and the calls that wait for them: poll, select, epoll.
#include "check.hpp"

#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <thread>
#include <vector>

namespace {

void between_processes() {
  int ends[2];
  REQUIRE_OK(pipe(ends));
  constexpr long total = 4 * 1024 * 1024;
  const pid_t writer = fork();
  if (writer == 0) {
    close(ends[0]);
    std::vector<unsigned char> block(7777);
    for (long sent = 0; sent < total;) {
      const auto size =
          static_cast<std::size_t>(std::min<long>(static_cast<long>(block.size()), total - sent));
      for (std::size_t i = 0; i < size; ++i)
        block[i] = static_cast<unsigned char>((sent + static_cast<long>(i)) % 253);
      for (std::size_t done = 0; done < size;) {
        const ssize_t put = write(ends[1], block.data() + done, size - done);
        if (put <= 0)
          _exit(1);
        done += static_cast<std::size_t>(put);
      }
      sent += static_cast<long>(size);
    }
    _exit(0);
  }
  close(ends[1]);
  std::vector<unsigned char> block(5000);
  long received = 0;
  for (ssize_t got; (got = read(ends[0], block.data(), block.size())) > 0; received += got)
    for (ssize_t i = 0; i < got; ++i)
      REQUIRE_EQ(block[static_cast<std::size_t>(i)], (received + i) % 253);
  REQUIRE_EQ(received, total);
  int status;
  REQUIRE_EQ(waitpid(writer, &status, 0), writer);
  REQUIRE_EXIT(status, 0);
  close(ends[0]);
}

void capacity_and_ends() {
  int ends[2];
  REQUIRE_OK(pipe2(ends, O_NONBLOCK));
  REQUIRE_EQ(fcntl(ends[1], F_GETPIPE_SZ), 65536);
  const std::string page(4096, 'p');
  for (int i = 0; i < 16; ++i)
    REQUIRE_EQ(write(ends[1], page.data(), 4096), 4096);
  REQUIRE_ERRNO(write(ends[1], "x", 1), EAGAIN);
  std::vector<char> all(70000);
  for (long got = 0; got < 65536;) {
    const ssize_t part = read(ends[0], all.data(), all.size());
    REQUIRE(part > 0);
    got += part;
  }
  REQUIRE_ERRNO(read(ends[0], all.data(), 1), EAGAIN);
  close(ends[1]);
  REQUIRE_EQ(read(ends[0], all.data(), 1), 0);
  close(ends[0]);

  REQUIRE_OK(pipe(ends));
  close(ends[0]);
  signal(SIGPIPE, SIG_IGN);
  REQUIRE_ERRNO(write(ends[1], "x", 1), EPIPE);
  signal(SIGPIPE, SIG_DFL);
  REQUIRE_KILLED(check::in_child([&] { (void)!write(ends[1], "x", 1); }), SIGPIPE);
  close(ends[1]);
}

void ring_of_processes() {
  // A token goes round eight processes a thousand times.
  constexpr int count = 8;
  int pipes[count][2];
  for (auto& ends : pipes)
    REQUIRE_OK(pipe(ends));
  std::vector<pid_t> children;
  for (int i = 0; i < count - 1; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      for (int number; read(pipes[i][0], &number, sizeof number) == sizeof number;) {
        if (number < 0)
          _exit(0);
        ++number;
        if (write(pipes[i + 1][1], &number, sizeof number) != sizeof number)
          _exit(1);
      }
      _exit(2);
    }
    children.push_back(child);
  }
  int number = 0;
  for (int round = 0; round < 1000; ++round) {
    REQUIRE_EQ(write(pipes[0][1], &number, sizeof number), sizeof number);
    REQUIRE_EQ(read(pipes[count - 1][0], &number, sizeof number), sizeof number);
  }
  REQUIRE_EQ(number, 1000 * (count - 1));
  number = -1;
  for (int i = 0; i < count - 1; ++i)
    REQUIRE_EQ(write(pipes[i][1], &number, sizeof number), sizeof number);
  for (const pid_t child : children) {
    int status;
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    REQUIRE_EXIT(status, 0);
  }
  for (auto& ends : pipes) {
    close(ends[0]);
    close(ends[1]);
  }
}

void fifo_and_splice() {
  char folder[] = "/tmp/ukl-pipes-XXXXXX";
  REQUIRE(mkdtemp(folder));
  const std::string name = std::string(folder) + "/fifo";
  REQUIRE_OK(mkfifo(name.c_str(), 0600));
  std::thread writer([&] {
    const int fd = open(name.c_str(), O_WRONLY);
    REQUIRE_EQ(write(fd, "through a fifo", 14), 14);
    close(fd);
  });
  const int fd = open(name.c_str(), O_RDONLY);
  REQUIRE_OK(fd);
  char text[32] = {};
  REQUIRE_EQ(read(fd, text, sizeof text), 14);
  REQUIRE(strcmp(text, "through a fifo") == 0);
  REQUIRE_EQ(read(fd, text, sizeof text), 0);
  writer.join();
  close(fd);

  const std::string path = std::string(folder) + "/file";
  const int file = open(path.c_str(), O_RDWR | O_CREAT, 0600);
  const std::string content(20000, 's');
  REQUIRE_EQ(write(file, content.data(), content.size()), content.size());
  int first[2], second[2];
  REQUIRE_OK(pipe(first));
  REQUIRE_OK(pipe(second));
  off_t offset = 0;
  REQUIRE_EQ(splice(file, &offset, first[1], nullptr, 20000, 0), 20000);
  REQUIRE_EQ(tee(first[0], second[1], 20000, 0), 20000);
  std::vector<char> copy(20000);
  REQUIRE_EQ(read(first[0], copy.data(), copy.size()), 20000);
  REQUIRE_EQ(memcmp(copy.data(), content.data(), 20000), 0);
  REQUIRE_EQ(read(second[0], copy.data(), copy.size()), 20000);
  REQUIRE_EQ(memcmp(copy.data(), content.data(), 20000), 0);
  for (const int end : {file, first[0], first[1], second[0], second[1]})
    close(end);
  unlink(path.c_str());
  unlink(name.c_str());
  rmdir(folder);
}

void descriptor_passing() {
  int pair[2];
  REQUIRE_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  const pid_t child = fork();
  if (child == 0) {
    const int memory = open("/proc/self/exe", O_RDONLY);
    char byte = 'f', control[CMSG_SPACE(sizeof(int))] = {};
    iovec vector{&byte, 1};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &memory, sizeof memory);
    _exit(sendmsg(pair[1], &message, 0) == 1 ? 0 : 1);
  }
  char byte = 0, control[CMSG_SPACE(sizeof(int))] = {};
  iovec vector{&byte, 1};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  REQUIRE_EQ(recvmsg(pair[0], &message, 0), 1);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  REQUIRE(header && header->cmsg_type == SCM_RIGHTS);
  int received;
  memcpy(&received, CMSG_DATA(header), sizeof received);
  char magic[4];
  REQUIRE_EQ(pread(received, magic, 4, 0), 4);
  REQUIRE_EQ(memcmp(magic, "\177ELF", 4), 0);
  int status;
  REQUIRE_EQ(waitpid(child, &status, 0), child);
  REQUIRE_EXIT(status, 0);
  for (const int end : {pair[0], pair[1], received})
    close(end);
}

void readiness() {
  int ends[2];
  REQUIRE_OK(pipe(ends));
  pollfd wait{ends[0], POLLIN, 0};
  double start = check::now();
  REQUIRE_EQ(poll(&wait, 1, 60), 0);
  REQUIRE(check::now() - start >= 0.059);
  std::thread later([&] {
    check::sleep_ms(30);
    REQUIRE_EQ(write(ends[1], "a", 1), 1);
  });
  REQUIRE_EQ(poll(&wait, 1, -1), 1);
  REQUIRE_EQ(wait.revents, POLLIN);
  later.join();
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  REQUIRE_EQ(select(ends[0] + 1, &set, nullptr, nullptr, nullptr), 1);
  char byte;
  REQUIRE_EQ(read(ends[0], &byte, 1), 1);

  const int epoll = epoll_create1(0), event = eventfd(0, EFD_NONBLOCK);
  epoll_event wanted{EPOLLIN | EPOLLET, {.u64 = 0x1122334455667788}};
  REQUIRE_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted));
  epoll_event got[4];
  REQUIRE_EQ(epoll_wait(epoll, got, 4, 0), 0);
  std::thread adder([&] {
    check::sleep_ms(20);
    REQUIRE_OK(eventfd_write(event, 41));
    REQUIRE_OK(eventfd_write(event, 1));
  });
  REQUIRE_EQ(epoll_wait(epoll, got, 4, 5000), 1);
  REQUIRE(got[0].data.u64 == 0x1122334455667788);
  adder.join();
  eventfd_t value = 0;
  REQUIRE_OK(eventfd_read(event, &value));
  REQUIRE_EQ(value, 42);
  start = check::now();
  REQUIRE_EQ(epoll_wait(epoll, got, 4, 0) >= 0, 1);
  for (const int fd : {epoll, event, ends[0], ends[1]})
    close(fd);
}

} // namespace

int main() {
  between_processes();
  capacity_and_ends();
  ring_of_processes();
  fifo_and_splice();
  descriptor_passing();
  readiness();
}
