// SPDX-License-Identifier: GPL-2.0-only
// The manifest: what the tool tells an image's init, and the whole interface between the two. It stands in
// the root tree at kManifestPath as records `key=value`, each ended by a NUL byte; a key that may be given
// several times makes a list, in order. Header-only and free of the standard library's heavy parts, because
// init includes it too.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ukl {

inline constexpr const char* kManifestPath = "/.ukl/manifest";

/// The last file of the root tree and what it holds: Linux starts init also when it could not unpack
/// everything, which shows in that this is not there or not whole.
inline constexpr const char* kCompletePath = "/.ukl/complete";
inline constexpr std::string_view kCompleteText = "all files of the image are there\n";

/// Version of the manifest and of the image layout. Another one is refused by `ukl run` and `ukl inspect`.
inline constexpr const char* kImageFormat = "3";

/// Keys. `list` ones may be repeated.
namespace key {
inline constexpr std::string_view format = "format"; ///< kImageFormat
inline constexpr std::string_view argument = "arg";  ///< list: argv of the program; the first is its path
/// Number of the first arguments that a run's do not replace (Entrypoint of a container image); absent: 1.
inline constexpr std::string_view entry = "entry";
inline constexpr std::string_view environment = "env"; ///< list: NAME=value
inline constexpr std::string_view directory = "cwd";   ///< working directory
inline constexpr std::string_view user =
    "user"; ///< UID:GID to run as, or a name of the image's /etc/passwd; absent: root
inline constexpr std::string_view group = "group"; ///< list: numbers of further groups of the user
inline constexpr std::string_view hostname = "hostname";
inline constexpr std::string_view address =
    "address"; ///< list: one of IPv4 and one of IPv6 with prefix length: 10.0.2.15/24; absent: no network
/// Where else to look for settings (init/cloud.hpp): nocloud, ec2, gce, azure; absent: nowhere.
inline constexpr std::string_view cloud = "cloud";
/// In place of an address: the network says which.
inline constexpr std::string_view kDhcp = "dhcp", kSlaac = "slaac";
inline constexpr std::string_view gateway = "gateway"; ///< list: IPv4, IPv6
inline constexpr std::string_view route = "route"; ///< list: NET/LENGTH=ROUTER, or NET/LENGTH alone: directly
inline constexpr std::string_view dns = "dns";     ///< list: name servers, for /etc/resolv.conf
inline constexpr std::string_view search = "search"; ///< list: domains, for /etc/resolv.conf
inline constexpr std::string_view host = "host";     ///< list: NAME:ADDRESS, for /etc/hosts
inline constexpr std::string_view mtu = "mtu";       ///< bytes
inline constexpr std::string_view limit =
    "limit"; ///< list: NAME:SOFT:HARD, setrlimit(2); "nofile:65536:65536"
inline constexpr std::string_view sysctl = "sysctl"; ///< list: NAME:VALUE, sysctl(8); "net.core.busy_poll:50"
inline constexpr std::string_view volume = "volume"; ///< list: see below
inline constexpr std::string_view read_only = "read-only"; ///< 1: the root tree cannot be written to
/// list: HEX:/PATH, a file's security.capability (capabilities(7)).
inline constexpr std::string_view capability = "capability";
inline constexpr std::string_view label =
    "label"; ///< list: NAME=VALUE of a container image; says something to people
inline constexpr std::string_view health = "health"; ///< Healthcheck of a container image, as its JSON
inline constexpr std::string_view background =
    "background"; ///< 1: the program ends and leaves what the machine is for (Type=forking of a unit)
inline constexpr std::string_view port = "port"; ///< list: PORT/tcp or PORT/udp, on which the program listens
inline constexpr std::string_view stop_signal =
    "stop-signal";                                     ///< number of what asks the program to end; absent: 15
inline constexpr std::string_view cpus = "cpus";       ///< with fewer than these, the program is not started
inline constexpr std::string_view probe = "probe";     ///< 1: end with status 0 where the program would start
inline constexpr std::string_view profile = "profile"; ///< the kernel profile the image was made for
inline constexpr std::string_view kernel = "kernel";   ///< the kernel's cache hash
inline constexpr std::string_view fit = "fit";         ///< why the tool chose this profile, for a person
inline constexpr std::string_view lacks =
    "lacks"; ///< list: features that the kernel lacks (src/kernel/lacks.hpp)
inline constexpr std::string_view syscall =
    "syscall"; ///< list: NUMBER:KIND, KIND one of full, direct, masked, shortcut
inline constexpr std::string_view tree =
    "tree"; ///< PAGES:ENTRIES:SETS:PAGES, what the root tree takes in memory; only in the image's note
inline constexpr std::string_view archive =
    "archive"; ///< BYTES:FILES, of the payload's archive and behind it; only in the note, absent: it is all
inline constexpr std::string_view bill = "bill"; ///< bytes before the payload that say what is in it
                                                 ///< (src/image/bill.hpp); only in the image's note
} // namespace key

