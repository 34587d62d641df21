// SPDX-License-Identifier: GPL-2.0-only
#include "machine/boot_disk.hpp"
#include "machine/host_tools.hpp"
#include "machine/options.hpp"
#include "machine/plan.hpp"
#include "support/files.hpp"

#include <array>
#include <cerrno>
#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

struct Format {
  DiskFormat format;
  const char* name;
  const char* of_qemu; // as qemu-img has it; null: GRUB's file is it
};
constexpr std::array kFormats = {
    Format{DiskFormat::iso, "iso", nullptr}, Format{DiskFormat::raw, "raw", nullptr},
    Format{DiskFormat::qcow2, "qcow2", "qcow2"}, Format{DiskFormat::vmdk, "vmdk", "vmdk"},
    Format{DiskFormat::vhd, "vhd", "vpc"}};

// Hypervisors take disks of whole mebibytes.
constexpr std::uintmax_t kDiskUnit = 1 << 20;

constexpr std::uint64_t kLeastData = 8 << 20; // for a file system that can grow

// What the configuration needs, and the kinds of partitions, which GRUB's own part of it loads all.
constexpr const char* kModules = "--install-modules=multiboot2 iso9660 fat normal boot search part_acorn "
                                 "part_amiga part_apple part_bsd part_dfly "
                                 "part_dvh part_gpt part_msdos part_plan part_sun part_sunpc";

constexpr const char* kPackages =
    "apt-get install grub-common grub-pc-bin grub-efi-amd64-bin xorriso mtools qemu-utils";

// grub-mkrescue leaves out firmware for which its parts are not there, without a word.
Result<void> check_grub() {
  std::error_code ignored;
  for (const auto* platform : {"i386-pc", "x86_64-efi"})
    if (const auto folder = fs::path("/usr/lib/grub") / platform;
        !fs::exists(folder / "multiboot2.mod", ignored))
      return Error{Failure::missing_tool,
                   fmt::format("GRUB's parts for {} are not installed ({})", platform, folder.string()),
                   kPackages};
  return {};
}

// Where data begin behind an image of that size: GRUB and the tables of partitions take less than this.
std::uint64_t data_offset(std::uint64_t image) {
  constexpr std::uint64_t kGrub = 32 << 20;
  return (image + kGrub + kDiskUnit - 1) / kDiskUnit * kDiskUnit;
}

// The file gets holes, not blocks.
Result<void> add_data(const fs::path& disk, std::uint64_t offset, const DiskData& data,
                      const fs::path& output) {
  std::error_code error;
  if (const auto end = fs::file_size(disk, error); error || end > offset)
    return Error{Failure::unwritable,
                 fmt::format("GRUB's part of {} is larger than expected", output.string()), ""};
  fs::resize_file(disk, offset + data.bytes, error);
  if (error)
    return file_error(output, "write", error.value());
  return write_with_tool({"mke2fs", "-q", "-F", "-t", "ext4", "-L", kDataLabel, "-E",
                          fmt::format("offset={}", offset), disk.string(),
                          fmt::format("{}k", data.bytes >> 10)},
                         "apt-get install e2fsprogs", output);
}

} // namespace

Result<DiskFormat> parse_disk_format(const std::string& text) {
  for (const auto& format : kFormats)
    if (text == format.name)
      return format.format;
  return Error{Failure::usage, fmt::format("there is no disk format {}", text),
               "iso, raw, qcow2, vmdk or vhd"};
}

Result<std::string> grub_configuration(const std::string& parameters) {
  std::string quoted;
  for (const char byte : parameters) {
    if (byte == '\n' || byte == '\r')
      return Error{Failure::usage, "kernel parameters cannot hold a line break", ""};
    quoted += byte == '\'' ? std::string("'\\''") : std::string(1, byte);
  }
  // Each word as it is: GRUB knows variables and quotes of its own.
  std::string words;
  for (std::size_t start = 0; start < quoted.size();) {
    const auto end = std::min(quoted.find(' ', start), quoted.size());
    if (end > start)
      words += " '" + quoted.substr(start, end - start) + "'";
    start = end + 1;
  }
  return fmt::format("set timeout=0\nmultiboot2 /image.ukl{}\nboot\n", words);
}

Result<DiskData> parse_disk_data(const std::string& text) {
  const auto colon = text.find(':');
  TRY_LET(const auto bytes, parse_size(text.substr(0, colon)));
  const auto path = colon == std::string::npos ? "/data" : text.substr(colon + 1);
  if (bytes < kLeastData || !path.starts_with('/'))
    return Error{Failure::usage, fmt::format("--data {} is not understood", text),
                 "expected: SIZE[:/PATH], as in 10G:/var/lib/app, and at least 8M"};
  return DiskData{bytes, path};
}

Result<void> make_boot_disk(const fs::path& image, const fs::path& output, DiskFormat format,
                            const std::string& parameters, const DiskData& data) {
  TRY(check_grub());
  if (data.bytes > 0 && format == DiskFormat::iso)
    return Error{Failure::usage, "a CD has no room for data", "take --format raw, qcow2, vmdk or vhd"};
  TRY_LET(const auto folder, TemporaryFolder::create("ukl-export"));
  std::error_code error;
  const auto offset = data_offset(fs::file_size(image, error));
  if (error)
    return file_error(image, "read", error.value());
  auto words = parameters;
  if (data.bytes > 0)
    words += fmt::format("{}ukl.volume={}", words.empty() ? "" : " ",
                         percent_encode(fmt::format("rest:{}:{}", offset, data.path)));
  TRY_LET(const auto configuration, grub_configuration(words));
  const auto tree = folder.path() / "tree";
  fs::create_directories(tree / "boot" / "grub", error);
  TRY(write_text(tree / "boot" / "grub" / "grub.cfg", configuration));
  // Hard links do not leave a file system; a copy may.
  fs::create_hard_link(fs::canonical(image, error), tree / "image.ukl", error);
  if (error)
    fs::copy_file(image, tree / "image.ukl", error);
  if (error)
    return file_error(tree / "image.ukl", "write", error.value());

  TRY_LET(auto file, AtomicFile::create(output, 0644));
  const auto* of_qemu = kFormats.at(static_cast<std::size_t>(format)).of_qemu;
  const auto made = of_qemu ? folder.path() / "disk" : file.temporary_path();
  TRY(write_with_tool({"grub-mkrescue", "--output=" + made.string(),
                       "--fonts=", "--locales=", "--themes=", kModules, tree.string()},
                      kPackages, output));
  if (format != DiskFormat::iso) {
    const auto size = fs::file_size(made, error);
    fs::resize_file(made, (size + kDiskUnit - 1) / kDiskUnit * kDiskUnit, error);
    if (error)
      return file_error(output, "write", error.value());
  }
  if (data.bytes > 0)
    TRY(add_data(made, offset, data, output));
  if (of_qemu)
    TRY(write_with_tool(
        {"qemu-img", "convert", "-f", "raw", "-O", of_qemu, made.string(), file.temporary_path().string()},
        kPackages, output));
  return file.commit();
}

} // namespace ukl
