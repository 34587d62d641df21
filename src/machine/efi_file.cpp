// SPDX-License-Identifier: GPL-2.0-only
#include "machine/efi_file.hpp"
#include "image/plain_archive.hpp"
#include "kernel/cache.hpp"
#include "machine/host_tools.hpp"
#include "support/align.hpp"
#include "support/mapped_file.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStub = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";

// A member of an archive, header and name filled up to four bytes, contents likewise.
void add_member(Bytes& archive, const std::string& name, std::uint32_t mode,
                std::span<const std::uint8_t> contents) {
  const auto fill = [&] { archive.resize(align_up(archive.size(), 4)); };
  std::string header = "070701";
  // Number, mode, user, group, links, time, size, four numbers of devices, the name's length with its end, no
  // sum.
  for (const std::size_t field :
       {std::size_t{0}, std::size_t{mode}, std::size_t{0}, std::size_t{0}, std::size_t{1}, std::size_t{0},
        contents.size(), std::size_t{0}, std::size_t{0}, std::size_t{0}, std::size_t{0}, name.size() + 1,
        std::size_t{0}})
    header += fmt::format("{:08X}", field);
  header += name;
  archive.insert(archive.end(), header.begin(), header.end());
  archive.push_back(0);
  fill();
  archive.insert(archive.end(), contents.begin(), contents.end());
  fill();
}

template <typename Number>
std::optional<Number> number_at(std::span<const std::uint8_t> bytes, std::uint64_t at) {
  Number number = 0;
  if (at > bytes.size() || sizeof number > bytes.size() - at)
    return std::nullopt;
  std::memcpy(&number, &bytes[at], sizeof number);
  return number;
}

// The bzImage of the image's own kernel: the addresses of kernel functions in its programs are of this one
// alone.
Result<fs::path> compressed_kernel(const fs::path& image, const Manifest& manifest) {
  const auto profile = value_of(manifest, key::profile, "unknown"), hash = value_of(manifest, key::kernel);
  std::error_code ignored;
  for (const auto& kernel : cached_kernels())
    if (kernel.profile == profile && kernel.hash == hash) {
      const auto file = bz_image_in(kernel.folder);
      if (fs::exists(file, ignored))
        return file;
      return Error{
          Failure::kernel_lacks,
          fmt::format("the kernel of {} (profile {}) cannot be started by UEFI itself", image.string(),
                      profile),
          "pack the program again with --profile cloud, or export a disk, which has GRUB: --format raw"};
    }
  return Error{Failure::no_kernel,
               fmt::format("the kernel of {} ({}-{}) is not in the cache", image.string(), profile, hash),
               "pack the program again with --profile cloud (once before: ukl kernel build --profile cloud)"};
}

Result<void> write_ramdisk(const fs::path& path, const fs::path& image, const ImageInfo& info,
                           const CallTable& calls) {
  TRY_LET(const auto files, plain_archive(image, info));
  TRY_LET(auto file, AtomicFile::create(path, 0600));
  TRY(file.write(calls_archive(calls)));
  TRY(file.write(files));
  return file.commit();
}

} // namespace

Bytes calls_archive(const CallTable& calls) {
  Bytes archive;
  add_member(archive, UKL_CALLS_FILE, 0100400,
             {reinterpret_cast<const std::uint8_t*>(calls.data()), calls.size()});
  add_member(archive, "TRAILER!!!", 0, {});
  return archive;
}

// Microsoft's PE format: the header's place at 0x3c, the sections' headers behind the optional one, 40 bytes
// each, with size and address in memory at 8 and 12.
Result<std::uint64_t> end_of_sections(std::span<const std::uint8_t> bytes, const std::string& name) {
  const auto header = number_at<std::uint32_t>(bytes, 0x3c);
  const auto magic = header ? number_at<std::uint32_t>(bytes, *header) : std::nullopt;
  if (magic != 0x4550) // "PE\0\0"
    return Error{Failure::unreadable, fmt::format("{} is no program of UEFI", name), ""};
  const auto count = number_at<std::uint16_t>(bytes, *header + 6),
             optional = number_at<std::uint16_t>(bytes, *header + 20);
  std::uint64_t end = 0;
  for (std::uint64_t i = 0; count && optional && i < *count; ++i) {
    const auto section = *header + 24 + *optional + 40 * i;
    const auto size = number_at<std::uint32_t>(bytes, section + 8),
               address = number_at<std::uint32_t>(bytes, section + 12);
    if (!size || !address)
      return Error{Failure::unreadable, fmt::format("{} is cut off", name), ""};
    end = std::max(end, std::uint64_t{*address} + *size);
  }
  return align_up(end, kPage);
}

Result<void> make_efi_file(const fs::path& image, const ImageInfo& info, const fs::path& output,
                           const std::string& parameters, const EfiSignature& signature) {
  if (parameters.find_first_of("\r\n") != std::string::npos)
    return Error{Failure::usage, "kernel parameters cannot hold a line break", ""};
  TRY_LET(const auto kernel, compressed_kernel(image, info.manifest));
  TRY_LET(const auto calls, read_calls(info.manifest));
  std::error_code error;
  if (!fs::exists(kStub, error))
    return Error{Failure::missing_tool, fmt::format("systemd's stub for UEFI is not installed ({})", kStub),
                 "sudo apt-get install systemd-boot-efi"};
  TRY_LET(const auto stub, read_file(kStub));
  TRY_LET(const auto end, end_of_sections(stub, kStub));
  TRY_LET(const auto folder, TemporaryFolder::create("ukl-export"));
  const auto cmdline = folder.path() / "cmdline", ramdisk = folder.path() / "ramdisk",
             made = folder.path() / "made.efi";
  // Where it has its own, the stub takes none from who starts it when Secure Boot is on.
  TRY(write_text(cmdline, parameters.empty() ? " " : parameters));
  TRY(write_ramdisk(ramdisk, image, info, calls));

  std::vector<std::string> command = {"objcopy"};
  auto address = end;
  for (const auto& [section, file] :
       {std::pair(".cmdline", cmdline), {".linux", kernel}, {".initrd", ramdisk}}) {
    const auto size = fs::file_size(file, error);
    if (error)
      return file_error(file, "read", error.value());
    command.insert(command.end(), {"--add-section", fmt::format("{}={}", section, file.string()),
                                   "--change-section-vma", fmt::format("{}={:#x}", section, address)});
    address = align_up(address + size, kPage);
  }
  command.insert(command.end(), {kStub, made});
  TRY(write_with_tool(command, "sudo apt-get install binutils", output));
  TRY_LET(auto file, AtomicFile::create(output, 0644));
  if (signature.key.empty()) {
    TRY_LET(const auto mapped, MappedFile::open(made));
    TRY(file.write(mapped.bytes()));
  } else {
    TRY(write_with_tool({"sbsign", "--key", signature.key, "--cert", signature.certificate, "--output",
                         file.temporary_path(), made},
                        "sudo apt-get install sbsigntool", output, Failure::unreadable));
  }
  return file.commit();
}

} // namespace ukl