/// What a run adds comes in a block of its own (run_settings.hpp). A machine that is started by hand may have
/// words `ukl.KEY=VALUE` on the kernel's command line instead, with every byte of VALUE that is not a letter,
/// digit or one of `-._~/:=,` percent-encoded. `arg` replaces all arguments after argv[0]; `env`, `volume`
/// and what adds to a list of its own kind (add_run_settings below) add to the manifest's; the others
/// replace, and an empty value of those says that there is none. A volume is `9p:TAG:PATH`,
/// `virtiofs:TAG:PATH`, `blk:DEVICE:PATH` (`blk:vda:/data`, ext4) or `tmpfs:BYTES:PATH` (0: half of the
/// memory). Behind the type may stand `,ro` (read-only), `,discard` (what is freed is the host's again) and
/// `,file` (PATH is to be the one file that the folder TAG holds, by the name kVolumeFile).
inline constexpr std::string_view kCommandLinePrefix = "ukl.";
inline constexpr const char* kVolumeFile = "file";

/// Words that only a run has, never an image.
namespace key {
/// `INPUT,OUTPUT,ERROR`: what the host's standard streams are, each one of `terminal`, `pipe` (also for files
/// and sockets), `null` (/dev/null) and `closed`; ERROR may be `output`, the same open file as OUTPUT. The
/// program finds the same. With this word the machine has kControlPort and the ports that the streams need;
/// without it (a machine that was started by hand) it has none of them, and the console is all three streams.
inline constexpr std::string_view streams = "streams";
/// list: MAC,ADDRESS,…: a second network card, and what it has; as key::address, without routes
inline constexpr std::string_view card = "card";
inline constexpr std::string_view window = "window";     ///< ROWS,COLUMNS,WIDTH,HEIGHT of the terminal
inline constexpr std::string_view terminal = "terminal"; ///< TERM, unless the environment has one
inline constexpr std::string_view ignored =
    "ignored";                                     ///< N,N,…: signals that the program starts with ignored
inline constexpr std::string_view exec = "exec";   ///< 1: the machine has the port of ukl/exec.hpp
inline constexpr std::string_view seed = "seed";   ///< of a kept machine that goes on: hexadecimal digits
inline constexpr std::string_view times = "times"; ///< 1: report `times`; chart: the kernel's initcalls too
} // namespace key

/// Virtio-serial ports, found by these names under /sys/class/virtio-ports/*/name. Each data port carries the
/// bytes of one stream as they are; where streams are a terminal, one port carries keys to the guest and
/// output to the host. What ends a stream is a line on the control port with the number of its bytes, since a
/// port only has "connected" and "not connected", which does not say whether all has arrived.
inline constexpr const char* kInputPort = "org.ukl.input";
inline constexpr const char* kOutputPort = "org.ukl.output";
inline constexpr const char* kErrorPort = "org.ukl.error";
inline constexpr const char* kTerminalPort = "org.ukl.terminal";

/// Lines of text between `ukl run` and init. Unknown ones are ignored. Host to guest:
///   `signal NUMBER`            for the program
///   `window ROWS COLUMNS WIDTH HEIGHT`   the terminal has another size
///   `end 0 BYTES`              so many bytes of input were given to the input port, and there are no more
///   `received`                 all that was sent has arrived; the answer to `sent`
///   `await PORT`               say `listening` when somebody listens on this TCP port
///   `quiet`                        the machine will be kept: how much output was there so far?
///   `go-on HEX`                    a kept machine goes on, with the settings of this run in hexadecimal
///   digits `clock`                    the guest's clock may be wrong `time NANOSECONDS`         the host's
///   clock, since 1970; the answer to `time`
/// Guest to host:
///   `init`                     init runs
///   `time`                     what does the host's clock show?
///   `times KERNEL INIT PROGRAM NOW`  the time-stamp counter, which began with the machine, at the kernel's
///   first
///                              instruction (0: unknown), at init's, at the program's and when this was sent
///   `started`                  the program runs
///   `listening PORT`           somebody listens on this port
///   `signalled NUMBER`         it was sent that signal
///   `stopped NUMBER`           that signal stopped it, as Ctrl-Z does
///   `background NAMES`         it ended with 0 and left these processes in a session of their own, for which
///                              the machine runs on
///   `quiet OUTPUT ERROR`       the answer: bytes of streams 1 and 2
///   `input-closed`             nobody reads the input any more
///   `end STREAM BYTES`         stream 1 (output), 2 (error) or 3 (terminal) had so many bytes and has ended
///   `ended`                    the program has ended; the machine is about to end
///   `safe STATUS`              volumes are unmounted: stopping the machine does not harm them any more; and
///                              what `status` will say when all has been delivered
///   `clock COUNTER LOG`        the counter when the kernel's log had this time in microseconds
///   `initcall NAME END TOOK`   of the kernel, in microseconds of its log
///   `missing KPATH`            what the program did not find: K is f or d (init/missing_files.hpp)
///   `call NUMBER`              this system call was made, if the kernel traced them (kTracedCalls)
///   `sent`                     every stream has ended, and the network is quiet: may the machine end?
///   `status NUMBER`            last of all: the program's exit status or 128 + signal (125: init failed;
///   126:
///                              the program's file cannot be executed; 127: it does not exist)
inline constexpr const char* kControlPort = "org.ukl.control";

