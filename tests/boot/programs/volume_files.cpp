// SPDX-License-Identifier: GPL-2.0-only
// What a program may expect of the files on a volume. The first argument is what to try, the second the
// folder (or the file) to try it in. `right` has to pass on every file system of the host.
#include "check.hpp"

#include <cstdint>
#include <dirent.h>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

namespace {

std::string folder;

std::string in(const std::string& name) {
  return folder + "/" + name;
}

int open_new(const std::string& name, const std::string& text, int flags = O_RDWR) {
  unlink(in(name).c_str());
  const int fd = open(in(name).c_str(), flags | O_CREAT | O_EXCL, 0644);
  REQUIRE_OK(fd);
  REQUIRE_EQ(write(fd, text.data(), text.size()), text.size());
  return fd;
}

std::string text_of(const std::string& name) {
  const int fd = open(in(name).c_str(), O_RDONLY);
  REQUIRE_OK(fd);
  char buffer[65536];
  const ssize_t got = read(fd, buffer, sizeof buffer);
  REQUIRE_OK(got);
  close(fd);
  return std::string(buffer, static_cast<std::size_t>(got));
}

struct stat status_of(const std::string& name) {
  struct stat status;
  REQUIRE_OK(lstat(in(name).c_str(), &status));
  return status;
}

struct stat status_of(int fd) {
  struct stat status;
  REQUIRE_OK(fstat(fd, &status));
  return status;
}

// A descriptor stays with its file when another takes the name.
void renamed_over() {
  const int old = open_new("name", "old old old o");
  close(open_new("new", "new new new n"));
  REQUIRE_OK(rename(in("new").c_str(), in("name").c_str()));
  REQUIRE_OK(ftruncate(old, 0));
  REQUIRE_OK(fchmod(old, 0));
  REQUIRE(text_of("name") == "new new new n");
  REQUIRE_EQ(status_of("name").st_mode & 07777, 0644);
  REQUIRE_EQ(status_of(old).st_size, 0);
  REQUIRE_EQ(status_of(old).st_mode & 07777, 0);
  REQUIRE_EQ(status_of(old).st_nlink, 0);
  REQUIRE(status_of(old).st_ino != status_of("name").st_ino);
  REQUIRE_EQ(pwrite(old, "still", 5, 0), 5);
  char back[5];
  REQUIRE_EQ(pread(old, back, 5, 0), 5);
  REQUIRE(memcmp(back, "still", 5) == 0);
  close(old);
}

// So does it when the file, or the folder that it is in, is moved.
void moved() {
  REQUIRE(mkdir(in("from").c_str(), 0755) == 0 || errno == EEXIST);
  const int fd = open_new("from/file", "text");
  REQUIRE_OK(rename(in("from/file").c_str(), in("moved").c_str()));
  close(open_new("from/file", "another"));
  REQUIRE_OK(ftruncate(fd, 2));
  REQUIRE_OK(fchmod(fd, 0600));
  REQUIRE(text_of("moved") == "te" && text_of("from/file") == "another");
  const int inside = open(in("from/file").c_str(), O_RDWR);
  REQUIRE_OK(inside);
  REQUIRE_OK(rename(in("from").c_str(), in("to").c_str()));
  REQUIRE_OK(ftruncate(inside, 1));
  REQUIRE(text_of("to/file") == "a");
  close(inside);
  close(fd);
  REQUIRE_OK(unlink(in("to/file").c_str()));
  REQUIRE_OK(rmdir(in("to").c_str()));
}

void removed_while_open() {
  const int fd = open_new("removed", "text");
  REQUIRE_OK(unlink(in("removed").c_str()));
  REQUIRE_EQ(status_of(fd).st_nlink, 0);
  REQUIRE_OK(ftruncate(fd, 8192));
  REQUIRE_EQ(status_of(fd).st_size, 8192);
  REQUIRE_OK(fchmod(fd, 0600));
  REQUIRE_EQ(status_of(fd).st_mode & 07777, 0600);
  const timespec times[2] = {{1000, 1}, {2000, 2}};
  REQUIRE_OK(futimens(fd, times));
  REQUIRE_EQ(status_of(fd).st_mtim.tv_nsec, 2);
  auto* memory = static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  REQUIRE(memory != MAP_FAILED);
  REQUIRE(memcmp(memory, "text", 4) == 0);
  memory[5000] = 'x';
  REQUIRE_OK(msync(memory, 8192, MS_SYNC));
  char byte = 0;
  REQUIRE_EQ(pread(fd, &byte, 1, 5000), 1);
  REQUIRE_EQ(byte, 'x');
  REQUIRE_OK(munmap(memory, 8192));
  REQUIRE_OK(fsync(fd));
  close(fd);
}

// Stores through a shared mapping and pwrite, in turns, in the same pages.
void mapping_and_writes() {
  const int fd = open_new("mapped", std::string(8192, '.'));
  auto* memory = static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  REQUIRE(memory != MAP_FAILED);
  std::string wanted(8192, '.');
  for (int round = 0; round < 64; ++round) {
    const auto at = static_cast<std::size_t>(round) * 120;
    memory[at] = wanted[at] = static_cast<char>('a' + round % 26);
    const char letter = wanted[at + 60] = static_cast<char>('A' + round % 26);
    REQUIRE_EQ(pwrite(fd, &letter, 1, static_cast<off_t>(at) + 60), 1);
    REQUIRE_EQ(memory[at + 60], letter);
    char back = 0;
    REQUIRE_EQ(pread(fd, &back, 1, static_cast<off_t>(at)), 1);
    REQUIRE_EQ(back, wanted[at]);
    if (round % 16 == 15)
      REQUIRE_OK(msync(memory, 8192, MS_SYNC));
  }
  REQUIRE_OK(munmap(memory, 8192));
  close(fd);
  REQUIRE(text_of("mapped") == wanted);
}

int lock_range(int fd, short type, int command = F_SETLK, off_t start = 0, off_t length = 0) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = start;
  lock.l_len = length;
  return fcntl(fd, command, &lock);
}

