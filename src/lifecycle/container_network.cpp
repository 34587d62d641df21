// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/container_network.hpp"
#include "machine/host_tools.hpp"
#include "support/files.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sched.h>
#include <sys/stat.h>

namespace ukl {
namespace {

using Json = nlohmann::json;

constexpr const char* kInstall = "apt-get install iproute2";

// The tap device of the interface with this number.
std::string tap_of(std::size_t number) {
  return fmt::format("ukl{}", number);
}

bool is_ipv6(const std::string& address) {
  return address.find(':') != std::string::npos;
}

// One of each family.
void add_first(std::vector<std::string>& list, const std::string& address) {
  if (std::ranges::none_of(list, [&](const auto& one) { return is_ipv6(one) == is_ipv6(address); }))
    list.push_back(address);
}

ContainerInterface read_interface(const Json& link) {
  ContainerInterface interface;
  interface.name = link.at("ifname").get<std::string>();
  interface.mac = link.value("address", "");
  interface.mtu = link.value("mtu", 0U);
  for (const auto& address : link.value("addr_info", Json::array())) {
    if (address.value("scope", "") != "global")
      continue;
    const auto text = fmt::format("{}/{}", address.value("local", ""), address.value("prefixlen", 0U));
    const auto had = interface.addresses.size();
    add_first(interface.addresses, text);
    if (interface.addresses.size() == had)
      interface.left_out.push_back(
          fmt::format("{} has a second address {}: a card has one of each family", interface.name, text));
  }
  return interface;
}

void add_route(ContainerInterface& interface, const Json& route, bool ipv6) {
  auto to = route.value("dst", "");
  const auto router = route.value("gateway", "");
  if (to == "default") {
    if (!router.empty())
      add_first(interface.gateways, router);
    else
      interface.routes.emplace_back(ipv6 ? "::/0" : "0.0.0.0/0");
    return;
  }
  // Those to its own net follow from its address, and Linux makes those of links.
  if (route.value("protocol", "") == "kernel" || to.empty() || to.starts_with("fe80:") ||
      to.starts_with("ff"))
    return;
  if (to.find('/') == std::string::npos)
    to += ipv6 ? "/128" : "/32";
  interface.routes.push_back(router.empty() ? to : to + "=" + router);
}

Result<Json> parse(const std::string& text, const char* what) {
  auto json = Json::parse(text.empty() ? "[]" : text, nullptr, false);
  if (!json.is_array())
    return Error{Failure::machine, fmt::format("ip says of {} what is no JSON", what), ""};
  return json;
}

// One namespace, which commands are run in.
class NameSpace {
public:
  static Result<NameSpace> open(const std::string& file) {
    NameSpace space;
    space.descriptor_ = FileDescriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!space.descriptor_)
      return file_error(file, "read", errno);
    return space;
  }

  bool is_ours() const {
    struct stat own, other;
    return stat("/proc/self/ns/net", &own) == 0 && fstat(descriptor_.get(), &other) == 0 &&
           own.st_ino == other.st_ino && own.st_dev == other.st_dev;
  }

  Result<std::string> run(const std::vector<std::string>& command) const {
    ProcessOptions how;
    how.prepare = [this] { return setns(descriptor_.get(), CLONE_NEWNET) == 0 ? 0 : errno; };
    TRY_LET(const auto output, run_host_tool(command, kInstall, std::move(how)));
    if (output.status == 0)
      return output.text;
    return Error{Failure::machine, fmt::format("{}: {}", command[0], last_line(output.text)), ""};
  }

  // A tap device with all of an interface's packets; or, if that fails, nothing.
  Result<void> take(const ContainerInterface& interface, const std::string& tap) const {
    TRY(run({"ip", "tuntap", "add", tap, "mode", "tap"}));
    const auto connected = connect(interface, tap);
    if (!connected)
      (void)run({"ip", "link", "del", tap});
    return connected;
  }

  void give_back(const std::string& interface, const std::string& tap) const {
    (void)run({"tc", "qdisc", "del", "dev", interface, "ingress"});
    (void)run({"ip", "link", "del", tap});
  }

private:
  Result<void> connect(const ContainerInterface& interface, const std::string& tap) const {
    // The namespace itself has nothing to say on it.
    TRY(run(
        {"ip", "link", "set", tap, "mtu", fmt::format("{}", interface.mtu), "addrgenmode", "none", "up"}));
    TRY(redirect(tap, interface.name));
    return redirect(interface.name, tap);
  }

