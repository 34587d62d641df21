// SPDX-License-Identifier: GPL-2.0-only
#include "commands/image_options.hpp"
#include "commands/command.hpp"
#include "commands/guest_options.hpp"
#include "machine/find_files.hpp"
#include "support/interrupt.hpp"
#include "support/standard_streams.hpp"
#include "support/terminal.hpp"

#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ukl {
namespace {

// Names of files may hold any bytes, JSON only UTF-8: what is none becomes U+FFFD.
void print_json(const nlohmann::json& json) {
  print_output(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void report_json(const PackSummary& summary, double seconds) {
  print_json({{"image", summary.output.string()},
              {"program", summary.program},
              {"profile", summary.profile},
              {"fit", summary.fit},
              {"kernel", summary.kernel_hash},
              {"image_size", summary.image_size},
              {"payload_size", summary.payload_size},
              {"files", summary.files},
              {"libraries", summary.libraries},
              {"missing", summary.missing},
              {"skipped", summary.skipped},
              {"kernel_positions", summary.kernel_positions},
              {"kernel_obstacle", summary.kernel_obstacle},
              {"notes", summary.notes},
              {"memory_needed", summary.memory.least},
              {"memory_default", summary.memory.comfortable},
              {"gate", summary.ring0},
              {"sites", summary.sites},
              {"sites_left", summary.sites_left},
              {"kept", summary.kept},
              {"calls_answered", summary.answered},
              {"doubts", summary.doubts},
              {"calls", summary.calls},
              {"seconds", seconds}});
}

void report_text(const PackSummary& summary, double seconds) {
  for (const auto& message : summary.missing)
    print_note(message);
  for (const auto& note : summary.notes)
    print_note(note);
  for (const auto& path : summary.skipped)
    print_note(fmt::format("left out {}: neither file nor folder", path));
  if (!summary.doubts.empty())
    print_note(fmt::format(
        "masks no system calls: {}{}; ukl run --trace-calls learns which are needed", summary.doubts[0],
        summary.doubts.size() > 1 ? fmt::format(", and {} more like it", summary.doubts.size() - 1)
                                  : std::string()));
  if (summary.kernel_positions == 1)
    print_note(fmt::format("the kernel is at the same address at each start: {}", summary.kernel_obstacle));
  for (const auto& file : summary.kept)
    print_note(fmt::format("keeps the system-call instructions of {}", file));
  std::string sites;
  if (summary.sites)
    sites = fmt::format(", {} of {} system-call sites are jumps", summary.sites - summary.sites_left,
                        summary.sites);
  if (summary.answered)
    sites += fmt::format(", {} system calls are answered", summary.answered);
  if (summary.memory.comfortable > kUsualMemory)
    sites += fmt::format(", at least {} MiB of memory are needed", summary.memory.least >> 20);
  print_note(fmt::format("{}: {:.1f} MiB with {} files, {} of them libraries{}; kernel {} {}; {:.2f} s",
                         summary.output.string(), static_cast<double>(summary.image_size) / (1 << 20),
                         summary.files, summary.libraries.size(), sites, summary.profile, summary.kernel_hash,
                         seconds));
}

// A file that is opened only once another was found is found in a later round.
constexpr int kMostRounds = 4;
constexpr std::chrono::seconds kFindTime{15};

Result<void> look_for_files(bool add, PackRequest& request, PackSummary& summary) {
  for (int round = 0; round < kMostRounds; ++round) {
    TRY_LET(const auto found, find_files(summary.output, kFindTime, *request.reporter));
    std::vector<AddedFile> fresh;
    for (const auto& path : found.here) {
      const AddedFile file{path, path.string()};
      // What is in vain again leads somewhere else in the image.
      if (std::ranges::find(request.files, file.guest, &AddedFile::guest) == request.files.end())
        fresh.push_back(file);
    }
    const bool done = !add || fresh.empty();
    for (const auto& file : fresh)
      print_note(fmt::format("{}: --file {}", add ? "added" : "looked for in vain", file.guest));
    if (done || round + 1 == kMostRounds) {
      for (const auto& path : found.large)
        print_note(fmt::format("looked for in vain, a large folder: --file {}", path.string()));
      for (const auto& path : found.nowhere)
        print_note(
            fmt::format("wanted to make something in {}, which this machine lacks, too", path.string()));
    }
    if (done) {
      if (fresh.empty() && found.large.empty())
        print_note("the program looked for no further file that this machine has");
      return {};
    }
    request.files.insert(request.files.end(), fresh.begin(), fresh.end());
    TRY_LET(summary, pack(request));
  }
  return {};
}

} // namespace

void add_image_options(CLI::App& command, ImageOptions& options) {
  auto& request = options.request;
  auto& settings = request.settings;
  command.add_option("-o,--output", request.output, "The image file (default: the program's name with .ukl)");
  add_repeatable(
      command, "--file", options.files,
      "Adds a file or folder of this machine: HOST:GUEST, or one absolute path for both; libraries that "
      "it needs are added too. May be repeated");
  add_repeatable(command, "--with", request.with,
                 "Adds all files of a source, like deb:NAME, oci:./layout or dir:./root; what comes later "
                 "lies over what "
                 "came before. May be repeated");
  add_repeatable(command, "--library-path", request.library_folders,
                 "Looks for libraries in this folder first, as LD_LIBRARY_PATH would here. May be repeated");
  add_repeatable(command, "--env", settings.environment,
                 "Sets a variable of the program: NAME=value. May be repeated");
  add_guest_options(command, settings, GuestDefaults::own);
  add_repeatable(
      command, "--expose", settings.ports,
      "A port on which the program listens: ukl run -P publishes it, inspect names it. May be repeated")
      ->type_name("PORT[/udp]");
  command
      .add_option("--calls", options.calls,
                  "Which system calls are answered: auto (those that a program in the image can make), all, "
                  "none, or @FILE with a list of them, as ukl run --trace-calls FILE writes it")
      ->capture_default_str();
  add_repeatable(
      command, "--call", options.call,
      "How one system call is entered, and that it is answered: NAME=KIND with KIND default, full, "
      "direct, masked or shortcut (straight into a TCP socket, if it is answered); NAME may be a "
      "number, all, or @FILE. May be repeated; the last one wins");
  add_old_call_options(command, options.old_calls);
  auto* profile = command.add_option(
      "--profile", request.profile,
      "The kernel's profile: general has everything, micro is for programs of one thread "
      "and machines without PCI and disks, cloud has the devices of other hypervisors too, UEFI "
      "and Xen, classic runs programs in ring 3 (default: micro if that has all that the image "
      "asks for, else general)");
  command.add_option("--kernel", request.kernel, "For experts: a vmlinux of your own instead of a profile's")
      ->excludes(profile);
  command.add_flag("!--no-rewrite", request.rewrite,
                   "Leaves the program's system-call instructions as they are");
  command.add_flag(
      "--compress,!--no-compress", request.compress,
      "Compresses the kernel and the files: a smaller image, a third of the size for a small program, "
      "that takes longer to make and to boot (default: no)");
  command
      .add_flag(
          "--find-files", options.find_files,
          "Runs the image once, until its program ends or for 15 s, and lists this machine's files that it "
          "looked for in vain; --find-files=add adds them and looks again")
      ->check([](const std::string& word) {
        return word == "true" || word == "list" || word == "add" ? "" : "--find-files takes =list or =add";
      });
  command
      .add_option("--sbom", request.sbom,
                  "Writes what is in the image into a file, as CycloneDX 1.5 (JSON): packages with licences, "
                  "files with SHA-256; ukl inspect --sbom prints the same later")
      ->type_name("FILE");
  command.add_flag("--json", options.json, "Prints the summary as JSON on standard output");
}

Result<int> pack_and_report(const ImageOptions& options) {
  catch_interrupts();
  const auto start = std::chrono::steady_clock::now();
  auto request = options.request;
  TRY_LET(request.places, read_places());
  request.reporter = &terminal_reporter();
  for (const auto& text : options.files) {
    TRY_LET(auto file, parse_added_file(text));
    request.files.push_back(file);
  }
  TRY(set_calls(request.calls, options.calls));
  TRY(read_old_call_options(options.old_calls, request.calls));
  for (const auto& text : options.call)
    TRY(set_call(request.calls, text));
  TRY_LET(auto summary, pack(request));
  if (!options.find_files.empty())
    TRY(look_for_files(options.find_files == "add", request, summary));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  (options.json ? report_json : report_text)(summary, seconds);
  return 0;
}

} // namespace ukl
