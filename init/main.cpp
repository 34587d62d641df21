// SPDX-License-Identifier: GPL-2.0-only
// PID 1 of every image: from a bare kernel to the running program, and from its end to the end of the
// machine.
#include "boot_times.hpp"
#include "capabilities.hpp"
#include "cloud.hpp"
#include "console.hpp"
#include "control.hpp"
#include "ending.hpp"
#include "kernel_settings.hpp"
#include "limits.hpp"
#include "mounts.hpp"
#include "names.hpp"
#include "network.hpp"
#include "orders.hpp"
#include "processors.hpp"
#include "program.hpp"
#include "run_files.hpp"
#include "settings.hpp"
#include "volumes.hpp"

#include <unistd.h>

int main() {
  using namespace ukl;
  using namespace ukl::init;

  if (getpid() != 1)
    return pass_order_on();
  note_beginning();
  // Everything below names files in /proc, /sys and /dev.
  mount_file_systems();
  // From here on somebody sees what goes wrong …
  open_console();
  // … and learns with which status the machine ends.
  open_control(read_run_settings());
  tell_console("ready");
  check_root_tree();
  Manifest settings = read_settings();
  // `ukl run` asks whether a program gets to run at all under this accelerator.
  if (value_of(settings, key::probe) == "1")
    end_machine(0);

  check_processors(settings);
  // Where no `ukl run` has started the machine, its surroundings may say more: a disk, also of the network;
  // then the network of its own name servers; then a service in it.
  if (const auto said = settings_of_disk(settings); !said.empty())
    settings = take_cloud_settings(said);
  const Manifest learned = set_up_network(settings);
  if (const auto said = settings_of_service(settings); !said.empty())
    settings = take_cloud_settings(said);
  const Manifest told = settings;
  for (const auto& record : learned)
    if (value_of(told, record.first).empty())
      settings.push_back(record);
  set_names(settings);
  write_run_files(settings);
  set_capabilities(settings);
  set_kernel_settings(settings);
  mount_volumes(settings);
  set_limits(settings);
  end_machine(run_program(settings));
}
