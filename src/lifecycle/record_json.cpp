// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/record_json.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace ukl {
namespace {

using Json = nlohmann::ordered_json;
using Phase = MachineState::Phase;

constexpr std::array<const char*, 4> kPhases = {"starting", "running", "restarting", "ended"};

// Names of files may hold any bytes, JSON only UTF-8.
std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json milliseconds_of(Moment moment) {
  return moment.time_since_epoch().count();
}

Moment moment_of(const Json& json) {
  return Moment(std::chrono::milliseconds(json.get<std::int64_t>()));
}

template <typename T> void take(const Json& json, const char* name, T& value) {
  if (const auto found = json.find(name); found != json.end())
    found->get_to(value);
}

void take(const Json& json, const char* name, Moment& value) {
  if (const auto found = json.find(name); found != json.end())
    value = moment_of(*found);
}

template <typename T> void take(const Json& json, const char* name, std::optional<T>& value) {
  if (json.contains(name))
    take(json, name, value.emplace());
}

void read(const Json& json, RecordedPlan& plan) {
  take(json, "name", plan.name);
  take(json, "project", plan.project);
  take(json, "image", plan.image);
  take(json, "command", plan.command);
  take(json, "folder", plan.folder);
  take(json, "ports", plan.ports);
  take(json, "networks", plan.networks);
  take(json, "memory", plan.memory);
  take(json, "cpus", plan.cpus);
  take(json, "restart", plan.restart);
  take(json, "stop_signal", plan.stop_signal);
  take(json, "detached", plan.detached);
  take(json, "remove", plan.remove);
  take(json, "interactive", plan.interactive);
  take(json, "terminal", plan.terminal);
  take(json, "created_ms", plan.created);
}

void read(const Json& json, MachineState& state) {
  std::string phase;
  take(json, "phase", phase);
  for (std::size_t number = 0; number < kPhases.size(); ++number)
    if (phase == kPhases.at(number))
      state.phase = static_cast<Phase>(number);
  take(json, "pid", state.pid);
  take(json, "pid_started", state.pid_started);
  take(json, "keeper", state.keeper);
  take(json, "keeper_started", state.keeper_started);
  take(json, "qemu", state.qemu);
  take(json, "started_ms", state.started);
  take(json, "ended_ms", state.ended);
  take(json, "status", state.status);
  take(json, "sentence", state.sentence);
  take(json, "restarts", state.restarts);
  take(json, "log_is_incomplete", state.log_is_incomplete);
}

template <typename T> bool read_all(const std::string& text, T& value) {
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_object())
    return false;
  try {
    read(json, value);
    return true;
  } catch (const nlohmann::json::exception&) { // a value of another type
    return false;
  }
}

} // namespace

std::string to_json(const RecordedPlan& plan) {
  return text_of({{"name", plan.name},
                  {"project", plan.project},
                  {"image", plan.image},
                  {"command", plan.command},
                  {"folder", plan.folder},
                  {"ports", plan.ports},
                  {"networks", plan.networks},
                  {"memory", plan.memory},
                  {"cpus", plan.cpus},
                  {"restart", plan.restart},
                  {"stop_signal", plan.stop_signal},
                  {"detached", plan.detached},
                  {"remove", plan.remove},
                  {"interactive", plan.interactive},
                  {"terminal", plan.terminal},
                  {"created_ms", milliseconds_of(plan.created)}});
}

std::string to_json(const MachineState& state) {
  Json json = {{"phase", kPhases.at(static_cast<std::size_t>(state.phase))},
               {"pid", state.pid},
               {"pid_started", state.pid_started},
               {"keeper", state.keeper},
               {"keeper_started", state.keeper_started},
               {"qemu", state.qemu},
               {"sentence", state.sentence},
               {"restarts", state.restarts},
               {"log_is_incomplete", state.log_is_incomplete}};
  if (state.started)
    json["started_ms"] = milliseconds_of(*state.started);
  if (state.ended)
    json["ended_ms"] = milliseconds_of(*state.ended);
  if (state.status)
    json["status"] = *state.status;
  return text_of(json);
}

bool from_json(const std::string& text, RecordedPlan& plan) {
  return read_all(text, plan);
}

bool from_json(const std::string& text, MachineState& state) {
  return read_all(text, state);
}

Json report(const KnownMachine& machine, Moment now) {
  const auto& [folder, plan, state, alive] = machine;
  Json json = {{"name", plan.name},
               {"image", plan.image},
               {"phase", machine.phase()},
               {"sentence", machine.sentence(now)},
               {"status", state.status ? Json(*state.status) : Json()},
               {"ports", plan.ports},
               {"networks", plan.networks},
               {"memory", plan.memory},
               {"cpus", plan.cpus},
               {"restart", plan.restart},
               {"restarts", state.restarts},
               {"detached", plan.detached},
               {"created", describe(plan.created)},
               {"started", state.started ? Json(describe(*state.started)) : Json()},
               {"ended", state.ended ? Json(describe(*state.ended)) : Json()},
               {"pid", alive ? Json(state.keeper) : Json()},
               {"qemu", alive && state.qemu > 0 ? Json(state.qemu) : Json()},
               {"folder", folder.string()}};
  if (!plan.project.empty())
    json["project"] = plan.project;
  if (state.log_is_incomplete)
    json["log_is_incomplete"] = true;
  return json;
}

} // namespace ukl
