// SPDX-License-Identifier: GPL-2.0-only
#include "first_answer.hpp"
#include "machine.hpp"
#include "running_server.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/process.hpp"

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>

namespace ukl::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Command = std::vector<std::string>;
using namespace std::chrono_literals;

constexpr auto kLimit = 60s;     // for the first answer, on a busy machine
constexpr int kAnswerLimit = 20; // seconds, for one that has been taken

constexpr const char* kFlask = "from flask import Flask\n"
                               "app = Flask('app')\n"
                               "@app.get('/')\n"
                               "def index():\n"
                               "  return 'hello'\n"
                               "app.run(host='0.0.0.0')\n";

struct Service {
  FirstAnswerRow row;
  std::uint16_t port = 0;
  std::string question;
  fs::path image, kept;
};

// Until somebody answers, or nothing.
std::optional<double> wait_for_answer(const Service& service, int port, Process& machine,
                                      Clock::time_point start) {
  while (Clock::now() - start < kLimit && !machine.wait_for(0ms) && !interrupted()) {
    if (answers({"127.0.0.1", port}, service.question, kAnswerLimit))
      return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    machine.wait_for(1ms);
  }
  return std::nullopt;
}

Result<double> first_answer(const FirstAnswerPlan& plan, const Service& service, const fs::path& what) {
  const int port = free_port(false);
  const FileDescriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
  ProcessOptions options;
  options.standard_output = options.standard_error = null.get();
  const auto start = Clock::now();
  TRY_LET(auto machine, Process::start({plan.tool, "run", "--accel", "tcg", "-p",
                                        fmt::format("{}:{}", port, service.port), what},
                                       options));
  const auto answered = wait_for_answer(service, port, machine, start);
  machine.signal(SIGTERM);
  if (!machine.wait_for(10s))
    machine.signal(SIGKILL);
  if (interrupted())
    return Error{Failure::interrupted, "the benchmark was interrupted", ""};
  if (!answered)
    return Error{Failure::machine, fmt::format("{} did not answer", what.filename().string()), ""};
  return *answered;
}

Result<void> run_tool(Command command) {
  TRY_LET(const auto output, run_command(command));
  if (output.status == 0)
    return {};
  return Error{Failure::machine, fmt::format("{} failed: {}", command[1], output.text), ""};
}

Result<void> make(const FirstAnswerPlan& plan, const Command& what, const Service& service) {
  Command pack = {plan.tool, "pack", "-o", service.image};
  pack.insert(pack.end(), what.begin(), what.end());
  TRY(run_tool(pack));
  return run_tool({plan.tool, "snapshot", "--accel", "tcg", service.image, "--when",
                   fmt::format("tcp:{}", service.port), "-o", service.kept});
}

} // namespace

Result<std::vector<FirstAnswerRow>> measure_first_answers(const FirstAnswerPlan& plan) {
  const auto script = plan.folder / "flask.py";
  TRY(write_text(script, kFlask));
  const std::string page = "GET / HTTP/1.0\r\n\r\n";
  std::vector<Service> services;
  const auto add = [&](const std::string& name, std::uint16_t port, const std::string& question,
                       const Command& what) {
    const auto file = fmt::format("server-{}", services.size());
    auto& service = services.emplace_back();
    service.row.name = name;
    service.port = port;
    service.question = question;
    service.image = plan.folder / (file + ".ukl");
    service.kept = plan.folder / (file + ".warm");
    if (const auto made = make(plan, what, service); !made)
      service.row.failure = made.error().message;
  };
  add("a small server in C", 8000, page, {plan.web.string()});
  add("memcached", 11211, "version\r\n", {"deb:memcached"});
  add("Python with Flask", 5000, page,
      {"deb:python3-flask", "--entrypoint", "/usr/bin/python3", "--file", script.string() + ":/app.py", "--",
       "/app.py"});
  for (unsigned round = 0; round < plan.rounds; ++round)
    for (auto& service : services)
      for (const auto& [what, samples] :
           {std::pair(&service.image, &service.row.cold), {&service.kept, &service.row.warm}}) {
        if (!service.row.failure.empty())
          continue;
        const auto answer = first_answer(plan, service, *what);
        if (answer)
          samples->values.push_back(*answer);
        else if (answer.error().failure == Failure::interrupted)
          return answer.error();
        else
          service.row.failure = answer.error().message;
      }
  std::vector<FirstAnswerRow> rows;
  for (auto& service : services)
    rows.push_back(std::move(service.row));
  return rows;
}

} // namespace ukl::bench