// flock and fcntl know nothing of each other, and each holds against whom it should.
void locks() {
  const int first = open_new("lock", "0123456789"), second = open(in("lock").c_str(), O_RDWR);
  REQUIRE_OK(second);
  REQUIRE_OK(flock(first, LOCK_EX | LOCK_NB));
  REQUIRE_OK(lock_range(second, F_WRLCK));
  REQUIRE_ERRNO(flock(second, LOCK_SH | LOCK_NB), EWOULDBLOCK);
  REQUIRE_OK(lock_range(first, F_WRLCK));
  REQUIRE_EXIT(check::in_child([&] {
                 const int mine = open(in("lock").c_str(), O_RDWR);
                 REQUIRE_ERRNO(flock(mine, LOCK_SH | LOCK_NB), EWOULDBLOCK);
                 REQUIRE(lock_range(mine, F_RDLCK) == -1 && (errno == EAGAIN || errno == EACCES));
                 struct flock found = {};
                 found.l_type = F_WRLCK;
                 REQUIRE_OK(fcntl(mine, F_GETLK, &found));
                 REQUIRE_EQ(found.l_type, F_WRLCK);
               }),
               0);
  REQUIRE_OK(flock(first, LOCK_UN));
  REQUIRE_OK(lock_range(first, F_UNLCK));
  REQUIRE_OK(lock_range(first, F_RDLCK, F_SETLK, 0, 5));
  REQUIRE_EXIT(check::in_child([&] {
                 const int mine = open(in("lock").c_str(), O_RDWR);
                 REQUIRE_OK(flock(mine, LOCK_EX | LOCK_NB));
                 REQUIRE_OK(lock_range(mine, F_RDLCK, F_SETLK, 0, 5));
                 REQUIRE_OK(lock_range(mine, F_WRLCK, F_SETLK, 5, 5));
                 REQUIRE(lock_range(mine, F_WRLCK, F_SETLK, 4, 2) == -1 &&
                         (errno == EAGAIN || errno == EACCES));
               }),
               0);
  // A process that ended has no locks, and a closed descriptor takes the process's with it.
  REQUIRE_OK(flock(second, LOCK_EX | LOCK_NB));
  REQUIRE_OK(lock_range(second, F_WRLCK));
  close(second);
  REQUIRE_EXIT(check::in_child([&] {
                 const int mine = open(in("lock").c_str(), O_RDWR);
                 REQUIRE_OK(flock(mine, LOCK_EX | LOCK_NB));
                 REQUIRE_OK(lock_range(mine, F_WRLCK));
               }),
               0);
  // Locks of an open file description.
  const int third = open(in("lock").c_str(), O_RDWR);
  REQUIRE_OK(lock_range(first, F_WRLCK, F_OFD_SETLK));
  REQUIRE(lock_range(third, F_WRLCK, F_OFD_SETLK) == -1 && errno == EAGAIN);
  REQUIRE_OK(lock_range(first, F_UNLCK, F_OFD_SETLK));
  REQUIRE_OK(lock_range(third, F_WRLCK, F_OFD_SETLK));
  REQUIRE_OK(lock_range(third, F_UNLCK, F_OFD_SETLK));
  close(third);
  close(first);
}

