// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/record.hpp"
#include "lifecycle/record_json.hpp"
#include "support/interrupt.hpp"
#include "support/process_stat.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// What others are removing; no name of a machine begins with a dot.
constexpr const char* kGone = ".gone-";

constexpr const char* kSpare = "spare";

// More than a state takes.
Result<void> set_aside(const fs::path& folder) {
  return write_text(folder / kSpare, std::string(8192, ' '), 0600);
}

// An image's name without its ending, with room for a number.
std::string name_of(const fs::path& image) {
  return plain_name(image.stem().string(), "machine", kLongestPlainName - 5);
}

// Readers only ever share the lock, so that two of them do not take each other for an owner.
bool is_locked(const fs::path& folder) {
  const FileDescriptor lock(open((folder / "lock").c_str(), O_RDONLY | O_CLOEXEC));
  return lock && flock(lock.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

std::optional<KnownMachine> read_record(const fs::path& folder) {
  KnownMachine machine;
  machine.folder = folder;
  // In this order: whoever is found alive afterwards has not written a later state before it ended.
  machine.alive = is_locked(folder);
  const auto plan = read_text(folder / "plan.json");
  if (!plan || !from_json(*plan, machine.plan))
    return std::nullopt;
  if (const auto state = read_text(folder / "state.json"))
    from_json(*state, machine.state);
  machine.plan.name = folder.filename();
  return machine;
}

// Gives the name free in one step; what a slow disk takes for the rest, nobody sees. Only for who has the
// lock.
bool remove_folder(const fs::path& folder) {
  const auto gone =
      folder.parent_path() / fmt::format("{}{}-{}", kGone, getpid(), folder.filename().string());
  std::error_code error;
  fs::rename(folder, gone, error);
  if (error)
    return false;
  fs::remove_all(gone, error);
  return true;
}

// The same for a record whose owner is dead, under its lock: in the meantime somebody else may have removed
// it and made one of the same name, which lives.
bool remove_dead(const fs::path& folder) {
  const FileDescriptor lock(open((folder / "lock").c_str(), O_RDWR | O_CLOEXEC));
  struct stat named = {}, ours = {};
  return lock && flock(lock.get(), LOCK_EX | LOCK_NB) == 0 && fstat(lock.get(), &ours) == 0 &&
         stat((folder / "lock").c_str(), &named) == 0 && named.st_ino == ours.st_ino &&
         // Without it, somebody is just making a new one.
         access((folder / "plan.json").c_str(), F_OK) == 0 && remove_folder(folder);
}

// Those who only look have it for a moment; who owns the machine keeps it.
bool take_lock(const FileDescriptor& lock) {
  for (int attempt = 0; attempt < 50; ++attempt) {
    if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0)
      return true;
    usleep(1000);
  }
  return false;
}

std::string ago(milliseconds time) {
  const auto seconds = std::max<long long>(time.count() / 1000, 0);
  const auto words = [](long long count, const char* unit) {
    return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
  };
  if (seconds < 90)
    return words(seconds, "second");
  if (seconds < 90LL * 60)
    return words(seconds / 60, "minute");
  if (seconds < 48LL * 3600)
    return words(seconds / 3600, "hour");
  return words(seconds / 86400, "day");
}

// The name's folder, made and locked; nothing if it is taken.
Result<std::optional<FileDescriptor>> take_name(const fs::path& folder) {
  if (mkdir(folder.c_str(), 0700) != 0) {
    if (errno != EEXIST)
      return file_error(folder, "write", errno);
    // Left by one that was to leave nothing and was killed, or was killed while it made this.
    const auto there = read_record(folder);
    if (is_locked(folder) || (there && !there->plan.remove))
      return std::optional<FileDescriptor>();
    if (there && !remove_dead(folder))
      return std::optional<FileDescriptor>();
    if (there && mkdir(folder.c_str(), 0700) != 0)
      return std::optional<FileDescriptor>();
  }
  FileDescriptor lock(open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock && errno == ENOENT) // removed by another one, who makes it anew
    return std::optional<FileDescriptor>();
  if (!lock)
    return file_error(folder / "lock", "write", errno);
  // Two may have found what one that was killed left.
  if (!take_lock(lock))
    return std::optional<FileDescriptor>();
  std::error_code ignored;
  if (fs::exists(folder / "plan.json", ignored))
    return std::optional<FileDescriptor>();
  return std::optional(std::move(lock));
}

} // namespace

