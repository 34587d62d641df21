// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/metrics.hpp"

#include <fmt/format.h>

namespace ukl {
namespace {

// As the format has it: backslash, quotation mark and end of line.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char byte : text)
    result += byte == '\n'                  ? "\\n"
              : byte == '"' || byte == '\\' ? std::string{'\\', byte}
                                            : std::string(1, byte);
  return result;
}

std::string labels(const RecordedPlan& plan) {
  return fmt::format("{{name=\"{}\",project=\"{}\",image=\"{}\"}}", escaped(plan.name), escaped(plan.project),
                     escaped(std::filesystem::path(plan.image).filename().string()));
}

double seconds(Moment moment) {
  return static_cast<double>(moment.time_since_epoch().count()) / 1000;
}

// One metric: its value for a machine, or nothing.
struct Metric {
  const char *name, *type, *help;
  std::optional<double> (*value)(const MeasuredMachine&);
};

std::optional<double> if_runs(const MeasuredMachine& one, double value) {
  return one.machine.alive && one.machine.state.qemu > 0 ? std::optional(value) : std::nullopt;
}

using Machine = const MeasuredMachine&;
constexpr Metric kMetrics[] = {
    {"ukl_machine_up", "gauge", "1 if the program runs",
     [](Machine one) { return std::optional(one.machine.phase() == "running" ? 1.0 : 0.0); }},
    {"ukl_machine_start_time_seconds", "gauge", "When the program was started last, in seconds since 1970",
     [](Machine one) {
       return one.machine.state.started ? std::optional(seconds(*one.machine.state.started)) : std::nullopt;
     }},
    {"ukl_machine_restarts_total", "counter", "How often the machine was started again",
     [](Machine one) { return std::optional<double>(one.machine.state.restarts); }},
    {"ukl_machine_exit_status", "gauge", "The status that a machine has ended with",
     [](Machine one) {
       return !one.machine.alive && one.machine.state.status
                  ? std::optional<double>(*one.machine.state.status)
                  : std::nullopt;
     }},
    {"ukl_machine_log_incomplete", "gauge", "1 if the disk has not taken all of the log",
     [](Machine one) { return std::optional(one.machine.state.log_is_incomplete ? 1.0 : 0.0); }},
    {"ukl_machine_cpu_seconds_total", "counter", "Processor time of this machine that QEMU has taken",
     [](Machine one) { return if_runs(one, static_cast<double>(one.usage.cpu.count()) / 1000); }},
    {"ukl_machine_memory_bytes", "gauge", "Memory of this machine that QEMU holds",
     [](Machine one) { return if_runs(one, static_cast<double>(one.usage.memory)); }},
    {"ukl_machine_memory_limit_bytes", "gauge", "Memory of the guest",
     [](Machine one) { return std::optional(static_cast<double>(one.machine.plan.memory)); }},
    {"ukl_machine_read_bytes_total", "counter", "Bytes that QEMU has read from disks of this machine",
     [](Machine one) { return if_runs(one, static_cast<double>(one.usage.read)); }},
    {"ukl_machine_written_bytes_total", "counter", "Bytes that QEMU has written to disks of this machine",
     [](Machine one) { return if_runs(one, static_cast<double>(one.usage.written)); }},
};

} // namespace

std::string prometheus_text(const std::vector<MeasuredMachine>& machines) {
  std::string text;
  for (const auto& metric : kMetrics) {
    text += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", metric.name, metric.help, metric.type);
    for (const auto& one : machines)
      if (const auto value = metric.value(one))
        text += fmt::format("{}{} {}\n", metric.name, labels(one.machine.plan), *value);
  }
  return text;
}

} // namespace ukl
