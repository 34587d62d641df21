// SPDX-License-Identifier: GPL-2.0-only
#include "power.hpp"

#include "settings.hpp"

#include <cpuid.h>
#include <cstdint>
#include <cstring>
#include <dirent.h>

namespace ukl::init {
namespace {

constexpr const char* kTables = "/sys/firmware/acpi/tables/";

// Offsets and bits of the ACPI specification 6.4, section 5.2.9.
constexpr std::size_t kFlags = 112;
constexpr std::uint32_t kHardwareReduced = 1U << 20;
constexpr std::size_t kSleepControl = 244, kSleepStatus = 256; // generic addresses
constexpr std::size_t kAddress = 4;                            // in a generic address

// Little-endian; 0 behind the table's end, as in an older and shorter one.
template <typename Number> Number number_at(const std::string& table, std::size_t offset) {
  Number number = 0;
  if (offset + sizeof number <= table.size())
    memcpy(&number, table.data() + offset, sizeof number);
  return number;
}

// Also where Xen plays Hyper-V, whose leaves then come first.
bool is_on_xen() {
  for (const unsigned leaves : {0x40000000U, 0x40000100U}) {
    unsigned highest = 0, signature[3] = {};
    __cpuid(leaves, highest, signature[0], signature[1], signature[2]);
    if (memcmp(signature, "XenVMMXenVMM", sizeof signature) == 0)
      return true;
  }
  return false;
}

} // namespace

bool has_soft_off(const std::string& fadt, const std::vector<std::string>& definitions) {
  const bool reduced = number_at<std::uint32_t>(fadt, kFlags) & kHardwareReduced;
  if (reduced && (number_at<std::uint64_t>(fadt, kSleepControl + kAddress) == 0 ||
                  number_at<std::uint64_t>(fadt, kSleepStatus + kAddress) == 0))
    return false;
  for (const auto& definition : definitions)
    if (definition.find("_S5_") != std::string::npos)
      return true;
  return false;
}

bool can_switch_off() {
  // To Xen, a domain whose processors have all halted has switched itself off.
  if (is_on_xen())
    return true;
  std::vector<std::string> definitions;
  DIR* folder = opendir(kTables);
  if (!folder)
    return false;
  while (const dirent* entry = readdir(folder)) {
    const std::string name = entry->d_name;
    if (name.compare(0, 4, "DSDT") == 0 || name.compare(0, 4, "SSDT") == 0)
      definitions.push_back(read_whole((kTables + name).c_str()));
  }
  closedir(folder);
  return has_soft_off(read_whole((std::string(kTables) + "FACP").c_str()), definitions);
}

} // namespace ukl::init
