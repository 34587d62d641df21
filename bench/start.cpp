// SPDX-License-Identifier: GPL-2.0-only
#include "start.hpp"
#include "cloud_kernel.hpp"
#include "contents/root_defaults.hpp"
#include "image/payload.hpp"
#include "machine.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/process.hpp"
#include "support/terminal.hpp"
#include "table.hpp"

#include <chrono>
#include <cmath>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>

namespace ukl::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Command = std::vector<std::string>;
using namespace std::chrono_literals;

constexpr const char* kTimeLimit = "60"; // seconds for one boot, on a busy machine
constexpr const char* kHello = "hello";
constexpr int kRequests = 20;
constexpr double kStep = 0.25; // MiB

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

struct Boot {
  std::optional<double> first_line; // ms; nothing: it did not say hello
  double total = 0;                 // ms
  std::string line;                 // with the hello
};

// Standard input is at its end, as under cron, systemd and container engines.
Result<Boot> boot(const Command& command) {
  Boot boot;
  Command limited = {"timeout", kTimeLimit};
  limited.insert(limited.end(), command.begin(), command.end());
  const auto start = Clock::now();
  TRY_LET(const auto output, run_command(limited, {}, [&](const std::string& line) {
            if (boot.first_line || line.find(kHello) == std::string::npos)
              return;
            boot.first_line = milliseconds_since(start);
            boot.line = line;
          }));
  boot.total = milliseconds_since(start);
  if (interrupted())
    return Error{Failure::interrupted, "the benchmark was interrupted", ""};
  return boot;
}

Command plain_qemu(const std::string& machine, const fs::path& kernel) {
  return {
      "qemu-system-x86_64", "-machine", machine, "-accel",  "tcg",   "-cpu",       "max",     "-m",  "256M",
      "-nodefaults",        "-display", "none",  "-serial", "stdio", "-no-reboot", "-kernel", kernel};
}

// The number behind "hello", of that base; 0 if there is none.
double number_after_hello(const std::string& line, int base) {
  const auto at = line.find(kHello);
  return at == std::string::npos ? 0
                                 : static_cast<double>(std::strtoull(
                                       line.c_str() + at + std::string(kHello).size(), nullptr, base));
}

std::string with_spread(const Samples& samples) {
  return samples.empty() ? "-" : fmt::format("{:.0f} ±{:.0f}%", samples.median(), samples.spread() * 50);
}

// QEMU's machine of a row; what ukl run chooses for a small kernel is a microvm.
std::string machine_of(const StartRow& row) {
  for (const auto* machine : {"q35", "pc"})
    if (row.name.ends_with(std::string(", ") + machine))
      return machine;
  return "microvm,acpi=off";
}

// The second table: servers.
Grid servers_grid(const StartReport& report) {
  double floor = 0;
  for (const auto& row : report.rows)
    if (row.name.starts_with("QEMU") && (floor == 0 || row.first_line.median() < floor))
      floor = row.first_line.median();
  Grid grid = {{"first answer, ms", "booted", "kept", "kept, without QEMU alone"}};
  for (const auto& row : report.servers)
    grid.push_back({row.name, row.failure.empty() ? with_spread(row.cold) : row.failure,
                    with_spread(row.warm),
                    row.warm.empty() ? "-" : fmt::format("{:.0f}", row.warm.median() - floor)});
  return grid;
}

class Start {
public:
  Start(const StartPlan& plan, fs::path folder) : plan_(plan), folder_(std::move(folder)) {}

  Result<StartReport> measure() {
    StartReport report;
    report.about = begin_part(fmt::format("bench/run start --rounds {}", plan_.rounds), false);
    TRY(make_images());
    TRY_LET(auto ways, find_ways());
    for (unsigned round = 0; round < plan_.rounds; ++round)
      for (auto& way : ways) {
        TRY_LET(const auto booted, boot(way.command));
        if (!booted.first_line) {
          way.row.failure = "did not say hello";
          continue;
        }
        way.row.first_line.values.push_back(*booted.first_line);
        way.row.total.values.push_back(booted.total);
      }
    for (auto& way : ways) {
      TRY(count(way));
      if (way.tries_memory) {
        TRY_LET(way.row.least_memory,
                least_memory([&](double mebibytes) { return says_hello(way, mebibytes); }));
      }
      report.rows.push_back(std::move(way.row));
    }
    TRY_LET(report.server_memory, least_memory([&](double mebibytes) { return serves(mebibytes); }));
    TRY_LET(report.servers, measure_first_answers({plan_.rounds, plan_.tool, plan_.web, folder_}));
    return report;
  }

private:
  struct Way {
    StartRow row;
    Command command;
    bool tries_memory = false;
  };

