// SPDX-License-Identifier: GPL-2.0-only
#include "commands/image_options.hpp"
#include "call_kinds.hpp"
#include "support/interrupt.hpp"
#include "support/terminal.hpp"

#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ukl {
namespace {

// Names of files may hold any bytes, JSON only UTF-8: what is none becomes U+FFFD.
void print_json(const nlohmann::json& json) {
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

void report_json(const PackSummary& summary, double seconds) {
  print_json({{"image", summary.output.string()},
              {"program", summary.program},
              {"profile", summary.profile},
              {"kernel", summary.kernel_hash},
              {"image_size", summary.image_size},
              {"payload_size", summary.payload_size},
              {"files", summary.files},
              {"libraries", summary.libraries},
              {"missing", summary.missing},
              {"skipped", summary.skipped},
              {"gate", summary.ring0},
              {"sites", summary.sites},
              {"sites_left", summary.sites_left},
              {"calls_answered", summary.answered},
              {"doubts", summary.doubts},
              {"seconds", seconds}});
}

void report_text(const PackSummary& summary, double seconds) {
  for (const auto& message : summary.missing)
    print_note(message);
  for (const auto& path : summary.skipped)
    print_note(fmt::format("left out {}: neither file nor folder", path));
  if (!summary.doubts.empty())
    print_note(fmt::format(
        "masks no system calls: {}{}; ukl run --trace-syscalls learns which are needed", summary.doubts[0],
        summary.doubts.size() > 1 ? fmt::format(", and {} more like it", summary.doubts.size() - 1)
                                  : std::string()));
  std::string sites;
  if (summary.sites)
    sites = fmt::format(", {} of {} system-call sites are jumps", summary.sites - summary.sites_left,
                        summary.sites);
  if (summary.answered)
    sites += fmt::format(", {} system calls are answered", summary.answered);
  print_note(fmt::format("{}: {:.1f} MiB with {} files, {} of them libraries{}; kernel {} {}; {:.2f} s",
                         summary.output.string(), static_cast<double>(summary.image_size) / (1 << 20),
                         summary.files, summary.libraries.size(), sites, summary.profile, summary.kernel_hash,
                         seconds));
}

} // namespace

void add_image_options(CLI::App& command, ImageOptions& options) {
  auto& request = options.request;
  auto& settings = request.settings;
  command.add_option("-o,--output", request.output, "The image file (default: the program's name with .ukl)");
  command
      .add_option(
          "--file", options.files,
          "Adds a file or folder of this machine: HOST:GUEST, or one absolute path for both; libraries that "
          "it needs are added too. May be repeated")
      ->expected(1)
      ->take_all();
  command
      .add_option("--library-path", request.library_folders,
                  "Looks for libraries in this folder first, as LD_LIBRARY_PATH would here. May be repeated")
      ->expected(1)
      ->take_all();
  command
      .add_option("--env", settings.environment,
                  "Sets a variable of the program: NAME=value. May be repeated")
      ->expected(1)
      ->take_all();
  command.add_option("--cwd", settings.directory, "The program's working directory")->capture_default_str();
  command.add_option("--user", settings.user,
                     "Runs the program as UID:GID or as a user of this machine (default: root)");
  command.add_option("--hostname", settings.hostname, "The machine's name (default: the program's)");
  command.add_option("--address", settings.address, "IPv4 address with prefix length, or none")
      ->capture_default_str();
  command.add_option("--gateway", settings.gateway, "IPv4 address of the router, or none")
      ->capture_default_str();
  command
      .add_option("--dns", settings.dns, "IPv4 address of a name server (default: 10.0.2.3). May be repeated")
      ->expected(1)
      ->take_all();
  command
      .add_option("--limit", settings.limits,
                  "A resource limit: NAME=SOFT[:HARD], like nofile=65536. May be repeated")
      ->expected(1)
      ->take_all();
  command
      .add_option("--sysctl", settings.sysctls,
                  "A setting of the kernel: NAME=VALUE, like net.core.somaxconn=4096. May be repeated")
      ->expected(1)
      ->take_all();
  command.add_option("--poll-network", settings.poll_network,
                     "Lets poll and epoll_wait ask the network device themselves for so many microseconds "
                     "before they sleep; takes a CPU, saves interrupts");
  command
      .add_option("--syscall", request.calls,
                  "How a system call is entered: NAME:KIND with KIND full, direct, masked or shortcut, or "
                  "all:KIND. May be repeated; the last one wins")
      ->expected(1)
      ->take_all();
  command.add_flag_callback(
      "--shortcut-tcp",
      [&request] {
        const auto choices = tcp_shortcut_choices();
        request.calls.insert(request.calls.begin(), choices.begin(), choices.end());
      },
      "Sends and receives straight into TCP sockets: read, write, writev, sendto, recvfrom, sendmsg");
  command
      .add_option("--allow-syscall", request.masks.allowed,
                  "Answers this system call even if no program in the image seems to make it: a name, a "
                  "number, or @FILE with a list of them. May be repeated")
      ->expected(1)
      ->take_all();
  auto* only = command
                   .add_option("--only-syscall", request.masks.only,
                               "Answers these system calls and no others; @FILE as ukl run --trace-syscalls "
                               "FILE has written it. May be repeated")
                   ->expected(1)
                   ->take_all();
  command.add_flag("--all-syscalls", request.masks.all, "Answers every system call that Linux has")
      ->excludes(only);
  auto* profile = command
                      .add_option("--profile", request.profile,
                                  "The kernel's profile: general runs the program in ring 0, classic "
                                  "in ring 3; see ukl kernel list")
                      ->capture_default_str();
  command.add_option("--kernel", request.kernel, "For experts: a vmlinux of your own instead of a profile's")
      ->excludes(profile);
  command.add_flag("!--no-rewrite", request.rewrite,
                   "Leaves the program's system-call instructions as they are");
  command.add_flag("--compress", request.compress,
                   "Compresses the files with zstd: a smaller image that takes longer to make and to boot");
  command.add_flag("--json", options.json, "Prints the summary as JSON on standard output");
}

Result<int> pack_and_report(const ImageOptions& options) {
  catch_interrupts();
  const auto start = std::chrono::steady_clock::now();
  auto request = options.request;
  for (const auto& text : options.files) {
    auto file = parse_added_file(text);
    if (!file)
      return file.error();
    request.files.push_back(*file);
  }
  auto summary = pack(request);
  if (!summary)
    return summary.error();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  (options.json ? report_json : report_text)(*summary, seconds);
  return 0;
}

} // namespace ukl
