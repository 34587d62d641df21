// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/oci_bundle.hpp"
#include "support/files.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::int64_t kMebibyte = 1 << 20;

// What each machine has of its own.
const std::set<std::string> kOwnTypes = {"proc",   "sysfs",   "devpts",  "mqueue",
                                         "cgroup", "cgroup2", "devtmpfs"};
// The engine's files about its network.
constexpr std::array kNetworkFiles = {"/etc/resolv.conf", "/etc/hosts", "/etc/hostname"};

class Reader {
public:
  Reader(const fs::path& folder, const Json& config) : folder_(folder), config_(config) {}

  // Throws what the library throws for a value of another type.
  Result<OciBundle> read() {
    const auto& process = config_.at("process");
    const fs::path root = config_.at("root").at("path").get<std::string>();
    bundle_.pack = {"dir:" + (root.is_absolute() ? root : folder_ / root).string()};
    if (config_.at("root").value("readonly", false))
      bundle_.run.emplace_back("--read-only");
    if (config_.contains("hostname"))
      add(bundle_.pack, "--hostname", config_["hostname"].get<std::string>());
    if (config_.contains("annotations"))
      config_["annotations"].get_to(bundle_.notes);
    TRY(read_annotations());
    // The small kernels have no folders of the host and no second CPU, and an engine may ask for both.
    if (!own_.contains("profile"))
      add(bundle_.pack, "--profile", "general");
    if (config_.contains("linux"))
      read_linux(config_["linux"]);
    for (const auto& mount : config_.value("mounts", Json::array()))
      TRY(read_mount(mount));
    if (config_.contains("hooks") && !config_["hooks"].empty())
      bundle_.left_out.emplace_back("hooks are not run: there are no namespaces for them");
    read_process(process);
    return std::move(bundle_);
  }

private:
  static void add(std::vector<std::string>& words, const std::string& option, const std::string& value) {
    words.push_back(option);
    words.push_back(value);
  }

  void read_process(const Json& process) {
    const auto user = process.value("user", Json::object());
    add(bundle_.pack, "--user", fmt::format("{}:{}", user.value("uid", 0), user.value("gid", 0)));
    for (const auto group : user.value("additionalGids", std::vector<unsigned>()))
      add(bundle_.pack, "--group-add", fmt::format("{}", group));
    add(bundle_.pack, "--cwd", process.value("cwd", "/"));
    for (const auto& variable : process.value("env", std::vector<std::string>()))
      add(bundle_.pack, "--env", variable);
    for (const auto& limit : process.value("rlimits", Json::array())) {
      auto name = limit.at("type").get<std::string>();
      name.erase(0, name.starts_with("RLIMIT_") ? 7 : 0);
      std::ranges::transform(name, name.begin(), [](unsigned char byte) { return std::tolower(byte); });
      add(bundle_.run, "--limit",
          fmt::format("{}={}:{}", name, limit.at("soft").get<std::uint64_t>(),
                      limit.at("hard").get<std::uint64_t>()));
    }
    bundle_.terminal = process.value("terminal", false);
    bundle_.only_holds_namespaces = is_pause(process.at("args").get<std::vector<std::string>>());
    bundle_.pack.emplace_back("--");
    for (const auto& word : process.at("args"))
      bundle_.pack.push_back(word.get<std::string>());
  }

  // Of Kubernetes' pods, as containerd says it, and of podman's.
  bool is_pause(const std::vector<std::string>& command) const {
    const auto type = bundle_.notes.find("io.kubernetes.cri.container-type");
    return (type != bundle_.notes.end() && type->second == "sandbox") ||
           command == std::vector<std::string>{"/pause"} ||
           command == std::vector<std::string>{"/catatonit", "-P"};
  }

  Result<void> read_annotations() {
    for (const auto& [name, value] : bundle_.notes) {
      if (!name.starts_with("org.ukl."))
        continue;
      const auto word = name.substr(8);
      if (word == "profile") {
        add(bundle_.pack, "--profile", value);
        own_.insert(word);
      } else if (word == "memory" || word == "cpus") {
        add(bundle_.run, word == "memory" ? "-m" : "--cpus", value);
        own_.insert(word);
      } else if (word == "publish") {
        std::istringstream ports(value);
        for (std::string port; ports >> port;)
          add(bundle_.run, "-p", port);
      } else {
        return Error{Failure::usage, fmt::format("there is no annotation {}", name),
                     "org.ukl.memory, org.ukl.cpus, org.ukl.profile and org.ukl.publish"};
      }
    }
    return {};
  }

