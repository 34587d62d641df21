// SPDX-License-Identifier: GPL-2.0-only
// `ukl export`: an image for machines that ukl does not start.
#include "commands/command.hpp"
#include "image/memory.hpp"
#include "image/write.hpp"
#include "machine/boot_disk.hpp"
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
  std::string format = "qcow2", append;
};

Result<int> run(const Options& options) {
  catch_interrupts();
  TRY_LET(const auto image, read_image(options.image));
  auto output = options.output;
  const bool is_text = is_hypervisor_file(options.format);
  if (output.empty()) {
    output = options.image.filename();
    output.replace_extension(is_text ? hypervisor_file_ending(options.format) : options.format);
  }
  TRY(refuse_overwriting(output, {options.image}));
  if (is_text) {
    TRY_LET(const auto tree, tree_size(options.image, image));
    TRY_LET(const auto file, hypervisor_file(options.format, options.image, image,
                                             memory_need(image, tree, 1).comfortable, options.append));
    TRY(write_text(output, file.text));
    print_note(fmt::format("{}: start it with: {}", output.string(), file.command(output.string())));
    return 0;
  }
  TRY_LET(const auto format, parse_disk_format(options.format));
  if (!image.multiboot)
    return Error{Failure::other_version, fmt::format("{} has no Multiboot2 header", options.image.string()),
                 "make it again with this ukl pack"};
  TRY(make_boot_disk(options.image, output, format, options.append));
  std::error_code ignored;
  print_note(fmt::format("{}: {:.1f} MiB, boots on BIOS and UEFI", output.string(),
                         static_cast<double>(fs::file_size(output, ignored)) / (1 << 20)));
  return 0;
}

void add_export(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("export", "Make a disk, or a hypervisor's file, of an image");
  command->add_option("IMAGE", options->image, "The image, as made by ukl pack or ukl build")->required();
  command
      ->add_option(
          "--format", options->format,
          "Disks that boot on BIOS and UEFI: iso (CD, USB stick), raw, qcow2, vmdk, vhd; files of others: "
          "firecracker, cloud-hypervisor, libvirt")
      ->check(
          CLI::IsMember({"iso", "raw", "qcow2", "vmdk", "vhd", "firecracker", "cloud-hypervisor", "libvirt"}))
      ->capture_default_str();
  command->add_option("-o,--output", options->output,
                      "The file (default: the image's name with another ending)");
  command->add_option("--append", options->append, "Kernel parameters, ukl.…=… among them");
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