void fifo_and_socket() {
  unlink(in("fifo").c_str());
  REQUIRE_OK(mkfifo(in("fifo").c_str(), 0600));
  REQUIRE(S_ISFIFO(status_of("fifo").st_mode));
  const int fd = open(in("fifo").c_str(), O_RDWR);
  REQUIRE_OK(fd);
  REQUIRE_EQ(write(fd, "through", 7), 7);
  char back[7];
  REQUIRE_EQ(read(fd, back, 7), 7);
  REQUIRE(memcmp(back, "through", 7) == 0);
  close(fd);

  unlink(in("socket").c_str());
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", in("socket").c_str());
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE_OK(bind(listener, generic, sizeof address));
  REQUIRE(S_ISSOCK(status_of("socket").st_mode));
  REQUIRE_OK(listen(listener, 1));
  REQUIRE_OK(connect(client, generic, sizeof address));
  close(client);
  close(listener);
}

void times() {
  const int fd = open_new("times", "x");
  const timespec wanted[2] = {{1111111111, 123456789}, {1222222222, 987654321}};
  REQUIRE_OK(utimensat(AT_FDCWD, in("times").c_str(), wanted, 0));
  REQUIRE_EQ(status_of("times").st_mtim.tv_sec, 1222222222);
  REQUIRE_EQ(status_of("times").st_mtim.tv_nsec, 987654321);
  REQUIRE_EQ(status_of("times").st_atim.tv_nsec, 123456789);
  const timespec others[2] = {{1111111111, 5}, {1222222222, 7}};
  REQUIRE_OK(futimens(fd, others));
  REQUIRE_EQ(status_of(fd).st_mtim.tv_nsec, 7);
  REQUIRE_OK(utimensat(AT_FDCWD, in("times").c_str(), wanted, 0));
  close(fd);
}