  void read_linux(const Json& linux) {
    const auto resources = linux.value("resources", Json::object());
    const auto memory = resources.value("memory", Json::object()).value("limit", std::int64_t(0));
    if (memory > 0 && !own_.contains("memory"))
      add(bundle_.run, "-m", fmt::format("{}M", (memory + kMebibyte - 1) / kMebibyte));
    const auto cpu = resources.value("cpu", Json::object());
    const auto quota = cpu.value("quota", std::int64_t(0)), period = cpu.value("period", std::int64_t(0));
    if (quota > 0 && period > 0 && !own_.contains("cpus"))
      add(bundle_.run, "--cpus", fmt::format("{}", (quota + period - 1) / period));
    for (const auto& [name, value] : linux.value("sysctl", std::map<std::string, std::string>()))
      add(bundle_.run, "--sysctl", name + "=" + value);
    for (const auto& space : linux.value("namespaces", Json::array())) {
      if (space.at("type") != "network")
        continue;
      bundle_.network_namespace = space.value("path", "");
      // A new one without a path is never connected to anything.
      if (bundle_.network_namespace.empty())
        add(bundle_.run, "--network", "none");
    }
  }

  Result<void> read_mount(const Json& mount) {
    const auto to = mount.at("destination").get<std::string>();
    const auto type = mount.value("type", ""), from = mount.value("source", "");
    const auto options = mount.value("options", std::vector<std::string>());
    const auto has = [&](const char* option) { return std::ranges::find(options, option) != options.end(); };
    if (kOwnTypes.contains(type) || to == "/dev" || to.starts_with("/dev/") || to.starts_with("/sys/"))
      return {};
    if (type == "tmpfs") {
      std::string size;
      for (const auto& option : options)
        if (option.starts_with("size="))
          size = ":" + kibibytes(option.substr(5));
      add(bundle_.run, "--tmpfs", to + size);
      return {};
    }
    if (type != "bind" && !has("bind") && !has("rbind"))
      return Error{Failure::usage, fmt::format("{}: there are no mounts of type {}", to, type),
                   "folders, files and tmpfs can be mounted"};
    const auto source = fs::path(from).is_absolute() ? fs::path(from) : folder_ / from;
    std::error_code ignored;
    const bool file = fs::is_regular_file(source, ignored);
    if (std::ranges::find(kNetworkFiles, to) != kNetworkFiles.end()) {
      if (file)
        add(bundle_.network_files, "--config", source.string() + ":" + to);
      return {};
    }
    if (!file && !fs::is_directory(source, ignored)) {
      bundle_.left_out.push_back(fmt::format("{} is neither file nor folder here", to));
      return {};
    }
    add(bundle_.run, "--volume",
        fmt::format("{}:{}{}{}", source.string(), to, has("ro") ? ":ro" : "",
                    !file       ? ""
                    : has("ro") ? ",file"
                                : ":file"));
    return {};
  }

  // As mount(8) counts, in a unit that ours knows.
  static std::string kibibytes(std::string size) {
    for (auto& byte : size)
      byte = static_cast<char>(std::toupper(static_cast<unsigned char>(byte)));
    const bool bytes = !size.empty() && std::isdigit(static_cast<unsigned char>(size.back()));
    return bytes ? fmt::format("{}K", std::strtoull(size.c_str(), nullptr, 10) / 1024) : size;
  }

  const fs::path& folder_;
  const Json& config_;
  OciBundle bundle_;
  std::set<std::string> own_; // what an annotation has said
};

} // namespace

namespace {

// Calls `read` with a file's JSON.
template <typename Read> auto read_json(const fs::path& file, Read read) -> decltype(read(Json())) {
  TRY_LET(const auto text, read_text(file));
  try {
    return read(Json::parse(text));
  } catch (const Json::exception& wrong) { // the library has no other way to tell
    return Error{Failure::usage, fmt::format("{}: {}", file.string(), wrong.what()),
                 "it has to be as the OCI runtime specification says"};
  }
}

} // namespace

Result<OciBundle> read_oci_bundle(const fs::path& folder) {
  return read_json(folder / "config.json", [&](const Json& config) { return Reader(folder, config).read(); });
}

Result<OciProcess> read_oci_process(const fs::path& file) {
  return read_json(file, [](const Json& json) -> Result<OciProcess> {
    OciProcess process;
    const auto user = json.value("user", Json::object());
    process.options = {"--user", fmt::format("{}:{}", user.value("uid", 0), user.value("gid", 0)),
                       "--workdir", json.value("cwd", "/")};
    for (const auto& variable : json.value("env", std::vector<std::string>())) {
      process.options.emplace_back("--env");
      process.options.push_back(variable);
    }
    json.at("args").get_to(process.command);
    process.terminal = json.value("terminal", false);
    return process;
  });
}

} // namespace ukl
