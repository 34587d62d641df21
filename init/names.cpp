// SPDX-License-Identifier: GPL-2.0-only
#include "names.hpp"

#include "ending.hpp"
#include "settings.hpp"

#include <cerrno>
#include <fcntl.h>
#include <initializer_list>
#include <unistd.h>

namespace ukl::init {
namespace {

// `of`: what this run may say of the file; if it does not, the image's file wins. No /etc at all: the program
// does not care for names. A file behind a link goes where the link leads.
void write_names(const char* path, const std::string& text, std::initializer_list<std::string_view> of) {
  bool asked = false;
  for (const auto name : of)
    for (const auto& record : read_run_settings())
      asked = asked || record.first == name;
  const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (asked ? O_TRUNC : O_EXCL), 0644);
  if (fd < 0) {
    if (asked)
      fail(std::string("cannot write ") + path + reason());
    return;
  }
  if (write(fd, text.data(), text.size()) < 0)
    say(std::string("cannot write ") + path + reason());
  close(fd);
}

} // namespace

void set_names(const Manifest& settings) {
  const std::string hostname = value_of(settings, key::hostname, "ukl");
  if (sethostname(hostname.data(), hostname.size()) != 0)
    fail("cannot set the host name '" + hostname + "'" + reason());
  write_names("/etc/hostname", hostname + "\n", {key::hostname});

  // A name of the program's own leads to itself, whatever the network is (hosts(5)).
  std::string hosts = "127.0.0.1 localhost " + hostname + "\n::1 localhost " + hostname + "\n";
  for (const auto& host : values_of(settings, key::host)) {
    const auto colon = host.find(':');
    hosts += host.substr(colon + 1) + " " + host.substr(0, colon) + "\n";
  }
  write_names("/etc/hosts", hosts, {key::hostname, key::host});

  std::string resolver;
  for (const auto& server : values_of(settings, key::dns))
    resolver += "nameserver " + server + "\n";
  std::string domains;
  for (const auto& domain : values_of(settings, key::search))
    domains += " " + domain;
  if (!domains.empty())
    resolver += "search" + domains + "\n";
  write_names("/etc/resolv.conf", resolver, {key::dns, key::search});
}

} // namespace ukl::init
