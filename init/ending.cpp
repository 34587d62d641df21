// SPDX-License-Identifier: GPL-2.0-only
#include "ending.hpp"

#include "boot_times.hpp"
#include "control.hpp"
#include "fields.hpp"
#include "last_bytes.hpp"
#include "power.hpp"
#include "settings.hpp"
#include "streams.hpp"
#include "ukl/run_settings.hpp"
#include "volumes.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace ukl::init {
namespace {

bool ending = false;

// Linux announces the end of the machine at its most urgent level. On the console that would look like output
// of the program; level 0 lets nothing through.
void silence_kernel() {
  const int fd = open("/proc/sys/kernel/printk", O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  if (write(fd, "0", 1) < 0)
    say("cannot silence the kernel" + reason());
  close(fd);
}

void end_processes() {
  kill(-1, SIGKILL);
  while (waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
}

// What `ukl run --trace-calls` waits for; the file is there only then.
void report_traced_calls() {
  const std::string list = read_whole(kTracedCalls);
  unsigned number = 0;
  for (Fields lines(list.c_str()); lines.number(number).ok();)
    report("call " + std::to_string(number));
}

// What the host has not taken yet is in QEMU's hands, and would go with it.
void ask_whether_all_arrived() {
  report("sent");
  while (control_descriptor() >= 0)
    for (const auto& message : read_control())
      if (message.word == "received")
        return;
}

// Linux asks a keyboard controller for a reset first, for seconds if there is none; a triple fault resets
// every machine at once.
void choose_fastest_reset() {
  const int fd = open("/sys/kernel/reboot/type", O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  if (write(fd, "triple", 6) < 0)
    say("cannot choose how to reset" + reason());
  close(fd);
}

void write_console(const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = write(STDERR_FILENO, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR)
      return;
    if (written > 0)
      done += static_cast<std::size_t>(written);
  }
}

} // namespace

void tell_console(const std::string& word) {
  if (value_of(read_run_settings(), key::console_status) == "1")
    write_console(std::string(kConsoleWordBegin) + word + std::string(kConsoleWordEnd));
}

void say(const std::string& text) {
  write_console("ukl-init: " + text + "\n");
}

void fail(const std::string& text) {
  say(text);
  end_machine(kInitFailed);
}

std::string reason() {
  return std::string(": ") + strerror(errno);
}

void end_machine(int status) {
  // A volume that cannot be unmounted calls fail(), which must not come back here for ever.
  if (!ending) {
    ending = true;
    report("ended");
    end_processes();
    if (!unmount_volumes() && status == 0)
      status = kInitFailed;
    sync();
    report("safe " + std::to_string(status));
    finish_streams();
    wait_for_delivery();
  }
  tell_console("status " + std::to_string(status));
  // Whoever reads the status may stop the machine at once, so the console's last byte has to be out.
  tcdrain(STDERR_FILENO);
  report_traced_calls();
  report_initcalls();
  ask_whether_all_arrived();
  report("status " + std::to_string(status));
  silence_kernel();
  // Linux would halt for ever instead; hypervisors end such a machine at its reset.
  if (can_switch_off())
    reboot(RB_POWER_OFF);
  choose_fastest_reset();
  reboot(RB_AUTOBOOT);
  while (true)
    pause();
}

} // namespace ukl::init
