// SPDX-License-Identifier: GPL-2.0-only
// PID 1 of every image: from a bare kernel to the running program, and from its end to the end of the
// machine.
#include "boot_times.hpp"
#include "console.hpp"
#include "control.hpp"
#include "ending.hpp"
#include "kernel_settings.hpp"
#include "limits.hpp"
#include "mounts.hpp"
#include "names.hpp"
#include "network.hpp"
#include "processors.hpp"
#include "program.hpp"
#include "run_files.hpp"
#include "settings.hpp"
#include "volumes.hpp"

int main() {
  using namespace ukl;
  using namespace ukl::init;

  note_beginning();
  // Everything below names files in /proc, /sys and /dev.
  mount_file_systems();
  // From here on somebody sees what goes wrong …
  open_console();
  // … and learns with which status the machine ends.
  open_control(read_run_settings());
  check_root_tree();
  const Manifest settings = read_settings();
  // `ukl run` asks whether a program gets to run at all under this accelerator.
  if (value_of(settings, key::probe) == "1")
    end_machine(0);

  check_processors(settings);
  set_names(settings);
  write_run_files(settings);
  set_up_network(settings);
  set_kernel_settings(settings);
  mount_volumes(settings);
  set_limits(settings);
  end_machine(run_program(settings));
}