/// With this parameter the kernel answers every system call and lists the numbers of those that were made,
/// one a line, in this file (kernel/files/arch/x86/ukl/masked_calls.c). Calls of init are not among them.
inline constexpr const char* kTraceParameter = "ukl_trace";
inline constexpr const char* kTracedCalls = "/proc/ukl_calls";

using Manifest = std::vector<std::pair<std::string, std::string>>;

/// The manifest as it stands in the root tree.
inline std::string encode_manifest(const Manifest& manifest) {
  std::string text;
  for (const auto& [name, value] : manifest) {
    text += name;
    text += '=';
    text += value;
    text += '\0';
  }
  return text;
}

/// The reverse. Records without `=` are dropped; so is a last record without its NUL.
inline Manifest decode_manifest(std::string_view text) {
  Manifest manifest;
  while (true) {
    const auto end = text.find('\0');
    if (end == std::string_view::npos)
      return manifest;
    const auto record = text.substr(0, end);
    const auto equals = record.find('=');
    if (equals != std::string_view::npos)
      manifest.emplace_back(record.substr(0, equals), record.substr(equals + 1));
    text.remove_prefix(end + 1);
  }
}

/// The label of the ext4 file system behind an image on a disk (`ukl export --data`, init/data_disk.hpp).
inline constexpr const char* kDataLabel = "ukl-data";

/// All values of one key, in order.
inline std::vector<std::string> values_of(const Manifest& manifest, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [record, value] : manifest)
    if (record == name)
      values.push_back(value);
  return values;
}

/// The last value of one key, or `otherwise`.
inline std::string value_of(const Manifest& manifest, std::string_view name, std::string otherwise = {}) {
  for (const auto& [record, value] : manifest)
    if (record == name)
      otherwise = value;
  return otherwise;
}

/// The value of a list of addresses that is of IPv6, or of IPv4; empty if there is none.
inline std::string address_of(const Manifest& manifest, std::string_view name, bool ipv6) {
  for (const auto& value : values_of(manifest, name))
    if ((value.find(':') != std::string::npos || value == key::kSlaac) == ipv6)
      return value;
  return {};
}

/// Removes every value of a key but the first `keep`.
inline void remove_values(Manifest& manifest, std::string_view name, std::size_t keep) {
  Manifest kept;
  for (auto& record : manifest)
    if (record.first != name || (keep > 0 && keep-- > 0))
      kept.push_back(std::move(record));
  manifest = std::move(kept);
}

/// Works what a run asks for into an image's manifest. Another address is one of another net: the image's
/// router, routes and name servers do not go with it; nor do groups with another user.
inline void add_run_settings(Manifest& manifest, const Manifest& run) {
  const auto entry =
      std::strtoul(value_of(run, key::entry, value_of(manifest, key::entry, "1")).c_str(), nullptr, 10);
  if (!value_of(run, key::address).empty())
    for (const auto name : {key::gateway, key::route, key::dns})
      remove_values(manifest, name, 0);
  if (!value_of(run, key::user).empty())
    remove_values(manifest, key::group, 0);
  for (const auto& [name, value] : run)
    if (name == key::argument)
      remove_values(manifest, name, entry);
    else if (name != key::environment && name != key::volume && name != key::limit && name != key::sysctl)
      remove_values(manifest, name, 0);
  for (const auto& record : run)
    if (!record.second.empty() || record.first == key::argument)
      manifest.push_back(record);
}

} // namespace ukl
