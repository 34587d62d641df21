// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/events.hpp"
#include "lifecycle/bounded_file.hpp"
#include "support/interrupt.hpp"
#include "support/standard_streams.hpp"

#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "events.jsonl";
constexpr std::uint64_t kMost = 2 << 20;

} // namespace

void add_event(const fs::path& machines, const std::string& name, const std::string& what,
               const MachineState& state) {
  nlohmann::ordered_json event = {{"time", describe(now())}, {"machine", name}, {"event", what}};
  if (state.status)
    event["status"] = *state.status;
  if (state.status && !state.sentence.empty())
    event["sentence"] = state.sentence;
  if (auto file = BoundedFile::open(machines / kFile, kMost))
    file->add(event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

Result<void> read_events(const fs::path& machines, const std::string& since, bool follow,
                         const std::function<void(const std::string&)>& take) {
  std::error_code ignored;
  fs::create_directories(machines, ignored);
  const FileDescriptor changes(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (follow)
    inotify_add_watch(changes.get(), machines.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO);
  BoundedFileReader file(machines / kFile);
  while (true) {
    file.more([&](std::string_view line) {
      const auto event = nlohmann::json::parse(line, nullptr, false);
      if (event.is_object() && (since.empty() || event.value("time", "") >= since))
        take(std::string(line));
    });
    if (!follow)
      return {};
    TRY(flush_output());
    pollfd wait[] = {{changes.get(), POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}};
    poll(wait, 2, -1);
    if (interrupted())
      return {};
    char drained[4096];
    while (read(changes.get(), drained, sizeof drained) > 0) {
    }
  }
}

std::optional<int> last_status(const fs::path& machines, const std::string& name) {
  std::optional<int> status;
  BoundedFileReader(machines / kFile).more([&](std::string_view line) {
    const auto event = nlohmann::json::parse(line, nullptr, false);
    if (event.is_object() && event.value("machine", "") == name && event.value("event", "") == "ended")
      status = event.value("status", 0);
  });
  return status;
}

} // namespace ukl
