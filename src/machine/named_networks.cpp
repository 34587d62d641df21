// SPDX-License-Identifier: GPL-2.0-only
#include "machine/named_networks.hpp"
#include "machine/host_network.hpp"
#include "machine/host_tools.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// One folder for each network:
//   network.json  what it is
//   hosts/        a file for each machine, as of /etc/hosts, locked by whoever looks after that machine
//   dnsmasq.pid
const fs::path kNetworks = "/run/ukl/networks";
// It is there if forwarding was off before our first network.
const fs::path kForwardingMark = kNetworks / ".forwarding";
constexpr const char* kForwarding = "/proc/sys/net/ipv4/ip_forward";
// Not ours to turn on: a machine that forwards IPv6 no longer listens to routers (accept_ra in Linux's
// Documentation/networking/ip-sysctl.rst), and may lose its own way out.
constexpr const char* kForwarding6 = "/proc/sys/net/ipv6/conf/all/forwarding";
constexpr const char* kNoIpv6 = "/proc/sys/net/ipv6/conf/default/disable_ipv6"; // of new interfaces

constexpr std::uint32_t kUsualNetwork = 10 << 24 | 77 << 16; // 10.77.0.0, of which each gets 256
constexpr unsigned kUsualLength = 24;

constexpr std::chrono::milliseconds kLook{20}, kLongestEnd{3000};

std::string text_of(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

std::optional<std::uint32_t> number_of(const std::string& address) {
  in_addr parsed;
  if (inet_pton(AF_INET, address.c_str(), &parsed) != 1)
    return std::nullopt;
  return ntohl(parsed.s_addr);
}

// A file of a number, as those of /proc/sys are.
bool says(const char* file, char number) {
  const auto text = read_text(file);
  return text && text->starts_with(number);
}

std::uint32_t mask_of(unsigned length) {
  return UINT32_MAX << (32 - length);
}

bool overlap(const Subnet& one, const Subnet& other) {
  return one.contains(other.network) || other.contains(one.network);
}

// Those of this machine's interfaces.
std::vector<Subnet> host_networks() {
  std::vector<Subnet> networks;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0)
    return networks;
  for (const auto* one = all; one; one = one->ifa_next) {
    if (!one->ifa_addr || !one->ifa_netmask || one->ifa_addr->sa_family != AF_INET)
      continue;
    const auto address = ntohl(reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr.s_addr);
    const auto mask = ntohl(reinterpret_cast<const sockaddr_in*>(one->ifa_netmask)->sin_addr.s_addr);
    networks.push_back({address & mask, static_cast<unsigned>(__builtin_popcount(mask))});
  }
  freeifaddrs(all);
  return networks;
}

Result<Subnet> free_subnet() {
  const auto taken = host_networks();
  for (std::uint32_t number = 0; number < 256; ++number) {
    const Subnet subnet{kUsualNetwork | number << 8, kUsualLength};
    if (std::ranges::none_of(taken, [&](const Subnet& other) { return overlap(subnet, other); }))
      return subnet;
  }
  return Error{Failure::machine, "all of 10.77.0.0/16 is in use on this machine", "choose one: --subnet"};
}

Error needs_root(const std::string& what) {
  return {Failure::unwritable, fmt::format("{} needs root", what),
          "a network is a bridge with an address, rules of nftables and a dnsmasq on port 53: sudo ukl …"};
}

Result<void> run(std::vector<std::string> command, const std::string& package) {
  const auto name = command[0];
  TRY_LET(const auto output, run_host_tool(std::move(command), "apt-get install " + package));
  if (output.status == 0)
    return {};
  return Error{Failure::machine, fmt::format("{}: {}", name, last_line(output.text)), ""};
}

bool is_there(const std::string& interface) {
  std::error_code ignored;
  return fs::exists(fs::path("/sys/class/net") / interface, ignored);
}

// No file is left of such a lock.
Result<FileDescriptor> lock_folder(const fs::path& folder) {
  FileDescriptor descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor)
    return file_error(folder, "open", errno);
  while (flock(descriptor.get(), LOCK_EX) != 0)
    if (errno != EINTR)
      return file_error(folder, "lock", errno);
  return descriptor;
}

