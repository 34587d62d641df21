// SPDX-License-Identifier: GPL-2.0-only
#include "cloud_config.hpp"

#include "plain_yaml.hpp"
#include "ukl/run_settings.hpp"

#include <arpa/inet.h>

namespace ukl::init {
namespace {

constexpr std::string_view kCloudConfig = "#cloud-config";

void add(CloudSettings& said, std::string_view name, const std::string& value) {
  if (!value.empty())
    said.settings.emplace_back(name, value);
}

// A name with a domain: the machine is called by its first part.
void add_hostname(CloudSettings& said, const std::string& name) {
  add(said, key::hostname, name.substr(0, name.find('.')));
}

bool is_base64(const std::string& encoding) {
  return encoding == "b64" || encoding == "base64";
}

// One of write_files: path, content, encoding, permissions.
void add_file(CloudSettings& said, const Yaml& file) {
  const auto& path = file["path"].word;
  const auto& encoding = file["encoding"].word;
  const auto& permissions = file["permissions"].word;
  if (path.empty() || path[0] != '/' ||
      (!encoding.empty() && encoding != "text/plain" && !is_base64(encoding))) {
    said.ignored.push_back("write_files: " + path + (encoding.empty() ? "" : " (" + encoding + ")"));
    return;
  }
  std::string record = permissions.empty() ? "644" : permissions;
  record += " " + path;
  record += '\0';
  record += is_base64(encoding) ? decode_base64(file["content"].word) : file["content"].word;
  said.settings.emplace_back(key::file, record);
}

int prefix_of(const std::string& netmask) {
  in_addr mask;
  return inet_pton(AF_INET, netmask.c_str(), &mask) == 1 ? __builtin_popcount(mask.s_addr) : 0;
}

void add_name_servers(CloudSettings& said, const std::vector<std::string>& servers,
                      const std::vector<std::string>& domains) {
  for (const auto& server : servers)
    add(said, key::dns, server);
  for (const auto& domain : domains)
    add(said, key::search, domain);
}

bool is_true(const Yaml& word) {
  return word.word == "true" || word.word == "yes" || word.word == "on";
}

// Version 2: an interface is a map with addresses that have their prefix.
void add_interface(CloudSettings& said, const Yaml& interface) {
  if (is_true(interface["dhcp4"]))
    add(said, key::address, std::string(key::kDhcp));
  if (is_true(interface["dhcp6"]) || is_true(interface["accept-ra"]))
    add(said, key::address, std::string(key::kSlaac));
  for (const auto& address : interface["addresses"].words())
    add(said, key::address, address);
  for (const auto* name : {"gateway4", "gateway6"})
    add(said, key::gateway, interface[name].word);
  for (const auto& [name, route] : interface["routes"].items) {
    const auto &to = route["to"].word, &router = route["via"].word;
    if (to == "default" || to == "0.0.0.0/0" || to == "::/0")
      add(said, key::gateway, router);
    else if (!to.empty())
      add(said, key::route, router.empty() ? to : to + "=" + router);
  }
  add_name_servers(said, interface["nameservers"]["addresses"].words(),
                   interface["nameservers"]["search"].words());
  add(said, key::mtu, interface["mtu"].word);
}

// Version 1: an interface has subnets, with a netmask of their own where the address has no prefix.
void add_subnet(CloudSettings& said, const Yaml& subnet) {
  const auto& type = subnet["type"].word;
  if (type == "dhcp" || type == "dhcp4")
    add(said, key::address, std::string(key::kDhcp));
  else if (type == "dhcp6" || type == "ipv6_slaac")
    add(said, key::address, std::string(key::kSlaac));
  auto address = subnet["address"].word;
  if (!address.empty() && address.find('/') == std::string::npos)
    address += "/" + std::to_string(prefix_of(subnet["netmask"].word));
  add(said, key::address, address);
  add(said, key::gateway, subnet["gateway"].word);
  add_name_servers(said, subnet["dns_nameservers"].words(), subnet["dns_search"].words());
}

void add_version_1(CloudSettings& said, const Yaml& config) {
  bool first = true;
  for (const auto& [name, part] : config.items) {
    const auto& type = part["type"].word;
    if (type == "nameserver") {
      add_name_servers(said, part["address"].words(), part["search"].words());
    } else if (type == "physical" && first) {
      first = false;
      for (const auto& [none, subnet] : part["subnets"].items)
        add_subnet(said, subnet);
      add(said, key::mtu, part["mtu"].word);
    } else {
      said.ignored.push_back("network-config: " + (part["name"].word.empty() ? type : part["name"].word));
    }
  }
}

int value_of_base64(char letter) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto at = kLetters.find(letter);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

} // namespace

std::string decode_base64(std::string_view text) {
  std::string bytes;
  unsigned bits = 0, count = 0;
  for (const char letter : text) {
    if (letter == ' ' || letter == '\n' || letter == '\r' || letter == '\t')
      continue;
    const int value = value_of_base64(letter);
    if (value < 0)
      break;
    bits = bits << 6 | static_cast<unsigned>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count & 0xff);
    }
  }
  return bytes;
}

void add_meta_data(std::string_view text, CloudSettings& said) {
  const auto yaml = parse_yaml(text);
  const auto& name = yaml["local-hostname"].word;
  add_hostname(said, name.empty() ? yaml["hostname"].word : name);
}

void add_user_data(std::string_view text, CloudSettings& said) {
  if (text.empty())
    return;
  if (!text.starts_with(kCloudConfig)) {
    said.ignored.push_back("user data that do not begin with " + std::string(kCloudConfig));
    return;
  }
  for (const auto& [name, value] : parse_yaml(text).items) {
    if (name == "hostname" || name == "fqdn") {
      add_hostname(said, value.word);
    } else if (name == "write_files") {
      for (const auto& [none, file] : value.items)
        add_file(said, file);
    } else if (name == "ukl") {
      for (const auto& [setting, values] : value.items)
        for (const auto& each : values.words())
          said.settings.emplace_back(setting, each);
    } else {
      said.ignored.push_back(name);
    }
  }
}

void add_network_config(std::string_view text, CloudSettings& said) {
  const auto yaml = parse_yaml(text);
  const auto& network = yaml["network"].kind == Yaml::Kind::map ? yaml["network"] : yaml;
  if (network["version"].word == "1") {
    add_version_1(said, network["config"]);
    return;
  }
  bool first = true;
  for (const auto& [name, interface] : network["ethernets"].items) {
    if (first)
      add_interface(said, interface);
    else
      said.ignored.push_back("network-config: " + name);
    first = false;
  }
}

} // namespace ukl::init
