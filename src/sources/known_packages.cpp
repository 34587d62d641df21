// SPDX-License-Identifier: GPL-2.0-only
#include "sources/known_packages.hpp"

#include <algorithm>

namespace ukl {

const std::vector<SetUpPackage> kSetUpPackages = {
    {"adduser", "makes users when packages are installed; ukl reads what it would do"},
    {"base-files", "the base of a whole system"},
    {"base-passwd", "the base of a whole system; its users come from this machine's"},
    {"debconf", "asks questions when packages are installed"},
    {"dpkg", "the package system"},
    {"init-system-helpers", "starts services when packages are installed"},
    {"install-info", "the list of info pages"},
    {"logrotate", "runs from cron"},
    {"lsb-base", "functions of init scripts"},
    {"man-db", "the list of man pages"},
    {"passwd", "makes users when packages are installed"},
    {"sysvinit-utils", "functions of init scripts"},
    {"systemd", "init is ukl's"},
    {"systemd-sysv", "init is ukl's"},
    {"ucf", "asks about configuration files when packages are upgraded"},
    {"update-inetd", "edits inetd's configuration when packages are installed"},
    {"usr-is-merged", "the root is merged as ukl makes it"},
    {"usrmerge", "the root is merged as ukl makes it"},
};

const std::vector<KnownPackage> kKnownPackages = {
    {{"apache2"}, {"/usr/sbin/apachectl", "-D", "FOREGROUND"}, "", {}, "apache2 stays in the foreground"},
    {{"icecast2"},
     {"/usr/bin/icecast2", "-c", "/etc/icecast2/icecast.xml"},
     "icecast2",
     {},
     "icecast2 is started as its own user"},
    {{"memcached"},
     {"/usr/bin/memcached", "-m", "64", "-p", "11211"},
     "memcache",
     {"perl"},
     "memcached is started without its Perl wrapper, and without the address 127.0.0.1 of "
     "/etc/memcached.conf, "
     "which nobody outside of the machine reaches"},
    {{"nginx", "nginx-common", "nginx-light", "nginx-core", "nginx-full", "nginx-extras"},
     {"/usr/sbin/nginx", "-g", "daemon off;"},
     "",
     {"iproute2"},
     "nginx stays in the foreground"},
    {{"redis-server", "redis"},
     {"/usr/bin/redis-server", "/etc/redis/redis.conf", "--daemonize", "no", "--logfile", "", "--bind", "*",
      "-::*", "--protected-mode", "no"},
     "",
     {},
     "redis-server listens on all addresses of its machine, without a password: those that reach it are "
     "those to "
     "whom ukl run -p forwards; it logs to the console"},
};

const std::vector<KnownSteps> kKnownSteps = {
    // A helper of its unit's brings the key up to date.
    {"unbound",
     {{"install", "/usr/share/dns/root.key", "/var/lib/unbound/root.key"},
      {"chown", "unbound:unbound", "/var/lib/unbound/root.key"}}},
    // A folder below it has the machine's name, which is the run's.
    {"varnish", {{"install", "-d", "-o", "varnish", "-g", "varnish", "/var/lib/varnish"}}},
};

bool is_known_as(const KnownPackage& package, const std::string& name) {
  return std::ranges::find(package.names, name) != package.names.end();
}

} // namespace ukl
