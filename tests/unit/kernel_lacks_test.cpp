// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/lacks.hpp"
#include "target/syscall_names.hpp"

#include <gtest/gtest.h>

namespace ukl {
namespace {

TEST(KernelLacks, FeaturesWithoutTheirSetting) {
  EXPECT_EQ(lacking_features("CONFIG_SMP=y\nCONFIG_VIRTIO_PCI=y\nCONFIG_ACPI=y\nCONFIG_VIRTIO_BLK=y\n"
                             "CONFIG_9P_FS=y\nCONFIG_INET=y\nCONFIG_IPV6=y\n"),
            std::vector<std::string>());
  // A module, a longer name and a comment are not the setting; the last line may lack its end.
  EXPECT_EQ(lacking_features("# CONFIG_SMP is not set\nCONFIG_VIRTIO_PCI_LEGACY=y\nCONFIG_ACPI=m\n"
                             "CONFIG_VIRTIO_BLK=y\nCONFIG_9P_FS=y\nCONFIG_INET=y\nCONFIG_IPV6=y"),
            (std::vector<std::string>{"cpus", "pci", "acpi"}));
  EXPECT_EQ(lacking_features("").size(), kernel_features().size());
}

TEST(KernelLacks, CallsThatAreWeak) {
  const auto calls = lacking_calls("ffffffff80300000 T __x64_sys_read\n"
                                   "ffffffff80300010 W __x64_sys_io_uring_setup\n"
                                   "ffffffff80300020 W __ia32_sys_shmget\n"
                                   "ffffffff80300030 W __x64_sys_no_call_of_ours\n"
                                   "ffffffff80300040 W __x64_sys_shmget");
  EXPECT_EQ(calls, (std::set<std::uint32_t>{*syscall_number("io_uring_setup"), *syscall_number("shmget")}));
}

TEST(KernelLacks, WhatSettingsNeed) {
  EXPECT_TRUE(needed_features({{std::string(key::cpus), "1"}}).empty());
  EXPECT_TRUE(needed_features({{std::string(key::volume), "tmpfs:0:/tmp"}}).empty());
  EXPECT_EQ(needed_features({{std::string(key::cpus), "2"},
                             {std::string(key::volume), "blk,ro:vda:/data"},
                             {std::string(key::volume), "9p:tag:/share"},
                             {std::string(key::volume), "virtiofs:tag:/other"},
                             {std::string(key::address), "fec0::2/64"}}),
            (std::vector<std::string>{"cpus", "disks", "folders", "network", "ipv6"}));
}

TEST(KernelLacks, WordsHaveMeanings) {
  EXPECT_EQ(feature_meaning("cpus"), "several CPUs");
  EXPECT_EQ(feature_meaning("something newer"), "something newer");
}

} // namespace
} // namespace ukl
