// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/oci_container.hpp"
#include "lifecycle/record.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// The folder of those who name none.
constexpr const char* kUsualRoot = "ukl-oci";

// As runc takes them.
bool is_id(const std::string& id) {
  return !id.empty() && id[0] != '.' && id.size() <= 255 && std::ranges::all_of(id, [](unsigned char byte) {
    return byte < 0x80 && (std::isalnum(byte) || byte == '_' || byte == '+' || byte == '-' || byte == '.');
  });
}

// It has ended, and nobody has asked how.
bool is_zombie(pid_t pid) {
  const auto text = read_text(fmt::format("/proc/{}/stat", pid));
  const auto name_end = text ? text->rfind(')') : std::string::npos;
  return name_end != std::string::npos && name_end + 2 < text->size() && (*text)[name_end + 2] == 'Z';
}

[[noreturn]] void become(const std::vector<std::string>& command) {
  std::vector<char*> words;
  for (const auto& word : command)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execv(words[0], words.data());
  _exit(127);
}

// In a child: a session of its own, and signals end it, whatever its parent does with them.
void leave_callers_hands() {
  setsid();
  for (const int number : {SIGINT, SIGTERM, SIGHUP})
    signal(number, SIG_DFL);
}

} // namespace

Result<OciContainer> OciContainer::create(const fs::path& root, const std::string& id) {
  if (!is_id(id))
    return Error{Failure::usage, fmt::format("'{}' is no ID of a container", id), ""};
  std::error_code error;
  fs::create_directories(root, error);
  OciContainer container;
  container.folder_ = root / id;
  container.id_ = id;
  if (mkdir(container.folder_.c_str(), 0700) == 0)
    return container;
  if (errno == EEXIST)
    return Error{Failure::name_in_use, fmt::format("there is a container {}", id),
                 "ukl oci delete removes it"};
  return file_error(container.folder_, "write", errno);
}

Result<OciContainer> OciContainer::open(const fs::path& root, const std::string& id) {
  OciContainer container;
  container.folder_ = root / id;
  container.id_ = id;
  const auto text =
      is_id(id) ? read_text(container.folder_ / "container.json") : Result<std::string>(Error());
  const auto json = text ? Json::parse(*text, nullptr, false) : Json();
  if (!json.is_object())
    return Error{Failure::no_such_machine, fmt::format("there is no container {}", id), ""};
  container.pid_ = json.value("pid", 0);
  container.started_ = json.value("started", std::uint64_t(0));
  auto& facts = container.facts_;
  facts.bundle = json.value("bundle", "");
  facts.machines = json.value("machines", "");
  facts.annotations = json.value("annotations", std::map<std::string, std::string>());
  facts.network_namespace = json.value("network_namespace", "");
  facts.interfaces = json.value("interfaces", std::vector<std::string>());
  return container;
}

std::vector<OciContainer> OciContainer::all(const fs::path& root) {
  std::vector<OciContainer> containers;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root, ignored))
    if (auto container = open(root, entry.path().filename()))
      containers.push_back(std::move(*container));
  std::ranges::sort(containers, {}, &OciContainer::id);
  return containers;
}

std::string OciContainer::machine() const {
  const auto root = folder_.parent_path();
  const auto name = id_.substr(0, 32);
  return root.filename() == kUsualRoot ? name : name + "-" + sha256_hex(root.string()).substr(0, 8);
}

Result<void> OciContainer::fork_process(const std::vector<std::string>& command,
                                        const std::function<bool()>& prepare) {
  const auto start = folder_ / "start";
  if (mkfifo(start.c_str(), 0600) != 0)
    return file_error(start, "write", errno);
  pid_ = fork();
  if (pid_ < 0)
    return file_error("a process", "start", errno);
  if (pid_ > 0) {
    started_ = process_start_time(pid_);
    return {};
  }
  leave_callers_hands();
  if (!prepare())
    _exit(1);
  const FileDescriptor pipe(::open(start.c_str(), O_RDONLY | O_CLOEXEC)); // until somebody writes
  char byte;
  if (read(pipe.get(), &byte, 1) != 1)
    _exit(1);
  become(command);
}

Result<pid_t> OciContainer::fork_another(const std::vector<std::string>& command,
                                         const std::function<bool()>& prepare) {
  const pid_t pid = fork();
  if (pid < 0)
    return file_error("a process", "start", errno);
  if (pid > 0)
    return pid;
  leave_callers_hands();
  if (!prepare())
    _exit(1);
  become(command);
}

Result<void> OciContainer::write(const Facts& facts) {
  facts_ = facts;
  const Json json = {{"bundle", facts.bundle},
                     {"pid", pid_},
                     {"started", started_},
                     {"machines", facts.machines.string()},
                     {"annotations", facts.annotations},
                     {"network_namespace", facts.network_namespace},
                     {"interfaces", facts.interfaces}};
  return write_text(folder_ / "container.json", json.dump(2) + "\n", 0600);
}

bool OciContainer::lives() const {
  return pid_ > 0 && process_start_time(pid_) == started_ && !is_zombie(pid_);
}

std::string OciContainer::status() const {
  std::error_code ignored;
  return !lives() ? "stopped" : fs::exists(folder_ / "start", ignored) ? "created" : "running";
}

std::string OciContainer::created() const {
  struct stat known = {};
  return stat((folder_ / "container.json").c_str(), &known) == 0
             ? describe(Moment(std::chrono::seconds(known.st_mtim.tv_sec)))
             : "";
}

std::string OciContainer::state() const {
  const auto now = status();
  Json json = {{"ociVersion", "1.0.2"},   {"id", id_},
               {"status", now},           {"pid", now == "stopped" ? 0 : pid_},
               {"bundle", facts_.bundle}, {"annotations", facts_.annotations}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<void> OciContainer::start() const {
  const auto pipe = folder_ / "start";
  if (status() != "created")
    return Error{Failure::usage, fmt::format("{} is {}", id_, status()),
                 "only what was created can be started"};
  // It may not have come to the pipe yet.
  FileDescriptor writer;
  for (int attempt = 0; !writer && attempt < 1000 && lives(); ++attempt) {
    writer = FileDescriptor(::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    if (!writer)
      usleep(5000);
  }
  if (!writer || ::write(writer.get(), "s", 1) != 1)
    return Error{Failure::machine, fmt::format("{} has ended before its start", id_), ""};
  unlink(pipe.c_str());
  return {};
}

bool OciContainer::kill(int signal) const {
  return lives() && ::kill(pid_, signal) == 0;
}

bool OciContainer::wait(std::chrono::milliseconds most) const {
  for (auto waited = std::chrono::milliseconds(0); lives(); waited += std::chrono::milliseconds(5)) {
    if (waited >= most)
      return false;
    usleep(5000);
  }
  return true;
}

void OciContainer::remove() const {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

} // namespace ukl
