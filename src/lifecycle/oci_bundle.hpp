// SPDX-License-Identifier: GPL-2.0-only
// A bundle of the OCI runtime specification (config.json and a root folder) as commands of ours.
#pragma once

#include "support/result.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ukl {

struct OciBundle {
  std::vector<std::string> pack; ///< arguments of `ukl pack`, but for -o
  std::vector<std::string> run;  ///< options of `ukl run`
  bool terminal = false;         ///< its streams are one of its own
  std::string network_namespace; ///< a file by which it is entered; mostly empty
  /// Does nothing itself, and is there for the namespaces of a pod.
  bool only_holds_namespaces = false;
  /// Options of `ukl run` for the engine's files about its network: for a machine that is in that.
  std::vector<std::string> network_files;
  std::map<std::string, std::string> notes; ///< annotations, for `state`
  std::vector<std::string> left_out;        ///< what has no meaning for a machine, in sentences
};

/// Reads config.json in `folder`. Annotations: org.ukl.memory, org.ukl.cpus and
/// org.ukl.profile as -m, --cpus and --profile, org.ukl.publish as -p, several with spaces between them.
/// Errors: not_found, unreadable, usage (not understood, or asks for what a machine cannot give).
Result<OciBundle> read_oci_bundle(const std::filesystem::path& folder);

/// A further process in a container, as its JSON describes it.
struct OciProcess {
  std::vector<std::string> options, command; ///< of `ukl exec`
  bool terminal = false;
};

/// Errors: as above.
Result<OciProcess> read_oci_process(const std::filesystem::path& file);

} // namespace ukl