  // Everything that comes in at one goes out at the other.
  Result<void> redirect(const std::string& from, const std::string& to) const {
    TRY(run({"tc", "qdisc", "add", "dev", from, "ingress"}));
    const auto added =
        run({"tc",    "filter", "add", "dev", from,     "parent", "ffff:",  "protocol", "all", "u32",
             "match", "u8",     "0",   "0",   "action", "mirred", "egress", "redirect", "dev", to});
    if (added)
      return {};
    (void)run({"tc", "qdisc", "del", "dev", from, "ingress"});
    return added.error();
  }

  FileDescriptor descriptor_;
};

std::vector<std::string> options_for(const ContainerInterface& interface, std::size_t number) {
  auto network = "tap:" + tap_of(number);
  for (const auto& address : interface.addresses)
    network += ",ip=" + address;
  std::vector<std::string> options = {"--network", network + ",mac=" + interface.mac};
  if (number > 0)
    return options;
  const auto add = [&](const char* option, const std::vector<std::string>& values) {
    for (const auto& value : values)
      options.insert(options.end(), {option, value});
  };
  add("--mtu", {fmt::format("{}", interface.mtu)});
  add("--gateway", interface.gateways);
  add("--route", interface.routes);
  return options;
}

} // namespace

Result<std::vector<ContainerInterface>>
read_interfaces(const std::string& addresses, const std::string& routes4, const std::string& routes6) {
  TRY_LET(const auto links, parse(addresses, "addresses"));
  std::vector<ContainerInterface> interfaces;
  try {
    for (const auto& link : links)
      if (link.contains("ifname") && link.value("link_type", "") != "loopback")
        if (auto interface = read_interface(link); !interface.addresses.empty())
          interfaces.push_back(std::move(interface));
    for (const auto* text : {&routes4, &routes6}) {
      TRY_LET(const auto routes, parse(*text, "routes"));
      for (const auto& route : routes)
        for (auto& interface : interfaces)
          if (route.value("dev", "") == interface.name)
            add_route(interface, route, text == &routes6);
    }
  } catch (const Json::exception& wrong) { // the library has no other way to tell
    return Error{Failure::machine, fmt::format("ip says what is not understood: {}", wrong.what()), ""};
  }
  std::stable_partition(interfaces.begin(), interfaces.end(),
                        [](const auto& one) { return !one.gateways.empty(); });
  for (std::size_t number = 1; number < interfaces.size(); ++number)
    if (auto& one = interfaces[number]; !one.gateways.empty() || !one.routes.empty())
      one.left_out.push_back(fmt::format("the routes over {} are not the machine's: those of its first card "
                                         "{} are",
                                         one.name, interfaces[0].name));
  return interfaces;
}

Result<ContainerNetwork> take_interfaces(const std::string& name_space) {
  ContainerNetwork network;
  TRY_LET(const auto space, NameSpace::open(name_space));
  if (space.is_ours())
    return network;
  TRY_LET(const auto addresses, space.run({"ip", "-json", "address"}));
  TRY_LET(const auto routes4, space.run({"ip", "-json", "route"}));
  const auto routes6 = space.run({"ip", "-json", "-6", "route"}); // not every kernel has IPv6
  TRY_LET(const auto interfaces, read_interfaces(addresses, routes4, routes6 ? *routes6 : ""));
  if (addresses.find('"' + tap_of(0) + '"') != std::string::npos)
    return Error{Failure::machine_runs, "the network of these containers is another machine's",
                 "each machine has a network of its own: run one container in each pod"};
  for (std::size_t number = 0; number < interfaces.size(); ++number) {
    const auto& interface = interfaces[number];
    if (const auto taken = space.take(interface, tap_of(number)); !taken) {
      give_back_interfaces(name_space, network.interfaces);
      return taken.error();
    }
    network.interfaces.push_back(interface.name);
    const auto options = options_for(interface, number);
    network.run.insert(network.run.end(), options.begin(), options.end());
    network.left_out.insert(network.left_out.end(), interface.left_out.begin(), interface.left_out.end());
  }
  return network;
}

void give_back_interfaces(const std::string& name_space, const std::vector<std::string>& interfaces) {
  const auto space = NameSpace::open(name_space);
  for (std::size_t number = 0; space && number < interfaces.size(); ++number)
    space->give_back(interfaces[number], tap_of(number));
}

} // namespace ukl
