// SPDX-License-Identifier: GPL-2.0-only
// Settings from where a machine lies, for machines that no `ukl run` starts: the setting `cloud` says where
// to look.
//
//   nocloud   a disk of cloud-init's source NoCloud: its label is CIDATA, in either case
//   ec2       the metadata service of Amazon's cloud, and of those that do as it does (OpenStack and others)
//   gce       that of Google's
//   azure     that of Microsoft's
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// Waits for a NoCloud disk, if the settings ask for one, and returns what it says. Before the network is up:
/// the disk may say how to bring it up. Says on the console what was found, or that nothing was.
Manifest settings_of_disk(const Manifest& settings);

/// Asks the metadata service that the settings name. Needs the network.
Manifest settings_of_service(const Manifest& settings);

/// The label of an ISO 9660 or FAT file system by its first 33 KiB; empty if it is neither.
std::string label_of(std::string_view beginning);

} // namespace ukl::init