std::optional<NamedNetwork> read_network(const fs::path& folder) {
  const auto text = read_text(folder / "network.json");
  const auto json = text ? Json::parse(*text, nullptr, false) : Json();
  if (!json.is_object())
    return std::nullopt;
  const auto subnet = Subnet::parse(json.value("subnet", ""));
  if (!subnet)
    return std::nullopt;
  return NamedNetwork{folder.filename(), *subnet, json.value("internal", false), {json.value("prefix6", "")}};
}

// A machine's process holds the lock of its file as long as it lives: others are of machines that were
// killed.
void remove_stale(const fs::path& hosts) {
  std::error_code error;
  for (fs::directory_iterator entry(hosts, error), end; !error && entry != end; entry.increment(error)) {
    const FileDescriptor file(open(entry->path().c_str(), O_RDONLY | O_CLOEXEC));
    if (file && flock(file.get(), LOCK_EX | LOCK_NB) == 0)
      unlink(entry->path().c_str());
  }
}

std::vector<NetworkMember> members_of(const fs::path& folder) {
  std::vector<NetworkMember> members;
  remove_stale(folder / "hosts");
  std::error_code error;
  for (fs::directory_iterator entry(folder / "hosts", error), end; !error && entry != end;
       entry.increment(error)) {
    const auto name = entry->path().filename().string();
    const auto text = read_text(entry->path());
    if (text && !name.starts_with('.'))
      members.push_back({name, text->substr(0, text->find(' '))});
  }
  std::ranges::sort(members, {}, &NetworkMember::machine);
  return members;
}

// dnsmasq's number, if it is that of this network and not of a process that came after it.
pid_t name_server_of(const fs::path& folder) {
  const auto text = read_text(folder / "dnsmasq.pid");
  const pid_t pid = text ? std::atoi(text->c_str()) : 0;
  if (pid <= 0)
    return 0;
  const auto command = read_text(fmt::format("/proc/{}/cmdline", pid));
  return command && command->find((folder / "hosts").string()) != std::string::npos ? pid : 0;
}

void end_name_server(const fs::path& folder) {
  const pid_t pid = name_server_of(folder);
  if (pid == 0)
    return;
  kill(pid, SIGTERM);
  for (auto waited = std::chrono::milliseconds(0); name_server_of(folder) != 0 && waited < kLongestEnd;
       waited += kLook)
    std::this_thread::sleep_for(kLook);
  if (name_server_of(folder) != 0)
    kill(pid, SIGKILL);
}

// A file of /proc takes no other in its place.
Result<void> set_forwarding(bool on) {
  const FileDescriptor file(open(kForwarding, O_WRONLY | O_CLOEXEC));
  if (!file || write(file.get(), on ? "1" : "0", 1) != 1)
    return file_error(kForwarding, "write", errno);
  return {};
}

Result<void> turn_forwarding_on() {
  TRY_LET(const auto now, read_text(kForwarding));
  if (now.starts_with('1'))
    return {};
  TRY(write_text(kForwardingMark, ""));
  return set_forwarding(true);
}

void turn_forwarding_back() {
  std::error_code ignored;
  const auto all = named_networks();
  if (fs::exists(kForwardingMark, ignored) && std::ranges::all_of(all, &NamedNetwork::internal)) {
    (void)set_forwarding(false);
    fs::remove(kForwardingMark, ignored);
  }
}

// What there is of one, also of one that was made in part only.
void take_away(const NamedNetwork& network, const fs::path& folder) {
  end_name_server(folder);
  if (!network.internal)
    (void)run({"nft", "delete", "table", "inet", network.bridge()}, "nftables");
  if (is_there(network.bridge()))
    (void)run({"ip", "link", "delete", network.bridge()}, "iproute2");
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  turn_forwarding_back();
  fs::remove(kNetworks, ignored); // unless there are others
  fs::remove(kNetworks.parent_path(), ignored);
}