  fs::path image(const std::string& name) const { return folder_ / (name + ".ukl"); }

  Result<void> pack(const std::string& name, const fs::path& program, const Command& more) {
    Command command = {plan_.tool, "pack", program, "-o", image(name)};
    command.insert(command.end(), more.begin(), more.end());
    TRY_LET(const auto output, run_command(command));
    if (output.status != 0)
      return Error{Failure::internal, fmt::format("cannot make the image {}: {}", name, output.text),
                   "ukl kernel build --profile general --profile micro"};
    return {};
  }

  Result<void> make_images() {
    TRY(pack("general", plan_.hello, {"--profile", "general"}));
    TRY(pack("fitting", plan_.hello, {}));
    TRY(pack("compressed", plan_.hello, {"--compress"}));
    return pack("web", plan_.web, {});
  }

  Result<Command> cloud_command(const std::string& machine) {
    TRY_LET(const auto kernel, cloud_kernel());
    const auto initrd = folder_ / "cloud.cpio";
    RootTree tree;
    TRY(tree.add("/init", host_entry(plan_.hello, 0755)));
    TRY(add_defaults(tree, ""));
    TRY_LET(const auto payload, make_payload(tree));
    TRY(write_text(initrd, std::string(payload.bytes.begin(), payload.bytes.end())));
    auto command = plain_qemu(machine, kernel.vmlinuz);
    // hello is the first program: when it ends, Linux panics, which ends the machine.
    command.insert(command.end(), {"-initrd", initrd, "-append", "console=ttyS0 quiet panic=-1"});
    return command;
  }

  Result<std::vector<Way>> find_ways() {
    std::vector<Way> ways;
    const auto add = [&](std::string name, Command command, const fs::path& file, bool ours) {
      std::error_code ignored;
      Way way;
      way.row.name = std::move(name);
      way.row.file_size = fs::file_size(file, ignored);
      way.command = std::move(command);
      way.tries_memory = ours;
      ways.push_back(std::move(way));
    };
    const auto ours = [&](const std::string& name, const Command& more) {
      Command command = {plan_.tool, "run", "--accel", "tcg"};
      command.insert(command.end(), more.begin(), more.end());
      command.push_back(image(name));
      return command;
    };
    add("QEMU alone, q35", plain_qemu("q35", plan_.floor), plan_.floor, false);
    add("QEMU alone, pc", plain_qemu("pc", plan_.floor), plan_.floor, false);
    add("QEMU alone, microvm", plain_qemu("microvm,acpi=off", plan_.floor), plan_.floor, false);
    for (const auto* machine : {"q35", "microvm"}) {
      TRY_LET(auto command, cloud_command(machine));
      TRY_LET(const auto kernel, cloud_kernel());
      add(fmt::format("Debian cloud, {}", machine), std::move(command), kernel.vmlinuz, false);
    }
    add("ukl run, general, q35", ours("general", {"--machine", "q35"}), image("general"), true);
    add("ukl run, general, pc", ours("general", {"--machine", "pc"}), image("general"), true);
    add("ukl run, general, microvm", ours("general", {"--machine", "microvm"}), image("general"), true);
    add("ukl run, whatever fits", ours("fitting", {}), image("fitting"), true);
    add("ukl run, compressed", ours("compressed", {}), image("compressed"), true);
    return ways;
  }

  // Instructions until main, by the time-stamp counter under -icount shift=0.
  Result<void> count(Way& way) {
    if (!way.tries_memory)
      return {};
    Command show = way.command;
    show.insert(show.end(),
                {"--dry-run", "--append", "tsc_early_khz=1000000 ukl_lapic_khz=1000000", "--", "count"});
    TRY_LET(auto line, run_command(show));
    while (line.text.ends_with('\n'))
      line.text.pop_back();
    TRY_LET(const auto booted, boot({"sh", "-c", line.text + " -icount shift=0,sleep=off"}));
    auto floor = plain_qemu(machine_of(way.row), plan_.floor);
    floor.insert(floor.end(), {"-icount", "shift=0,sleep=off"});
    // The firmware is the one that ukl run takes, not QEMU's choice for the floor.
    if (const auto bios = line.text.find(" -bios "); bios != std::string::npos) {
      const auto from = bios + std::string(" -bios ").size();
      floor.insert(floor.end(), {"-bios", line.text.substr(from, line.text.find(' ', from) - from)});
    }
    TRY_LET(const auto firmware, boot(floor));
    const double all = number_after_hello(booted.line, 10), before = number_after_hello(firmware.line, 16);
    if (all > before && before > 0)
      way.row.instructions = all - before;
    return {};
  }

