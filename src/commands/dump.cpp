// SPDX-License-Identifier: GPL-2.0-only
// `ukl dump`: a machine's memory as a core file.
#include "commands/lifecycle_command.hpp"
#include "lifecycle/debug_view.hpp"
#include "support/interrupt.hpp"
#include "support/standard_streams.hpp"
#include "support/terminal.hpp"

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <poll.h>

namespace ukl {
namespace {

struct Options {
  std::string name, output;
  bool physical = false, json = false;
};

constexpr int kAskAgain = 50; // milliseconds

// QEMU writes while the machine stands still, and then lets it go on.
Result<void> write_memory(QemuClient& qemu, const Options& options, int file) {
  TRY(qemu.give("ukl-dump", file));
  const nlohmann::json arguments = {
      {"paging", !options.physical}, {"protocol", "fd:ukl-dump"}, {"detach", true}};
  TRY(qemu.execute("dump-guest-memory", arguments.dump()));
  while (true) {
    TRY_LET(const auto text, qemu.execute("query-dump"));
    const auto status = nlohmann::json::parse(text, nullptr, false);
    const auto word = status.is_object() ? status.value("status", "") : "";
    if (word == "completed")
      return {};
    if (word != "active")
      return Error{Failure::disk_full, fmt::format("QEMU could not write {}", options.output),
                   "the disk may be full; the machine runs on"};
    pollfd wait = {interrupt_descriptor(), POLLIN, 0};
    poll(&wait, 1, kAskAgain);
  }
}

void print_json(const std::string& file, const std::optional<LoadedFile>& kernel) {
  std::error_code ignored;
  const nlohmann::ordered_json report = {{"file", file},
                                         {"bytes", std::filesystem::file_size(file, ignored)},
                                         {"kernel", kernel ? nlohmann::json(kernel->file.string()) : nullptr},
                                         {"slide", kernel ? nlohmann::json(kernel->slide) : nullptr}};
  print_output(report.dump(2) + "\n");
}

Result<int> run(const Options& options) {
  TRY_LET(const auto machine, find_machine(options.name));
  catch_interrupts();
  TRY_LET(auto qemu, QemuClient::connect(machine));
  const auto kernel = kernel_of(machine, qemu);
  const auto output = options.output.empty() ? options.name + ".core" : options.output;
  TRY_LET(auto file, AtomicFile::create(output, 0600)); // it holds all that the machine knew
  TRY(write_memory(qemu, options, file.descriptor()));
  TRY(file.commit());
  if (options.json)
    print_json(output, kernel ? *kernel : std::nullopt);
  else if (!kernel || !*kernel)
    print_note("its kernel is not in the cache (ukl kernel list), or has not come far: there are no symbols");
  else if (options.physical)
    print_note(fmt::format("this run has moved its kernel: crash --kaslr={:#x} with a vmlinux that has debug "
                           "information",
                           (*kernel)->slide));
  else
    print_note(fmt::format("look into it: gdb -ex 'add-symbol-file {} -o {:#x}' -c {}",
                           (*kernel)->file.string(), (*kernel)->slide, output));
  return 0;
}

void add_dump(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("dump", "Write a running machine's memory into a core file (ELF)");
  command->add_option("NAME", options->name, "The machine's name")->required();
  command->add_option("-o,--output", options->output, "The file (default: NAME.core)")->type_name("FILE");
  command->add_flag("--physical", options->physical,
                    "By physical addresses, for crash(8) and other readers of kernels' memory, which want a "
                    "kernel with debug information (ukl pack --kernel); without, by those that the machine's "
                    "page tables say, for gdb");
  command->add_flag(
      "--json", options->json,
      "Print file, size, and the kernel with what is added to its addresses, in place of the note");
  command->footer(
      "The machine stands still meanwhile, and then goes on. The file is as large as its memory,\n"
      "for its user's eyes only, and holds whatever the program has: keys and passwords, too.\n"
      "How to open it with the kernel's symbols is said at the end.\n"
      "Example:\n"
      "  ukl dump web -o web.core");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

const RegisterCommand registration{46, add_dump};

} // namespace
} // namespace ukl