Result<void> set_up(const NamedNetwork& network, const fs::path& folder) {
  TRY(write_text(folder / "network.json", Json{{"subnet", network.subnet.text()},
                                               {"internal", network.internal},
                                               {"prefix6", network.beside.prefix}}
                                                  .dump() +
                                              "\n"));
  for (const auto& command : bridge_commands(network))
    TRY(run(command, "iproute2"));
  if (!network.internal) {
    TRY(write_text(folder / "rules.nft", packet_rules(network)));
    TRY(run({"nft", "-f", folder / "rules.nft"}, "nftables, or make the network --internal"));
    TRY(turn_forwarding_on());
  }
  return run(name_server_command(network, folder), "dnsmasq-base");
}

Result<NamedNetwork> find_network(const std::string& name) {
  const auto all = named_networks();
  const auto found = std::ranges::find(all, name, &NamedNetwork::name);
  if (found != all.end())
    return *found;
  std::string others;
  for (const auto& network : all)
    others += (others.empty() ? "" : ", ") + network.name;
  return Error{Failure::not_found, fmt::format("there is no network {}", name),
               others.empty() ? fmt::format("make one: sudo ukl network create {}", name)
                              : "there are: " + others};
}

} // namespace

Result<Subnet> Subnet::parse(const std::string& text) {
  const Error error{Failure::usage, fmt::format("'{}' is no IPv4 network", text),
                    "write its address and the length of its prefix, 8 to 29: 10.77.0.0/24"};
  const auto slash = text.find('/');
  Subnet subnet;
  const auto address = number_of(text.substr(0, slash));
  if (!address || slash == std::string::npos)
    return error;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + slash + 1, end, subnet.length);
  if (read.ec != std::errc() || read.ptr != end || subnet.length < 8 || subnet.length > 29)
    return error;
  if ((*address & ~mask_of(subnet.length)) != 0)
    return Error{
        Failure::usage, error.message,
        fmt::format("its network is {}/{}", text_of(*address & mask_of(subnet.length)), subnet.length)};
  subnet.network = *address;
  return subnet;
}

std::string Subnet::text() const {
  return fmt::format("{}/{}", text_of(network), length);
}

std::string Subnet::gateway() const {
  return text_of(network + 1);
}

std::uint32_t Subnet::room() const {
  return (1U << (32 - length)) - 3; // without its own address, the bridge's and the last, which means all
}

std::string Subnet::address(std::uint32_t number) const {
  return text_of(network + 2 + number);
}

bool Subnet::contains(std::uint32_t address) const {
  return (address & mask_of(length)) == network;
}

UniqueLocal UniqueLocal::of(const std::string& name) {
  const auto hash = sha256_hex("ukl network " + name);
  return {fmt::format("fd{}:{}:{}::", hash.substr(0, 2), hash.substr(2, 4), hash.substr(6, 4))};
}

std::string UniqueLocal::text() const {
  return prefix + "/64";
}

std::string UniqueLocal::address(const std::string& beside) const {
  const auto number = number_of(beside).value_or(0);
  return fmt::format("{}{:x}:{:x}", prefix, number >> 16, number & 0xffff);
}

std::string NamedNetwork::bridge() const {
  HostNetwork host;
  host.kind = HostNetwork::Kind::named;
  host.name = name;
  return host.bridge();
}

std::vector<std::vector<std::string>> bridge_commands(const NamedNetwork& network) {
  const auto bridge = network.bridge(), gateway = network.subnet.gateway();
  std::vector<std::vector<std::string>> commands = {
      {"ip", "link", "add", bridge, "type", "bridge"},
      {"ip", "address", "add", fmt::format("{}/{}", gateway, network.subnet.length), "dev", bridge}};
  if (!network.beside.prefix.empty())
    commands.push_back(
        {"ip", "address", "add", network.beside.address(gateway) + "/64", "dev", bridge, "nodad"});
  commands.push_back({"ip", "link", "set", bridge, "up"});
  return commands;
}

