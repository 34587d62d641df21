// SPDX-License-Identifier: GPL-2.0-only
#include "commands/guest_options.hpp"

#include "commands/command.hpp"

namespace ukl {

void add_guest_options(CLI::App& command, GuestSettings& settings, GuestDefaults defaults) {
  const bool own = defaults == GuestDefaults::own;
  const auto otherwise = [&](const std::string& help, const char* value) {
    return own ? help + " (default: " + value + ")" : help;
  };
  command.add_option("--cwd", settings.directory, otherwise("The program's working directory", "/"))
      ->type_name("PATH");
  command
      .add_option("--user", settings.user,
                  own ? "Runs the program as UID:GID or as a user of this machine (default: root)"
                      : "Runs the program as UID:GID or as a user of the image")
      ->type_name("USER");
  add_repeatable(command, "--group-add", settings.groups, "A further group of that user, as a number")
      ->type_name("GID");
  command.add_option("--hostname", settings.hostname, otherwise("The machine's name", "the program's"))
      ->type_name("NAME");
  add_repeatable(command, "--address", settings.addresses,
                 otherwise("IPv4 or IPv6 address with prefix length, one of each; dhcp and slaac: whichever "
                           "the network gives; or none",
                           "10.0.2.15/24"))
      ->type_name("ADDRESS/LENGTH");
  add_repeatable(
      command, "--gateway", settings.gateways,
      "IPv4 or IPv6 address of the router, one of each, or none (default: QEMU's in the network of "
      "--address)")
      ->type_name("ADDRESS");
  add_repeatable(command, "--route", settings.routes,
                 "A net that another router leads to, or that lies at the network itself: of the first card")
      ->type_name("NET/LENGTH[=ROUTER]");
  add_repeatable(
      command, "--dns", settings.dns,
      "IPv4 or IPv6 address of a name server, or none (default: QEMU's in the network of --address)")
      ->type_name("ADDRESS");
  add_repeatable(command, "--dns-search", settings.search, "A domain in which short names are looked up")
      ->type_name("DOMAIN");
  add_repeatable(command, "--add-host", settings.hosts, "A line of /etc/hosts")->type_name("NAME:ADDRESS");
  command
      .add_option("--cloud", settings.cloud,
                  "Where the machine finds more settings (docs/hypervisors.md): a disk of cloud-init's "
                  "(nocloud), or the metadata service of ec2, gce or azure")
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(kClouds), std::end(kClouds))));
  command
      .add_option("--stop-signal", settings.stop_signal,
                  otherwise("What ukl stop sends to the program", "TERM"))
      ->type_name("SIGNAL");
  command.add_option("--mtu", settings.mtu, "Largest packet of the network interface, in bytes")
      ->type_name("BYTES");
  add_repeatable(command, "--limit", settings.limits, "A resource limit, like nofile=65536")
      ->type_name("NAME=SOFT[:HARD]");
  add_repeatable(command, "--sysctl", settings.sysctls,
                 "A setting of the kernel, like net.core.somaxconn=4096")
      ->type_name("NAME=VALUE");
  command
      .add_option("--poll-network", settings.poll_network,
                  "Lets poll and epoll_wait ask the network device themselves for so many microseconds "
                  "before they sleep; takes a CPU, saves interrupts")
      ->type_name("MICROSECONDS");
}

} // namespace ukl