void names_and_links() {
  close(open_new("one", "1"));
  close(open_new("two", "2"));
  unlink(in("hard").c_str());
  unlink(in("soft").c_str());
  REQUIRE_OK(link(in("one").c_str(), in("hard").c_str()));
  REQUIRE_EQ(status_of("one").st_nlink, 2);
  REQUIRE_EQ(status_of("hard").st_ino, status_of("one").st_ino);
  REQUIRE_OK(symlink("one", in("soft").c_str()));
  REQUIRE(text_of("soft") == "1");
  REQUIRE_ERRNO(renameat2(AT_FDCWD, in("one").c_str(), AT_FDCWD, in("two").c_str(), RENAME_NOREPLACE),
                EEXIST);
  REQUIRE_OK(renameat2(AT_FDCWD, in("one").c_str(), AT_FDCWD, in("two").c_str(), RENAME_EXCHANGE));
  REQUIRE(text_of("one") == "2" && text_of("two") == "1");
  const int fd = open(in("one").c_str(), O_WRONLY | O_APPEND);
  REQUIRE_OK(fd);
  REQUIRE_EQ(write(fd, "+", 1), 1);
  REQUIRE_EQ(pwrite(fd, "+", 1, 0), 1);
  REQUIRE(text_of("one") == "2++");
  close(fd);
  REQUIRE_ERRNO(open(in("one").c_str(), O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
  // Reading a folder goes on while its files are removed.
  REQUIRE(mkdir(in("many").c_str(), 0755) == 0 || errno == EEXIST);
  for (int number = 0; number < 300; ++number)
    close(open_new("many/" + std::to_string(number), ""));
  DIR* directory = opendir(in("many").c_str());
  REQUIRE(directory != nullptr);
  int seen = 0;
  while (const dirent* entry = readdir(directory))
    if (entry->d_name[0] != '.') {
      ++seen;
      REQUIRE_OK(unlink(in(std::string("many/") + entry->d_name).c_str()));
    }
  REQUIRE_EQ(seen, 300);
  closedir(directory);
  REQUIRE_OK(rmdir(in("many").c_str()));
}

void attributes_and_space() {
  const int fd = open_new("attributes", "x");
  REQUIRE_OK(fsetxattr(fd, "user.colour", "blue", 4, 0));
  char value[8];
  REQUIRE_EQ(getxattr(in("attributes").c_str(), "user.colour", value, sizeof value), 4);
  REQUIRE(memcmp(value, "blue", 4) == 0);
  REQUIRE_OK(removexattr(in("attributes").c_str(), "user.colour"));
  REQUIRE_OK(fallocate(fd, 0, 0, 1 << 20));
  REQUIRE_EQ(status_of(fd).st_size, 1 << 20);
  REQUIRE_EQ(pwrite(fd, "end", 3, (off_t(1) << 33)), 3);
  REQUIRE_EQ(status_of(fd).st_size, (off_t(1) << 33) + 3);
  REQUIRE_OK(ftruncate(fd, 0));
  close(fd);
}

void right() {
  renamed_over();
  moved();
  removed_while_open();
  mapping_and_writes();
  locks();
  fifo_and_socket();
  times();
  names_and_links();
  attributes_and_space();
}

// Where files are served by path, what cannot be right is refused, and the rest is right.
void by_path() {
  const int fd = open_new("mapped", std::string(4096, '.'));
  REQUIRE(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
  REQUIRE_EQ(errno, EINVAL);
  const void* memory = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  REQUIRE(memory != MAP_FAILED && *static_cast<const char*>(memory) == '.');
  close(fd);
}

// A machine gives no power on the host: neither bits nor devices nor capabilities.
void no_power() {
  const int fd = open_new("program", "#!/bin/sh\n");
  for (const mode_t mode : {04755, 02755, 06711}) {
    REQUIRE_ERRNO(chmod(in("program").c_str(), mode), EPERM);
    REQUIRE_ERRNO(fchmod(fd, mode), EPERM);
  }
  REQUIRE_OK(chmod(in("program").c_str(), 01755));
  REQUIRE_OK(chmod(in("program").c_str(), 0755));
  REQUIRE_EQ(status_of("program").st_mode & 07777, 0755);
  unlink(in("born").c_str());
  REQUIRE_ERRNO(open(in("born").c_str(), O_CREAT | O_RDWR, 04755), EPERM);
  REQUIRE_ERRNO(mknod(in("born").c_str(), S_IFREG | 04755, 0), EPERM);
  REQUIRE_ERRNO(mknod(in("born").c_str(), S_IFCHR | 0666, makedev(1, 8)), EPERM);
  REQUIRE_ERRNO(mknod(in("born").c_str(), S_IFBLK | 0666, makedev(254, 0)), EPERM);
  REQUIRE_ERRNO(access(in("born").c_str(), F_OK), ENOENT);
  // VFS_CAP_REVISION_2 with every capability effective (linux/capability.h).
  const std::uint32_t capabilities[5] = {0x02000001, 0xffffffff, 0, 0xffffffff, 0};
  REQUIRE(fsetxattr(fd, "security.capability", capabilities, sizeof capabilities, 0) == -1 &&
          (errno == EOPNOTSUPP || errno == EPERM));
  close(fd);
}

// Nothing changes what is read-only. The machine might mount it again for itself: the host still says no.
void read_only() {
  REQUIRE(text_of("given") == "given\n");
  const auto refused = [](int wanted) {
    REQUIRE_ERRNO(open(in("given").c_str(), O_WRONLY), wanted);
    REQUIRE_ERRNO(open(in("fresh").c_str(), O_CREAT | O_RDWR, 0600), wanted);
    REQUIRE_ERRNO(unlink(in("given").c_str()), wanted);
    REQUIRE_ERRNO(rename(in("given").c_str(), in("fresh").c_str()), wanted);
    REQUIRE_ERRNO(mkdir(in("fresh").c_str(), 0755), wanted);
    REQUIRE_ERRNO(chmod(in("given").c_str(), 0777), wanted);
    REQUIRE_ERRNO(truncate(in("given").c_str(), 0), wanted);
    REQUIRE_ERRNO(symlink("given", in("fresh").c_str()), wanted);
  };
  refused(EROFS);
  const int fd = open(in("given").c_str(), O_RDONLY);
  REQUIRE_OK(fd);
  REQUIRE_OK(lock_range(fd, F_RDLCK));
  close(fd);
  // A machine that forgets that it was told so.
  REQUIRE_OK(mount(nullptr, folder.c_str(), nullptr, MS_REMOUNT | MS_BIND, nullptr));
  mount(nullptr, folder.c_str(), nullptr, MS_REMOUNT, nullptr);
  refused(EROFS);
  REQUIRE(text_of("given") == "given\n");
}

// Takes both locks, says whether it got them, and keeps them until the file `go` appears.
void hold_locks() {
  const int fd = open(in("lock").c_str(), O_RDWR | O_CREAT, 0600);
  REQUIRE_OK(fd);
  const bool whole = flock(fd, LOCK_EX | LOCK_NB) == 0;
  printf("flock %s\n", whole ? "held" : strerror(errno));
  const bool range = lock_range(fd, F_WRLCK) == 0;
  printf("fcntl %s\n", range ? "held" : strerror(errno));
  fflush(stdout);
  while (whole && range && access(in("go").c_str(), F_OK) != 0)
    check::sleep_ms(50);
}

// A lock that has to be waited for is refused where the host cannot wait: never granted wrongly.
void waiting_locks() {
  const int fd = open_new("waiting", "x");
  printf("flock %s\n", flock(fd, LOCK_EX) == 0 ? "held" : strerror(errno));
  printf("fcntl %s\n", lock_range(fd, F_WRLCK, F_SETLKW) == 0 ? "held" : strerror(errno));
  close(fd);
}

// Counts in a file under a lock, as another machine does at the same time.
void count() {
  puts("counting");
  fflush(stdout);
  for (int done = 0; done < 50;) {
    const int fd = open(in("count").c_str(), O_RDWR | O_CREAT, 0600);
    REQUIRE_OK(fd);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
      char digits[32] = {};
      REQUIRE_OK(pread(fd, digits, sizeof digits - 1, 0));
      const auto text = std::to_string(atoi(digits) + 1);
      REQUIRE_EQ(pwrite(fd, text.data(), text.size(), 0), text.size());
      ++done;
    } else {
      REQUIRE_EQ(errno, EWOULDBLOCK);
    }
    close(fd);
    check::sleep_ms(done % 3);
  }
}

// What was synced is on the host, whatever becomes of the machine.
void sync_and_wait() {
  const int fd = open_new("synced", std::string(100000, 's'));
  REQUIRE_OK(fsync(fd));
  auto* memory = static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  REQUIRE(memory != MAP_FAILED);
  memory[0] = 'm';
  REQUIRE_OK(msync(memory, 4096, MS_SYNC));
  puts("synced");
  fflush(stdout);
  for (;;)
    check::sleep_ms(1000);
}

// The volume is one file.
void one_file() {
  struct stat status;
  REQUIRE_OK(stat(folder.c_str(), &status));
  REQUIRE(S_ISREG(status.st_mode));
  const int fd = open(folder.c_str(), O_RDWR | O_APPEND);
  if (fd < 0) {
    REQUIRE_EQ(errno, EROFS);
    puts("read-only");
    return;
  }
  REQUIRE_EQ(write(fd, "from inside\n", 12), 12);
  REQUIRE_OK(fchmod(fd, 0640));
  REQUIRE_OK(flock(fd, LOCK_EX | LOCK_NB));
  close(fd);
}

} // namespace

int main(int count_of_arguments, char** arguments) {
  if (count_of_arguments != 3)
    return 2;
  const std::string what = arguments[1];
  folder = arguments[2];
  const struct {
    const char* name;
    void (*run)();
  } trials[] = {{"right", right},         {"by-path", by_path},       {"no-power", no_power},
                {"read-only", read_only}, {"hold-locks", hold_locks}, {"waiting-locks", waiting_locks},
                {"count", count},         {"sync", sync_and_wait},    {"one-file", one_file}};
  for (const auto& trial : trials)
    if (what == trial.name) {
      trial.run();
      printf("%s done\n", trial.name);
      return 0;
    }
  return 2;
}