std::string packet_rules(const NamedNetwork& network) {
  std::string out =
      fmt::format("    ip saddr {} oifname != \"{}\" masquerade\n", network.subnet.text(), network.bridge());
  if (!network.beside.prefix.empty())
    out += fmt::format("    ip6 saddr {} oifname != \"{}\" masquerade\n", network.beside.text(),
                       network.bridge());
  // What comes back is let in, and nothing else from outside.
  return fmt::format("table inet {0} {{\n"
                     "  chain out {{\n"
                     "    type nat hook postrouting priority srcnat;\n"
                     "{1}"
                     "  }}\n"
                     "  chain in {{\n"
                     "    type filter hook forward priority filter;\n"
                     "    oifname \"{0}\" ct state established,related accept\n"
                     "    oifname \"{0}\" iifname != \"{0}\" drop\n"
                     "  }}\n"
                     "}}\n",
                     network.bridge(), out);
}

std::vector<std::string> name_server_command(const NamedNetwork& network, const fs::path& folder) {
  std::vector<std::string> command = {"dnsmasq",
                                      "--conf-file=", // not /etc/dnsmasq.conf
                                      "--no-hosts",
                                      "--hostsdir=" + (folder / "hosts").string(),
                                      "--pid-file=" + (folder / "dnsmasq.pid").string(),
                                      "--interface=" + network.bridge(),
                                      "--except-interface=lo",
                                      "--bind-interfaces",
                                      "--domain-needed",
                                      "--bogus-priv"};
  if (network.internal)
    command.emplace_back("--no-resolv");
  return command;
}

Result<NamedNetwork> create_network(const NetworkRequest& request) {
  const auto& [name, subnet, internal, ipv6] = request;
  TRY_LET(const auto parsed, HostNetwork::parse(name));
  if (parsed.kind != HostNetwork::Kind::named || !parsed.addresses.empty() || !parsed.mac.empty())
    return Error{Failure::usage, fmt::format("'{}' is no name of a network", name),
                 "take 1 to 11 letters and digits, and not user, passt, none"};
  NamedNetwork network{name, {}, internal};
  if (!subnet.empty()) {
    TRY_LET(network.subnet, Subnet::parse(subnet));
    for (const auto& other : host_networks())
      if (overlap(network.subnet, other))
        return Error{Failure::usage,
                     fmt::format("this machine is in {} already, as {}", subnet, other.text()),
                     "choose another, or leave --subnet out"};
  }
  if (geteuid() != 0)
    return needs_root("ukl network create");
  if (ipv6 && !says(kNoIpv6, '0'))
    return Error{Failure::machine, "new interfaces of this machine have no IPv6",
                 "leave --ipv6 out, or: sysctl net.ipv6.conf.default.disable_ipv6=0"};
  const auto folder = kNetworks / name;
  std::error_code error;
  fs::create_directories(kNetworks, error);
  if (error)
    return file_error(kNetworks, "create", error.value());
  TRY_LET(const auto lock, lock_folder(kNetworks));
  if (fs::exists(folder, error) || is_there(network.bridge()))
    return Error{Failure::name_in_use, fmt::format("there is a network {}", name),
                 fmt::format("take another name, or remove it: ukl network rm {}", name)};
  if (subnet.empty()) {
    TRY_LET(network.subnet, free_subnet());
  }
  if (ipv6)
    network.beside = UniqueLocal::of(network.subnet.text() + " " + name);
  fs::create_directories(folder / "hosts", error);
  if (error)
    return file_error(folder, "create", error.value());
  if (const auto made = set_up(network, folder); !made) {
    take_away(network, folder);
    return made.error();
  }
  return network;
}

std::vector<NamedNetwork> named_networks() {
  std::vector<NamedNetwork> networks;
  std::error_code error;
  for (fs::directory_iterator entry(kNetworks, error), end; !error && entry != end; entry.increment(error))
    if (auto network = read_network(entry->path())) {
      network->members = members_of(entry->path());
      networks.push_back(std::move(*network));
    }
  std::ranges::sort(networks, {}, &NamedNetwork::name);
  return networks;
}

