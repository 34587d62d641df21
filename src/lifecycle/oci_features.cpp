// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/oci_features.hpp"

#include <nlohmann/json.hpp>

namespace ukl {

std::string oci_features() {
  using Json = nlohmann::ordered_json;
  const Json off = {{"enabled", false}};
  const Json features = {
      {"ociVersionMin", "1.0.0"},
      {"ociVersionMax", "1.0.2"},
      {"hooks", Json::array()},
      {"mountOptions", {"bind", "rbind", "ro", "rw", "size"}},
      {"linux",
       {{"namespaces", {"cgroup", "ipc", "mount", "network", "pid", "user", "uts"}},
        {"capabilities", Json::array()},
        {"cgroup", {{"v1", true}, {"v2", true}, {"systemd", false}, {"systemdUser", false}}},
        {"seccomp", off},
        {"apparmor", off},
        {"selinux", off}}},
      {"annotations", {{"org.ukl.version", UKL_VERSION}}},
      {"potentiallyUnsafeConfigAnnotations",
       {"org.ukl.memory", "org.ukl.cpus", "org.ukl.profile", "org.ukl.publish"}}};
  return features.dump(2) + "\n";
}

} // namespace ukl
