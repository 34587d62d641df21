// SPDX-License-Identifier: GPL-2.0-only
// `ukl export`: an image for machines that ukl does not start.
#include "commands/command.hpp"
#include "image/memory.hpp"
#include "image/write.hpp"
#include "machine/boot_disk.hpp"
#include "machine/efi_file.hpp"
#include "machine/hypervisor_files.hpp"
#include "support/interrupt.hpp"
#include "support/overwriting.hpp"
#include "support/standard_streams.hpp"
#include "support/terminal.hpp"

#include <filesystem>
#include <fmt/format.h>
#include <memory>

namespace ukl {
namespace {

namespace fs = std::filesystem;

struct Options {
  fs::path image, output;
  std::string format = "qcow2", append, data;
  EfiSignature signature;
};

std::string mebibytes(const fs::path& file) {
  std::error_code ignored;
  return fmt::format("{:.1f} MiB", static_cast<double>(fs::file_size(file, ignored)) / (1 << 20));
}

Result<int> run(const Options& options) {
  catch_interrupts();
  if (!options.signature.key.empty() && options.format != "efi")
    return Error{Failure::usage, "only --format efi can be signed", ""};
  if (!options.data.empty() && (options.format == "efi" || is_hypervisor_file(options.format)))
    return Error{Failure::usage, fmt::format("--format {} has no room for data", options.format),
                 "take a disk: --format raw, qcow2, vmdk or vhd"};
  TRY_LET(const auto image, read_image(options.image));
  auto output = options.output;
  const bool is_text = is_hypervisor_file(options.format);
  if (output.empty()) {
    output = options.image.filename();
    output.replace_extension(is_text ? hypervisor_file_ending(options.format) : options.format);
  }
  TRY(refuse_overwriting(output, {options.image, options.signature.key, options.signature.certificate}));
  if (is_text) {
    TRY_LET(const auto tree, tree_size(options.image, image));
    TRY_LET(const auto file, hypervisor_file(options.format, options.image, image,
                                             memory_need(image, tree, 1).comfortable, options.append));
    TRY(write_text(output, file.text));
    print_note(fmt::format("{}: start it with: {}", output.string(), file.command(output.string())));
    return 0;
  }
  if (options.format == "efi") {
    TRY(make_efi_file(options.image, image, output, options.append, options.signature));
    print_note(fmt::format("{}: {}, {}; UEFI starts it as EFI/BOOT/BOOTX64.EFI on a partition of its own",
                           output.string(), mebibytes(output),
                           options.signature.key.empty() ? "not signed" : "signed"));
    return 0;
  }
  TRY_LET(const auto format, parse_disk_format(options.format));
  if (!image.multiboot)
    return Error{Failure::other_version, fmt::format("{} has no Multiboot2 header", options.image.string()),
                 "make it again with this ukl pack"};
  DiskData data;
  if (!options.data.empty()) {
    TRY_LET(data, parse_disk_data(options.data));
  }
  TRY(make_boot_disk(options.image, output, format, options.append, data));
  print_note(fmt::format("{}: {}, boots on BIOS and UEFI", output.string(), mebibytes(output)));
  return 0;
}

void add_export(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("export", "Make a disk, or a hypervisor's file, of an image");
  command->add_option("IMAGE", options->image, "The image, as made by ukl pack or ukl build")->required();
  command
      ->add_option(
          "--format", options->format,
          "Disks that boot on BIOS and UEFI: iso (CD, USB stick), raw, qcow2, vmdk, vhd; efi: one program of "
          "UEFI (a unified kernel image); files of others: firecracker, cloud-hypervisor, libvirt, xen. "
          "efi and xen need an image of --profile cloud")
      ->check(CLI::IsMember(
          {"iso", "raw", "qcow2", "vmdk", "vhd", "efi", "firecracker", "cloud-hypervisor", "libvirt", "xen"}))
      ->capture_default_str();
  command->add_option("-o,--output", options->output,
                      "The file (default: the image's name with another ending)");
  command->add_option("--append", options->append, "Kernel parameters, ukl.…=… among them");
  command
      ->add_option("--data", options->data,
                   "Disks: an ext4 file system behind the image, for the program's data (default: on /data). "
                   "Where the disk is made larger later, it grows with it at the next start")
      ->type_name("SIZE[:PATH]");
  auto* sign = command->add_option("--sign", options->signature.key,
                                   "efi: sign it for Secure Boot with this key (PEM), by sbsign");
  auto* certificate =
      command->add_option("--cert", options->signature.certificate, "efi: the key's certificate (PEM)");
  sign->needs(certificate);
  certificate->needs(sign);
  command->footer(
      "A disk holds GRUB and the image, which runs from memory. Settings of a run go to --append, as\n"
      "docs/hypervisors.md says.\n"
      "Examples:\n"
      "  ukl export web.ukl --format qcow2\n"
      "  ukl export web.ukl --format firecracker -o web.json");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

const RegisterCommand registration{27, add_export};

} // namespace
} // namespace ukl