Moment now() {
  return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

std::string describe(Moment moment) {
  const auto since = moment.time_since_epoch();
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(since).count();
  std::tm utc = {};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  return fmt::format("{}.{:03}Z", text, since.count() % 1000);
}

std::string KnownMachine::phase() const {
  using Phase = MachineState::Phase;
  if (!alive || state.phase == Phase::ended)
    return "exited";
  return state.phase == Phase::starting  ? "starting"
         : state.phase == Phase::running ? "running"
                                         : "restarting";
}

std::string KnownMachine::sentence(Moment now) const {
  using Phase = MachineState::Phase;
  if (state.phase == Phase::ended)
    return state.ended ? fmt::format("{}, {} ago", state.sentence, ago(now - *state.ended)) : state.sentence;
  if (!alive)
    return "Killed by the host";
  if (state.phase == Phase::starting || !state.started)
    return "Starting";
  if (state.phase == Phase::restarting)
    return fmt::format("Restarting ({}): {}", state.restarts + 1, state.sentence);
  return "Up " + ago(now - *state.started);
}

Result<MachineRecord> MachineRecord::create(const fs::path& machines, RecordedPlan plan) {
  std::error_code error;
  fs::create_directories(machines, error);
  if (error)
    return file_error(machines, "write", error.value());
  const bool chosen = !plan.name.empty();
  if (chosen && !is_plain_name(plan.name))
    return Error{Failure::usage, fmt::format("'{}' is no name of a machine", plan.name), kPlainNameForm};
  const auto base = chosen ? plan.name : name_of(plan.image);
  for (unsigned number = 1;; ++number) {
    plan.name = number == 1 ? base : fmt::format("{}-{}", base, number);
    const auto folder = machines / plan.name;
    TRY_LET(auto lock, take_name(folder));
    if (lock) {
      MachineRecord record;
      record.folder_ = folder;
      record.lock_ = std::move(*lock);
      record.plan_ = std::move(plan);
      auto written = set_aside(folder);
      if (written)
        written = write_text(folder / "plan.json", to_json(record.plan_), 0600);
      if (!written) {
        record.remove();
        return written.error();
      }
      return record;
    }
    if (chosen)
      return Error{Failure::name_in_use, fmt::format("there is a machine {}", plan.name),
                   is_locked(folder)
                       ? fmt::format("take another name, or end it: ukl rm -f {}", plan.name)
                       : fmt::format("take another name, or remove what it left: ukl rm {}", plan.name)};
  }
}

void MachineRecord::write(const MachineState& state) const {
  if (write_text(folder_ / "state.json", to_json(state), 0600))
    return;
  // How a machine has ended must be known also where its own log has filled the disk.
  std::error_code ignored;
  for (const auto* room : {kSpare, "log.1"})
    fs::remove(folder_ / room, ignored);
  [[maybe_unused]] const auto written = write_text(folder_ / "state.json", to_json(state), 0600);
  // The old state's room is free now.
  [[maybe_unused]] const auto again = set_aside(folder_);
}

bool MachineRecord::stop_asked() const {
  std::error_code ignored;
  return fs::exists(folder_ / "stop", ignored);
}

void MachineRecord::remove() {
  remove_folder(folder_);
}

std::vector<KnownMachine> known_machines(const fs::path& machines) {
  std::vector<KnownMachine> known;
  std::error_code error;
  for (fs::directory_iterator entry(machines, error), end; !error && entry != end; entry.increment(error)) {
    const auto name = entry->path().filename().string();
    if (name.starts_with(kGone)) {
      // By somebody who was killed while removing it.
      const auto pid = static_cast<pid_t>(std::atoi(name.c_str() + std::string_view(kGone).size()));
      std::error_code ignored;
      if (process_start_time(pid) == 0)
        fs::remove_all(entry->path(), ignored);
      continue;
    }
    auto machine = is_plain_name(name) ? read_record(entry->path()) : std::nullopt;
    if (!machine)
      continue;
    if (!machine->alive && machine->plan.remove)
      remove_dead(machine->folder);
    else
      known.push_back(std::move(*machine));
  }
  std::ranges::sort(known, {}, [](const auto& machine) { return machine.plan.created; });
  return known;
}

Result<KnownMachine> known_machine(const fs::path& machines, const std::string& name) {
  if (is_plain_name(name))
    if (auto machine = read_record(machines / name); machine && (machine->alive || !machine->plan.remove))
      return std::move(*machine);
  std::string others;
  for (const auto& machine : known_machines(machines))
    others += (others.empty() ? "" : ", ") + machine.plan.name;
  return Error{Failure::no_such_machine, fmt::format("there is no machine {}", name),
               others.empty() ? "there are none; ukl run -d starts one" : "there are: " + others};
}

Result<void> ask_to_stop(const KnownMachine& machine) {
  return write_text(machine.folder / "stop", "", 0600);
}

namespace {

// The process with this number may be another one by now: it is held before it is looked at.
bool signal_process(pid_t pid, std::uint64_t started, int signal) {
  if (pid <= 0)
    return false;
  const FileDescriptor held(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  return held && process_start_time(pid) == started &&
         syscall(SYS_pidfd_send_signal, held.get(), signal, nullptr, 0) == 0;
}

} // namespace

bool send_signal(const KnownMachine& machine, int signal) {
  return machine.alive && signal_process(machine.state.pid, machine.state.pid_started, signal);
}

void kill_machine(const KnownMachine& machine) {
  const FileDescriptor qemu(
      machine.state.qemu > 0 ? static_cast<int>(syscall(SYS_pidfd_open, machine.state.qemu, 0)) : -1);
  send_signal(machine, SIGKILL);
  if (!wait_for_end(machine, milliseconds(2000)))
    signal_process(machine.state.keeper, machine.state.keeper_started, SIGKILL);
  // It ends with them, but has its ports and files until it has let go of its memory.
  pollfd event = {qemu.get(), POLLIN, 0};
  if (qemu)
    poll(&event, 1, 2000);
}

bool is_alive(const KnownMachine& machine) {
  return is_locked(machine.folder);
}

bool wait_for_end(const KnownMachine& machine, std::optional<milliseconds> most) {
  using Clock = std::chrono::steady_clock;
  const auto end = most ? Clock::now() + *most : Clock::time_point::max();
  // Only the owner has the lock open for writing: its end, whatever that was, closes it.
  const FileDescriptor events(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (inotify_add_watch(events.get(), (machine.folder / "lock").c_str(), IN_CLOSE_WRITE | IN_DELETE_SELF) < 0)
    return !is_locked(machine.folder);
  while (is_locked(machine.folder)) {
    int left = -1;
    if (most) {
      left = static_cast<int>(std::chrono::duration_cast<milliseconds>(end - Clock::now()).count()) + 1;
      if (left <= 0)
        return false;
    }
    pollfd wait[] = {{events.get(), POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}};
    poll(wait, 2, left);
    if (interrupted())
      return false;
    char drained[4096];
    while (read(events.get(), drained, sizeof drained) > 0) {
    }
  }
  return true;
}

Result<void> remove_record(const KnownMachine& machine) {
  if (is_locked(machine.folder))
    return Error{Failure::machine_runs, fmt::format("{} runs", machine.plan.name),
                 fmt::format("ukl stop {0}, or ukl rm -f {0}", machine.plan.name)};
  std::error_code ignored;
  if (!remove_dead(machine.folder) && fs::exists(machine.folder, ignored))
    return file_error(machine.folder, "remove", errno);
  return {};
}

std::uint64_t process_start_time(pid_t pid) {
  return process_stat(pid)[22];
}

} // namespace ukl
