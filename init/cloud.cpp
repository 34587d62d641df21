// SPDX-License-Identifier: GPL-2.0-only
#include "cloud.hpp"

#include "block_devices.hpp"
#include "cloud_config.hpp"
#include "ending.hpp"
#include "http_get.hpp"
#include "mounts.hpp"
#include "settings.hpp"

#include <cstring>
#include <strings.h>
#include <sys/mount.h>
#include <unistd.h>

namespace ukl::init {
namespace {

constexpr int kServicePatience = 10000; // milliseconds

constexpr std::size_t kBeginning = std::size_t{33} << 10; // bytes, for label_of()
constexpr const char* kLabel = "cidata";
constexpr const char* kMountPoint = "/run/cidata";
constexpr const char* kServiceAddress = "169.254.169.254";

// How a service is asked; an empty path: it has no such thing.
struct Service {
  const char *name, *header, *hostname, *user_data;
  bool has_token, encodes;
};
constexpr Service kServices[] = {
    {"ec2", "", "/latest/meta-data/local-hostname", "/latest/user-data", true, false},
    {"gce", "Metadata-Flavor: Google\r\n", "/computeMetadata/v1/instance/hostname",
     "/computeMetadata/v1/instance/attributes/user-data", false, false},
    {"azure", "Metadata: true\r\n", "/metadata/instance/compute/name?api-version=2021-02-01&format=text",
     "/metadata/instance/compute/userData?api-version=2021-02-01&format=text", false, true},
};

void say_ignored(const std::string& where, const CloudSettings& said) {
  for (const auto& what : said.ignored)
    say(where + ": " + what + " is ignored");
}

bool is_cidata(const std::string& name) {
  return strcasecmp(label_of(read_device(name, 0, kBeginning)).c_str(), kLabel) == 0;
}

CloudSettings read_disk(const std::string& device) {
  CloudSettings said;
  make_folders(kMountPoint);
  bool mounted = false;
  for (const char* type : {"iso9660", "vfat"})
    mounted = mounted || mount(device.c_str(), kMountPoint, type,
                               MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC, nullptr) == 0;
  if (!mounted) {
    say("cannot mount " + device + " (cloud-init's)" + reason() +
        "; the kernel profile cloud has its file systems");
    return said;
  }
  const std::string folder = std::string(kMountPoint) + "/";
  add_meta_data(read_whole((folder + "meta-data").c_str()), said);
  add_network_config(read_whole((folder + "network-config").c_str()), said);
  add_user_data(read_whole((folder + "user-data").c_str()), said);
  umount(kMountPoint);
  rmdir(kMountPoint);
  return said;
}

std::string ask(const Service& service, const std::string& path, const std::string& token) {
  std::string headers = service.header;
  if (!token.empty())
    headers += "X-aws-ec2-metadata-token: " + token + "\r\n";
  return ask_http({"GET", kServiceAddress, path, headers, kServicePatience}).value_or("");
}

// Amazon's service may want a word that it gives to whoever puts a question; others do not know of it.
std::string token_of(const Service& service) {
  if (!service.has_token)
    return {};
  auto token =
      ask_http({"PUT", kServiceAddress, "/latest/api/token",
                "X-aws-ec2-metadata-token-ttl-seconds: 300\r\nContent-Length: 0\r\n", kServicePatience});
  return token && token->find_first_of("\r\n") == std::string::npos ? *token : std::string();
}

} // namespace

std::string label_of(std::string_view beginning) {
  // ECMA-119, section 8.4: the primary volume descriptor, 2 KiB sectors, number 16.
  constexpr std::size_t kDescriptor = std::size_t{16} * 2048;
  std::string_view label;
  if (beginning.size() >= kDescriptor + 72 &&
      beginning.substr(kDescriptor, 6) == std::string_view("\1CD001", 6))
    label = beginning.substr(kDescriptor + 40, 32);
  // Microsoft's FAT specification: boot sector, FAT32 and the older ones.
  else if (beginning.size() >= 512 && beginning.substr(82, 5) == "FAT32")
    label = beginning.substr(71, 11);
  else if (beginning.size() >= 512 && beginning.substr(54, 3) == "FAT")
    label = beginning.substr(43, 11);
  const auto end = label.find_last_not_of(std::string_view(" \0", 2));
  return std::string(label.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

Manifest settings_of_disk(const Manifest& settings) {
  if (value_of(settings, key::cloud) != "nocloud")
    return {};
  const auto device = wait_for_block_device(is_cidata);
  if (device.empty()) {
    say("no disk with the label CIDATA has appeared in " + std::to_string(kDiskPatience) +
        " s: the image's own settings stand");
    return {};
  }
  const auto said = read_disk("/dev/" + device);
  say_ignored("/dev/" + device, said);
  return said.settings;
}

Manifest settings_of_service(const Manifest& settings) {
  const auto wanted = value_of(settings, key::cloud);
  for (const auto& service : kServices) {
    if (wanted != service.name)
      continue;
    const auto token = token_of(service);
    CloudSettings said;
    const auto name = ask(service, service.hostname, token);
    if (name.empty()) {
      say("the metadata service of " + wanted + " (" + kServiceAddress + ") does not answer" + reason() +
          ": the image's own settings stand");
      return {};
    }
    add_meta_data("local-hostname: " + name.substr(0, name.find_first_of("\r\n")), said);
    const auto data = ask(service, service.user_data, token);
    add_user_data(service.encodes ? decode_base64(data) : data, said);
    say_ignored(wanted, said);
    return said.settings;
  }
  if (!wanted.empty() && wanted != "nocloud")
    say("there is no cloud '" + wanted + "': nocloud, ec2, gce, azure");
  return {};
}

} // namespace ukl::init