  Result<bool> says_hello(const Way& way, double mebibytes) {
    Command command = way.command;
    command.insert(command.end(), {"-m", fmt::format("{:.0f}K", mebibytes * 1024)});
    TRY_LET(const auto booted, boot(command));
    return booted.first_line.has_value();
  }

  // The smallest of a grid, between what is surely too little and what surely suffices.
  template <typename Works> Result<double> least_memory(const Works& works) {
    double too_little = 2, enough = 128;
    while (enough - too_little > kStep) {
      const double middle = std::floor((too_little + enough) / 2 / kStep) * kStep;
      TRY_LET(const bool worked, works(middle));
      (worked ? enough : too_little) = middle;
    }
    return enough;
  }

  // Twenty requests, each answered.
  Result<bool> serves(double mebibytes) {
    const int port = free_port(false);
    auto process =
        Process::start({plan_.tool, "run", "--accel", "tcg", "-m", fmt::format("{:.0f}K", mebibytes * 1024),
                        "-p", fmt::format("{}:8000", port), image("web")},
                       silent());
    if (!process)
      return process.error();
    int answered = 0;
    const auto give_up = Clock::now() + 20s;
    while (answered < kRequests && Clock::now() < give_up && !process->wait_for(20ms)) {
      TRY_LET(const auto page,
              run_command({"curl", "-s", "-m", "5", fmt::format("http://127.0.0.1:{}/", port)}));
      if (interrupted())
        return Error{Failure::interrupted, "the benchmark was interrupted", ""};
      answered += page.text == "hello\n";
    }
    process->signal(SIGTERM);
    process->wait_for(5s);
    return answered == kRequests;
  }

  ProcessOptions silent() {
    ProcessOptions options;
    null_ = FileDescriptor(open("/dev/null", O_RDWR | O_CLOEXEC));
    options.standard_output = options.standard_error = null_.get();
    return options;
  }

  const StartPlan& plan_;
  fs::path folder_;
  FileDescriptor null_;
};

std::string mebibytes(double value) {
  return value > 0 ? fmt::format("{:.2f}", value) : "-";
}

} // namespace

Result<StartReport> measure_start(const StartPlan& plan) {
  TRY_LET(const auto folder, TemporaryFolder::create("ukl-bench-start"));
  return Start(plan, folder.path()).measure();
}

std::string start_text(const StartReport& report, bool markdown) {
  Grid grid = {{"", "first line, ms", "× QEMU alone", "key to prompt, ms", "million instructions",
                "file, MiB", "least memory, MiB"}};
  const auto floor_of = [&](const StartRow& row) {
    const auto machine = machine_of(row);
    for (const auto& other : report.rows)
      if (other.name.starts_with("QEMU") && machine_of(other) == machine)
        return other.first_line.median();
    return 0.0;
  };
  for (const auto& row : report.rows) {
    const double floor = floor_of(row);
    const bool known = row.failure.empty() && floor > 0 && !row.first_line.empty();
    grid.push_back({row.name, row.failure.empty() ? with_spread(row.first_line) : row.failure,
                    known ? fmt::format("{:.1f}", row.first_line.median() / floor) : "-",
                    with_spread(row.total),
                    row.instructions > 0 ? fmt::format("{:.1f}", row.instructions / 1e6) : "-",
                    mebibytes(static_cast<double>(row.file_size) / (1 << 20)), mebibytes(row.least_memory)});
  }
  const auto servers = servers_grid(report);
  return fmt::format(
      "{}\nA server with a network card that answers {} requests: {} MiB of memory.\n\n{}\n{} {}, {}; `{}`\n",
      markdown ? as_markdown(grid) : as_text(grid), kRequests, mebibytes(report.server_memory),
      markdown ? as_markdown(servers) : as_text(servers), report.about.date, report.about.qemu,
      report.about.host, report.about.command);
}

} // namespace ukl::bench
