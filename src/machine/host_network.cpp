// SPDX-License-Identifier: GPL-2.0-only
#include "machine/host_network.hpp"
#include "machine/bridge_port.hpp"
#include "machine/passt.hpp"
#include "support/files.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sstream>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <tuple>
#include <unistd.h>

namespace ukl {
namespace {

constexpr const char* kForm = "write user, passt, tap:NAME, bridge:NAME, private:NAME, none or the name of a "
                              "network (ukl network ls); behind it may "
                              "stand ,ip=ADDRESS/LENGTH and ,mac=ADDRESS";

// A bridge of `ukl network create`.
constexpr const char* kBridgePrefix = "ukl-";

// More queues than that find no work.
constexpr unsigned kMostQueues = 8;

bool is_interface_name(const std::string& name) {
  return !name.empty() && name.size() < IFNAMSIZ && name.find_first_of("/, \t\n") == std::string::npos &&
         name != "." && name != "..";
}

// All of these ask Linux and do not look into /sys/class/net, which shows the network namespace that mounted
// it: ours may be that of a container.
ifreq request_for(const std::string& name) {
  ifreq request = {};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return request;
}

bool is_there(const std::string& name) {
  return if_nametoindex(name.c_str()) != 0;
}

bool ask_interface(unsigned long what, ifreq& request) {
  const FileDescriptor any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return any && ioctl(any.get(), what, &request) == 0;
}

bool is_bridge(const std::string& name) {
  auto request = request_for(name);
  ethtool_drvinfo driver = {};
  driver.cmd = ETHTOOL_GDRVINFO;
  request.ifr_data = reinterpret_cast<char*>(&driver);
  return ask_interface(SIOCETHTOOL, request) && std::strcmp(driver.driver, "bridge") == 0;
}

// One that is up has a carrier as soon as somebody has opened it, and none as soon as the last one closes it.
// IFF_RUNNING follows up to a second later (net/core/link_watch.c).
bool has_carrier(const std::string& name) {
  auto request = request_for(name);
  ethtool_value link = {};
  link.cmd = ETHTOOL_GLINK;
  request.ifr_data = reinterpret_cast<char*>(&link);
  return ask_interface(SIOCETHTOOL, request) && link.data != 0;
}

// Opens a tap device that is there; 0 or errno. EINVAL: it was made for several queues and is opened for one,
// or the other way round (drivers/net/tun.c, tun_set_iff).
int try_tap(const std::string& name, unsigned more_flags) {
  const FileDescriptor device(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  auto request = request_for(name);
  request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | more_flags);
  return device && ioctl(device.get(), TUNSETIFF, &request) == 0 ? 0 : errno;
}

bool has_several_queues(const std::string& name) {
  return is_there(name) && try_tap(name, 0) == EINVAL;
}

Result<void> check_tap(const std::string& name) {
  if (access("/dev/net/tun", R_OK | W_OK) != 0)
    return file_error("/dev/net/tun", "open", errno);
  const bool several = has_several_queues(name);
  // With several queues Linux lets several processes in.
  const int error = several && has_carrier(name) ? EBUSY : try_tap(name, several ? IFF_MULTI_QUEUE : 0);
  if (error == 0)
    return {};
  if (error == EBUSY)
    return Error{Failure::port_in_use, fmt::format("another machine has the tap device {}", name),
                 "end that machine, or make another device"};
  return Error{error == EPERM || error == EACCES ? Failure::unreadable : Failure::usage,
               fmt::format("cannot use the tap device {}: {}", name, std::strerror(error)),
               fmt::format("make it for your user: sudo ip tuntap add {} mode tap user $USER", name)};
}

struct KindWord {
  const char* word;
  HostNetwork::Kind kind;
  bool takes_name;
};
// One with a name of `ukl network` has no word but that.
constexpr KindWord kWords[] = {
    {"user", HostNetwork::Kind::user, false},    {"passt", HostNetwork::Kind::passt, false},
    {"none", HostNetwork::Kind::none, false},    {"tap", HostNetwork::Kind::tap, true},
    {"bridge", HostNetwork::Kind::bridge, true}, {"private", HostNetwork::Kind::machines, true}};

Result<HostNetwork::Kind> kind_of(const std::string& word, bool named, const Error& error) {
  for (const auto& known : kWords)
    if (word == known.word)
      return named == known.takes_name ? Result(known.kind) : error;
  return named ? Result<HostNetwork::Kind>(error) : HostNetwork::Kind::named;
}

} // namespace

Result<HostNetwork> HostNetwork::parse(const std::string& text) {
  const Error error{Failure::usage, fmt::format("--network {} is not understood", text), kForm};
  HostNetwork network;
  std::istringstream words(text + ",");
  std::string word;
  std::getline(words, word, ',');
  const auto colon = word.find(':');
  TRY_LET(network.kind, kind_of(word.substr(0, colon), colon != std::string::npos, error));
  if (colon != std::string::npos)
    network.name = word.substr(colon + 1);
  if (network.kind == Kind::named)
    network.name = word;
  if ((network.kind == Kind::tap || network.kind == Kind::bridge) && !is_interface_name(network.name))
    return error;
  if (network.kind == Kind::machines && !is_plain_name(network.name))
    return Error{Failure::usage, fmt::format("'{}' is no name of a network", network.name), kPlainNameForm};
  if (network.kind == Kind::named && (!is_plain_name(network.name) || !is_interface_name(network.bridge())))
    return error;
  while (std::getline(words, word, ',')) {
    if (network.kind == Kind::none)
      return error;
    if (word.starts_with("ip=") && word.size() > 3) {
      network.addresses.push_back(word.substr(3));
    } else if (word.starts_with("mac=") && network.mac.empty()) {
      TRY_LET(network.mac, parse_mac(word.substr(4)));
    } else {
      return error;
    }
  }
  return network;
}

std::string HostNetwork::text() const {
  const auto* known = std::ranges::find(kWords, kind, &KindWord::kind);
  std::string text = known == std::end(kWords) ? name : known->word;
  if (known != std::end(kWords) && known->takes_name)
    text += ":" + name;
  for (const auto& address : addresses)
    text += ",ip=" + address;
  return mac.empty() ? text : text + ",mac=" + mac;
}

bool HostNetwork::is_shared() const {
  return kind == Kind::tap || kind == Kind::bridge || kind == Kind::named || kind == Kind::machines;
}

std::string HostNetwork::bridge() const {
  return kind == Kind::named ? kBridgePrefix + name : name;
}

Result<std::string> parse_mac(const std::string& text) {
  std::string mac = text;
  std::ranges::replace(mac, '-', ':');
  std::ranges::transform(mac, mac.begin(), [](unsigned char byte) { return std::tolower(byte); });
  bool good = mac.size() == 17;
  for (std::size_t at = 0; good && at < mac.size(); ++at)
    good = at % 3 == 2 ? mac[at] == ':' : std::isxdigit(static_cast<unsigned char>(mac[at])) != 0;
  if (!good || (std::stoul(mac.substr(0, 2), nullptr, 16) & 1) != 0 || mac == "00:00:00:00:00:00")
    return Error{Failure::usage, fmt::format("'{}' is no address of a network card", text),
                 "write six bytes, the first of them even: 52:54:00:12:34:56"};
  return mac;
}

std::string mac_for(const std::string& name) {
  const auto hash = sha256_hex(name);
  return fmt::format("52:54:00:{}:{}:{}", hash.substr(0, 2), hash.substr(2, 2), hash.substr(4, 2));
}

Result<void> check_host_network(const HostNetwork& network) {
  using Kind = HostNetwork::Kind;
  if (network.kind == Kind::user || network.kind == Kind::none || network.kind == Kind::machines)
    return {};
  if (network.kind == Kind::passt)
    return check_passt();
  const auto device = network.bridge();
  if (!is_there(device) && network.kind == Kind::named)
    return Error{
        Failure::not_found, fmt::format("there is no network {}", network.name),
        fmt::format("make it: sudo ukl network create {}; or write tap:NAME, bridge:NAME, user, passt "
                    "or none",
                    network.name)};
  if (!is_there(device))
    return Error{Failure::not_found, fmt::format("there is no network device {}", device),
                 network.kind == Kind::bridge
                     ? fmt::format("make it: sudo ip link add {} type bridge", device)
                     : fmt::format("make it: sudo ip tuntap add {} mode tap user $USER", device)};
  if (network.kind == Kind::tap)
    return check_tap(device);
  if (!is_bridge(device))
    return Error{Failure::usage, fmt::format("{} is no bridge", device), kForm};
  return check_bridge_port();
}

void choose_queues(HostNetwork& network, unsigned cpus, bool kvm) {
  using Kind = HostNetwork::Kind;
  const bool tap = network.kind == Kind::tap;
  if (!tap && network.kind != Kind::bridge && network.kind != Kind::named)
    return;
  // Its worker wakes the machine through KVM.
  network.vhost = kvm && access("/dev/vhost-net", R_OK | W_OK) == 0;
  const bool several = tap ? has_several_queues(network.name) : network.vhost;
  const unsigned most = std::min(cpus, kMostQueues);
  network.queues = !several ? 1 : tap ? std::max(2U, most) : most;
}

} // namespace ukl