Result<void> remove_network(const std::string& name) {
  TRY(find_network(name));
  if (geteuid() != 0)
    return needs_root("ukl network rm");
  TRY_LET(const auto lock, lock_folder(kNetworks));
  TRY_LET(const auto network, find_network(name)); // and nobody joins it now
  if (!network.members.empty())
    return Error{Failure::machine_runs,
                 fmt::format("{} is on the network {}", network.members.front().machine, name),
                 "end the machines on it first: ukl network ls names them"};
  take_away(network, kNetworks / name);
  return {};
}

Result<NetworkLease> NetworkLease::take(const std::string& name, const std::string& machine,
                                        const std::string& wanted) {
  TRY(find_network(name));
  if (geteuid() != 0)
    return Error{Failure::unwritable,
                 fmt::format("the network {} is root's: a machine joins it as root", name),
                 fmt::format("sudo ukl run --network {} …", name)};
  const auto hosts = kNetworks / name / "hosts";
  TRY_LET(const auto lock, lock_folder(kNetworks));
  TRY_LET(const auto network, find_network(name));
  const auto taken = [&](const std::string& address) {
    return std::ranges::find(network.members, address, &NetworkMember::address) != network.members.end();
  };
  if (std::ranges::find(network.members, machine, &NetworkMember::machine) != network.members.end())
    return Error{Failure::name_in_use, fmt::format("there is a machine {} on the network {}", machine, name),
                 "take another --name (or --hostname, for a machine without one)"};
  std::string address;
  if (wanted.empty()) {
    // By its name: others may still have its address in their tables, with the card that follows from it too.
    const auto room = network.subnet.room();
    const auto first = std::stoul(sha256_hex(machine).substr(0, 8), nullptr, 16);
    for (std::uint32_t tried = 0; address.empty() && tried < room; ++tried)
      if (const auto one = network.subnet.address(static_cast<std::uint32_t>((first + tried) % room));
          !taken(one))
        address = one;
    if (address.empty())
      return Error{Failure::machine, fmt::format("the network {} has no address left", name),
                   fmt::format("it has room for {} machines: ukl network create --subnet", room)};
  } else {
    const auto slash = wanted.find('/');
    address = wanted.substr(0, slash);
    const auto number = number_of(address);
    if (!number || slash == std::string::npos ||
        wanted.substr(slash + 1) != std::to_string(network.subnet.length) ||
        !network.subnet.contains(*number) || address == network.subnet.gateway())
      return Error{
          Failure::usage, fmt::format("{} is no address for a machine on the network {}", wanted, name),
          fmt::format("it is {}, and {} is this machine's", network.subnet.text(), network.subnet.gateway())};
    if (taken(address))
      return Error{Failure::name_in_use, fmt::format("another machine has {}", address), "leave it out"};
  }
  NetworkLease lease;
  lease.file_ = hosts / machine;
  const auto hidden = hosts / ("." + machine);
  // Locked before it is seen.
  lease.lock_ = FileDescriptor(open(hidden.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  const auto& beside = network.beside;
  auto lines = fmt::format("{} {}\n", address, machine);
  if (!beside.prefix.empty()) {
    lease.address6_ = beside.address(address) + "/64";
    lines += fmt::format("{} {}\n", beside.address(address), machine);
    if (!network.internal && says(kForwarding6, '1'))
      lease.gateway6_ = beside.address(network.subnet.gateway());
  }
  if (!lease.lock_ || flock(lease.lock_.get(), LOCK_EX | LOCK_NB) != 0 ||
      write(lease.lock_.get(), lines.data(), lines.size()) != static_cast<ssize_t>(lines.size()) ||
      rename(hidden.c_str(), lease.file_.c_str()) != 0)
    return file_error(lease.file_, "write", errno);
  lease.address_ = fmt::format("{}/{}", address, network.subnet.length);
  lease.gateway_ = network.internal ? "" : network.subnet.gateway();
  lease.dns_ = network.subnet.gateway();
  return lease;
}

NetworkLease::~NetworkLease() {
  if (!lock_)
    return;
  lock_ = FileDescriptor();
  // Whoever looks after the machine may have it still: then it is not stale.
  if (const auto lock = lock_folder(kNetworks))
    remove_stale(file_.parent_path());
}

} // namespace ukl
