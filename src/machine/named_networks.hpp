// SPDX-License-Identifier: GPL-2.0-only
// Networks that have names: a bridge of this machine with an address, NAT to the outside (nftables), and a
// name server on it (dnsmasq) that knows the machines. `ukl network create` makes them; all that is known of
// one lies in /run, so that nothing outlives a restart of the host, as no bridge does.
#pragma once

#include "support/files.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ukl {

/// An IPv4 network.
struct Subnet {
  std::uint32_t network = 0; ///< its address; the bytes are the host's
  unsigned length = 24;      ///< bits, 8 to 29

  /// `10.77.0.0/24`. Error: usage.
  static Result<Subnet> parse(const std::string& text);
  std::string text() const;
  /// Of the bridge, the first one.
  std::string gateway() const;
  /// How many machines it has room for.
  std::uint32_t room() const;
  /// For the machine of that number, from 0 on.
  std::string address(std::uint32_t number) const;
  bool contains(std::uint32_t address) const;
};

/// An IPv6 network of 64 bits that nobody routes to (RFC 4193, unique local addresses), beside an IPv4 one:
/// an address in it ends with that of IPv4, so there is nothing further to give out.
struct UniqueLocal {
  std::string prefix; ///< `fd12:3456:789a::`; empty: there is none

  /// Always the same one for a name.
  static UniqueLocal of(const std::string& name);
  std::string text() const;                             ///< `fd12:3456:789a::/64`
  std::string address(const std::string& beside) const; ///< of whom IPv4 calls so
};

struct NetworkMember {
  std::string machine, address;
};

struct NamedNetwork {
  std::string name;
  Subnet subnet;
  bool internal = false;   ///< without a way out
  UniqueLocal beside = {}; ///< its IPv6 network
  std::vector<NetworkMember> members = {};

  std::string bridge() const;
};

/// What is asked of a new one.
struct NetworkRequest {
  std::string name;
  std::string subnet = {}; ///< empty: a free one of 10.77.0.0/16
  bool internal = false;
  bool ipv6 = false; ///< addresses of both
};

/// Makes one. Errors: usage, name_in_use, unwritable (it needs root), missing_tool (iproute2, nftables,
/// dnsmasq-base), machine (what they say; this machine has no IPv6).
Result<NamedNetwork> create_network(const NetworkRequest& request);
/// All, by name, with the machines that are on them.
std::vector<NamedNetwork> named_networks();
/// With everything that create_network made. Errors: not_found, machine_runs (one is on it), unwritable.
Result<void> remove_network(const std::string& name);

/// A machine's place on one: its address, by which the others know its name. It is free again when this goes,
/// in the last process that has it.
class NetworkLease {
public:
  /// `wanted`: an address of the network with its prefix length, or empty for any; the same machine gets the
  /// same one if it can. Errors: not_found, usage (that is no address of it), name_in_use (a machine has the
  /// name or the address), unwritable (we are not root), machine (the network is full).
  static Result<NetworkLease> take(const std::string& network, const std::string& machine,
                                   const std::string& wanted);
  NetworkLease(NetworkLease&&) noexcept = default;
  NetworkLease& operator=(NetworkLease&&) = delete;
  ~NetworkLease();

  const std::string& address() const { return address_; }   ///< with its prefix length
  const std::string& gateway() const { return gateway_; }   ///< empty: there is no way out
  const std::string& address6() const { return address6_; } ///< the same of IPv6; empty: there is none
  const std::string& gateway6() const { return gateway6_; } ///< empty, too, if this machine forwards none
  const std::string& dns() const { return dns_; }

private:
  NetworkLease() = default;
  std::string address_, gateway_, address6_, gateway6_, dns_;
  std::filesystem::path file_;
  FileDescriptor lock_;
};

/// What is done to make one, in order.
std::vector<std::vector<std::string>> bridge_commands(const NamedNetwork& network);
/// The rules for nft(8).
std::string packet_rules(const NamedNetwork& network);
/// dnsmasq's command line; `folder` is the network's.
std::vector<std::string> name_server_command(const NamedNetwork& network,
                                             const std::filesystem::path& folder);

} // namespace ukl
