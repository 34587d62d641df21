// SPDX-License-Identifier: GPL-2.0-only
#include "execute.hpp"
#include "console.hpp"
#include "kernel/profile.hpp"
#include "prepare.hpp"
#include "session.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <fmt/format.h>
#include <regex>
#include <sys/socket.h>

namespace fs = std::filesystem;

namespace boot {
namespace {

using namespace std::chrono_literals;

/// A TCP port on the loopback address that was free a moment ago: below those that Linux gives to connections
/// by itself (net.ipv4.ip_local_port_range), which would take it before the test does.
int free_port() {
  constexpr int kFirst = 20000, kLast = 32000;
  static std::mutex mutex;
  static int next = kFirst + getpid() % (kLast - kFirst);
  const std::lock_guard lock(mutex);
  for (int tries = 0; tries < 1000; ++tries) {
    next = next >= kLast ? kFirst : next + 1; // never the same twice: two tests run at a time
    const ukl::FileDescriptor socket_fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(next));
    if (bind(socket_fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
      return next;
  }
  return 0;
}

Names names_for(const Test& test, const Settings& settings) {
  std::string profile = settings.profile.empty() ? test.profile : settings.profile;
  // What is there to compare with stays that, of the same release of Linux.
  const auto release = ukl::parse_profile(settings.profile).release;
  if (test.profile == "classic" && release != ukl::kDefaultRelease)
    profile = ukl::profile_name(test.profile, release);
  const fs::path build = settings.build / test.name;
  return {{"build", build.string()},
          {"checks", "/checks"},
          {"debian", (settings.build / "debian").string()},
          {"image", (build / "image.ukl").string()},
          {"port", std::to_string(free_port())},
          {"port2", std::to_string(free_port())},
          {"profile", profile},
          {"ring", ukl::parse_profile(profile).profile == "classic" ? "3" : "0"},
          {"source", settings.source.string()},
          {"ukl", settings.ukl.string()},
          {"work", (build / "work").string()}};
}

int signal_number(const std::string& name) {
  return name == "INT" ? SIGINT : name == "HUP" ? SIGHUP : name == "KILL" ? SIGKILL : SIGTERM;
}

// A call that an image does not answer although its program makes it: the tool has masked too much, unless
// the test is about that.
bool masks_too_much(const Step& step, const std::string& log) {
  constexpr std::string_view sign = "ukl: masked system call";
  const auto is_wanted = [&](const std::string& text) { return text.find(sign) != std::string::npos; };
  return log.find(sign) != std::string::npos && std::ranges::none_of(step.expect, is_wanted);
}

struct StepResult {
  std::string wrong; // empty: as wanted
  std::string log;   // console and client
};

// Runs the guest (or the host command) of one step and the client beside it.
StepResult run_step(const Step& step, const Test& test, const Settings& settings, const Names& names) {
  StepResult result;
  const auto deadline = Clock::now() + std::chrono::seconds(test.seconds);
  std::vector<std::string> command;
  if (step.kind == Step::Kind::host) {
    command = {"bash", "-c", substitute(step.command, names)};
  } else {
    // Linux's warnings are hidden by "quiet": they must show, for any of them fails the test.
    command = {settings.ukl.string(), "run", names.at("image"), "--append", "loglevel=5"};
    for (const auto& word : split_words(step.command))
      command.push_back(substitute(word, names));
  }
  auto session = Session::start(command, names.at("build"), {});
  if (!session)
    return {session.error().message, ""};
  const auto console = [&] { return plain_text(session->output()); };

  std::string client_text;
  if (!step.ready.empty() && !session->wait_for_text(substitute(step.ready, names), deadline))
    result.wrong = fmt::format("\"{}\" did not appear on the console", step.ready);
  if (result.wrong.empty() && !step.client.empty()) {
    auto client = Session::start({"bash", "-c", substitute(step.client, names)}, names.at("build"), {});
    if (!client)
      return {client.error().message, console()};
    std::optional<int> status;
    bool ended = false;
    while (!status && Clock::now() < deadline && !ukl::interrupted()) {
      ended = session->pump(1ms);
      if (client->pump(20ms))
        status = client->wait_for_end(Clock::now() + 1s);
      if (ended && !status)
        status = client->wait_for_end(Clock::now() + 5s);
      if (ended)
        break;
    }
    client_text = client->output();
    if (!status)
      result.wrong = ended ? "the machine ended before its client" : "the client did not end in time";
    else if (*status != 0)
      result.wrong = fmt::format("the client failed with status {}", *status);
  }
  if (!step.stop.empty() || !result.wrong.empty()) {
    session->pump(1ms);
    session->signal(signal_number(step.stop));
  }
  const auto status = session->wait_for_end(deadline);
  result.log = console();
  if (!client_text.empty())
    result.log += "\n--- client ---\n" + client_text;

  if (!result.wrong.empty())
    return result;
  if (ukl::interrupted())
    result.wrong = "interrupted";
  else if (!status)
    result.wrong = fmt::format("still running after {} s", test.seconds);
  else if (const auto trouble = kernel_trouble(result.log); !trouble.empty() && step.kind == Step::Kind::run)
    result.wrong = "the kernel is in trouble: " + trouble;
  else if (masks_too_much(step, result.log))
    result.wrong = "a system call is masked that the program makes";
  else if (*status != step.status && test.list.empty())
    result.wrong = fmt::format("exit status {}, wanted {}", *status, step.status);
  for (const auto& text : step.expect)
    if (result.wrong.empty() && result.log.find(substitute(text, names)) == std::string::npos)
      result.wrong = fmt::format("\"{}\" is not in the output", substitute(text, names));
  for (const auto& text : step.expect_patterns)
    if (result.wrong.empty() && !std::regex_search(result.log, std::regex(substitute(text, names))))
      result.wrong = fmt::format("nothing in the output matches {}", substitute(text, names));
  for (const auto& text : step.reject)
    if (result.wrong.empty() && result.log.find(substitute(text, names)) != std::string::npos)
      result.wrong = fmt::format("\"{}\" is in the output", substitute(text, names));
  return result;
}

std::vector<Outcome> outcomes_of_checks(const std::string& console) {
  std::vector<Outcome> outcomes;
  for (const auto& check : check_results(console)) {
    const auto kind = check.kind == CheckResult::Kind::ok        ? Outcome::Kind::passed
                      : check.kind == CheckResult::Kind::skipped ? Outcome::Kind::skipped
                                                                 : Outcome::Kind::failed;
    outcomes.push_back({kind, check.name, check.detail, check.output});
  }
  return outcomes;
}

} // namespace

std::vector<Outcome> execute(const Test& test, const Settings& settings) {
  const auto failure = [&](const std::string& detail, const std::string& log) {
    return std::vector<Outcome>{{Outcome::Kind::failed, test.name, detail, log}};
  };
  const auto start = Clock::now();
  const Names names = names_for(test, settings);
  std::error_code error;
  fs::remove_all(names.at("work"), error);
  fs::create_directories(names.at("work"), error);
  if (error)
    return failure("cannot create " + names.at("work"), "");

  if (auto done = fetch_packages(test.needs, settings); !done)
    return {{Outcome::Kind::failed, test.name, done.error().message, done.error().hint}};
  if (auto done = compile(test, settings, names); !done)
    return failure(done.error().message, done.error().hint);
  auto outcomes = run_on_host(test, names);
  if (auto done = make_image(test, settings, names); !done)
    return failure(done.error().message, done.error().hint);
  if (settings.only_make) {
    outcomes.push_back({Outcome::Kind::passed, test.name, "made " + names.at("image"), ""});
    return outcomes;
  }

  std::string logs, wrong;
  const bool has_checks = !test.checks.empty() || !test.list.empty();
  for (const auto& step : test.steps) {
    // The driver's own status only repeats what its lines say.
    auto result = run_step(step, test, settings, names);
    logs += result.log;
    const bool several_cpus = step.command.find("--cpus ") != std::string::npos;
    if (const auto failure = emulator_failure(result.log, several_cpus);
        !result.wrong.empty() && !failure.empty()) {
      fmt::print("note: {}: QEMU's own failure, once more: {}\n", test.name, failure);
      result = run_step(step, test, settings, names);
      logs += result.log;
    }
    if (has_checks) {
      const auto checks =
          test.expectations.empty()
              ? outcomes_of_checks(result.log)
              : compare_with_list(result.log, (settings.source / test.expectations).string(), "");
      const bool any_failed = std::any_of(
          checks.begin(), checks.end(), [](const Outcome& one) { return one.kind == Outcome::Kind::failed; });
      outcomes.insert(outcomes.end(), checks.begin(), checks.end());
      if (result.wrong.empty() && result.log.find("[check] end: ") == std::string::npos)
        result.wrong = fmt::format("the driver stopped after {} programs", checks.size());
      if (any_failed && result.wrong.starts_with("exit status "))
        result.wrong.clear();
    }
    if (!result.wrong.empty()) {
      wrong = result.wrong;
      break;
    }
  }
  if (auto written = ukl::write_text(settings.build / test.name / "log", logs); !written)
    wrong = written.error().message;
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (!wrong.empty())
    outcomes.push_back({Outcome::Kind::failed, test.name, wrong, tail(logs, 40)});
  else if (!has_checks)
    outcomes.push_back({Outcome::Kind::passed, test.name, fmt::format("{:.1f} s", seconds), ""});
  return outcomes;
}

} // namespace boot
