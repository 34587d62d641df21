// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/project_service.hpp"

#include "lifecycle/compose_values.hpp"
#include "lifecycle/project_build.hpp"
#include "lifecycle/project_files.hpp"
#include "lifecycle/project_health.hpp"
#include "lifecycle/project_networks.hpp"
#include "support/environment.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <map>

namespace ukl {
namespace {

using std::chrono::milliseconds;
using Kind = YamlValue::Kind;

// This machine in the machines' network (QEMU's user network), where published ports are.
constexpr const char* kHostAddress = "10.0.2.2";

constexpr const char* kOwnMachine = "each program has a machine and a kernel of its own";
constexpr const char* kOwnSizes = "-m and --cpus are what a machine has: mem_limit, cpus";

// Keys of Compose without which a program runs here as it would there, and why.
const std::map<std::string, const char*, std::less<>> kIgnored = {
    {"annotations", ""},
    {"attach", "ukl up shows what all of them write"},
    {"blkio_config", kOwnSizes},
    {"cap_add", kOwnMachine},
    {"cap_drop", kOwnMachine},
    {"cgroup", kOwnMachine},
    {"cgroup_parent", kOwnMachine},
    {"cpu_count", kOwnSizes},
    {"cpu_percent", kOwnSizes},
    {"cpu_period", kOwnSizes},
    {"cpu_quota", kOwnSizes},
    {"cpu_rt_period", kOwnSizes},
    {"cpu_rt_runtime", kOwnSizes},
    {"cpu_shares", kOwnSizes},
    {"cpuset", kOwnSizes},
    {"develop", ""},
    {"device_cgroup_rules", kOwnMachine},
    {"dns_opt", ""},
    {"domainname", "hostname may have a domain"},
    {"expose", ""},
    {"init", "ukl's init takes care of what a program leaves"},
    {"ipc", kOwnMachine},
    {"isolation", kOwnMachine},
    {"label_file", ""},
    {"labels", ""},
    {"logging", "ukl logs has what a service writes, 10 MiB of it"},
    {"mac_address", "a card of networks may have one: mac_address"},
    {"mem_reservation", kOwnSizes},
    {"mem_swappiness", kOwnSizes},
    {"memswap_limit", kOwnSizes},
    {"oom_kill_disable", kOwnMachine},
    {"oom_score_adj", kOwnMachine},
    {"pid", kOwnMachine},
    {"pids_limit", kOwnMachine},
    {"platform", "machines are x86-64"},
    {"privileged", kOwnMachine},
    {"runtime", kOwnMachine},
    {"scale", "a service is one machine"},
    {"security_opt", kOwnMachine},
    {"shm_size", "/dev/shm takes up to half of a machine's memory"},
    {"storage_opt", kOwnMachine},
    {"use_api_socket", kOwnMachine},
    {"userns_mode", kOwnMachine},
    {"uts", kOwnMachine},
};

// And those that a program would miss, with what to do about it.
const std::map<std::string, const char*, std::less<>> kInstead = {
    {"credential_spec", "a secret may hold it"},
    {"devices", "a machine has its own devices; a disk is a volume"},
    {"external_links", "take a network that both are on: networks"},
    {"gpus", "machines have none"},
    {"models", "take a service"},
    {"post_start", "write it into command or entrypoint"},
    {"pre_stop", "a program is told to end by stop_signal"},
    {"provider", "take a service with an image"},
    {"volumes_from", "name the volumes: volumes"},
};

class Reader {
public:
  Reader(Project& project, const std::string& name) : project_(project) { service_.name = name; }

  Result<Service> read(const YamlValue& value) {
    service_.line = value.line;
    service_.machine = fmt::format("{}-{}", project_.name, service_.name);
    if (value.kind != Kind::map)
      return error_in_line(project_.file, value.line,
                           fmt::format("services.{}: it has no keys", service_.name),
                           "a service has at least an image");
    for (const auto& [key, entry] : value.entries) {
      if (key.starts_with("x-") && key != "x-wait-ready" && key != "x-pack")
        continue;
      at_ = {project_.file, fmt::format("services.{}.{}", service_.name, key)};
      if (const auto ignored = kIgnored.find(key); ignored != kIgnored.end()) {
        if (key != "expose")
          project_.ignore(entry.line, at_.key, ignored->second);
        continue;
      }
      const auto handler = handlers().find(key);
      if (handler == handlers().end()) {
        const auto instead = kInstead.find(key);
        return at_.wrong(entry, "ukl does not know this key",
                         instead == kInstead.end() ? "" : instead->second);
      }
      option_ = handler->second.option;
      if (entry.kind != Kind::nothing)
        TRY((this->*handler->second.read)(entry));
    }
    TRY(choose_image(project_, service_, value.find("image")));
    if (!is_plain_name(service_.machine))
      return error_in_line(project_.file, service_.line,
                           fmt::format("'{}' is no name of a machine", service_.machine), kPlainNameForm);
    return std::move(service_);
  }

private:
  // What reads a key, and the option of `ukl run` that a simple one becomes.
  struct Handler {
    Result<void> (Reader::*read)(const YamlValue&);
    const char* option = "";
  };
  using Handlers = std::map<std::string, Handler, std::less<>>;

  static const Handlers& handlers() {
    static const Handlers all = {
        {"image", {&Reader::later}},
        {"build", {&Reader::build}},
        {"pull_policy", {&Reader::pull_policy}},
        {"entrypoint", {&Reader::entrypoint}},
        {"command", {&Reader::command}},
        {"container_name", {&Reader::container_name}},
        {"profiles", {&Reader::profiles}},
        {"hostname", {&Reader::option, "--hostname"}},
        {"user", {&Reader::option, "--user"}},
        {"group_add", {&Reader::options, "--group-add"}},
        {"working_dir", {&Reader::option, "--cwd"}},
        {"env_file", {&Reader::env_file}},
        {"environment", {&Reader::environment}},
        {"ports", {&Reader::ports}},
        {"volumes", {&Reader::volumes}},
        {"tmpfs", {&Reader::tmpfs}},
        {"secrets", {&Reader::secrets}},
        {"configs", {&Reader::configs}},
        {"read_only", {&Reader::flag, "--read-only"}},
        {"stdin_open", {&Reader::flag, "-i"}},
        {"tty", {&Reader::flag, "-t"}},
        {"extra_hosts", {&Reader::extra_hosts}},
        {"dns", {&Reader::options, "--dns"}},
        {"dns_search", {&Reader::options, "--dns-search"}},
        {"sysctls", {&Reader::sysctls}},
        {"ulimits", {&Reader::ulimits}},
        {"mem_limit", {&Reader::memory}},
        {"cpus", {&Reader::cpus}},
        {"deploy", {&Reader::deploy}},
        {"networks", {&Reader::networks}},
        {"network_mode", {&Reader::network_mode}},
        {"links", {&Reader::links}},
        {"restart", {&Reader::restart}},
        {"depends_on", {&Reader::depends_on}},
        {"healthcheck", {&Reader::healthcheck}},
        {"stop_grace_period", {&Reader::stop_grace_period}},
        {"stop_signal", {&Reader::option, "--stop-signal"}},
        {"x-pack", {&Reader::pack_options}},
        {"x-wait-ready", {&Reader::wait_ready}},
    };
    return all;
  }

  void add(const std::string& option, const std::string& value) {
    service_.options.push_back(option);
    service_.options.push_back(value);
  }
  // A key below the one that is read.
  void ignore(const YamlValue& value, const std::string& key, const std::string& why = "") {
    project_.ignore(value.line, fmt::format("{}.{}", at_.key, key), why);
  }

  Result<void> option(const YamlValue& value) {
    TRY_LET(const auto written, at_.text(value));
    add(option_, written);
    return {};
  }
  Result<void> options(const YamlValue& value) {
    TRY_LET(const auto all, at_.texts(value));
    for (const auto& one : all)
      add(option_, one);
    return {};
  }
  Result<void> flag(const YamlValue& value) {
    TRY_LET(const bool wanted, at_.truth(value));
    if (wanted)
      service_.options.emplace_back(option_);
    return {};
  }

  // With all that chooses between it and others.
  Result<void> later(const YamlValue&) { return {}; }

  Result<void> build(const YamlValue& value) {
    TRY_LET(service_.build, read_build(project_, service_.name, value));
    return {};
  }

  Result<void> pack_options(const YamlValue& value) {
    TRY_LET(service_.pack_options, at_.words(value));
    return {};
  }

  Result<void> pull_policy(const YamlValue& value) {
    TRY_LET(const auto written, at_.text(value));
    service_.always_make = written == "always" || written == "build";
    if (!service_.always_make && written != "missing" && written != "if_not_present")
      ignore(value, written, "an image is made if it is not there: missing, or at each ukl up: always");
    return {};
  }

  Result<void> entrypoint(const YamlValue& value) {
    TRY_LET(service_.entrypoint, at_.words(value));
    return {};
  }
  Result<void> command(const YamlValue& value) {
    TRY_LET(service_.command, at_.words(value));
    return {};
  }

  Result<void> container_name(const YamlValue& value) {
    TRY_LET(service_.machine, at_.text(value));
    return {};
  }

  Result<void> profiles(const YamlValue& value) {
    TRY_LET(service_.profiles, at_.texts(value));
    return {};
  }

  Result<void> env_file(const YamlValue& value) {
    for (const auto& one : value.kind == Kind::list ? value.items : std::vector{value}) {
      const auto* path = one.kind == Kind::map ? one.find("path") : &one;
      if (!path)
        return at_.wrong(one, "a file has a path");
      TRY_LET(const auto written, at_.text(*path));
      bool required = true;
      for (const auto& [key, entry] : one.entries)
        if (key == "required") {
          TRY_LET(required, at_.truth(entry));
        } else if (key == "format") {
          ignore(entry, key);
        } else if (key != "path") {
          return at_.wrong(entry, fmt::format("a file has no {}", key), "path, required, format");
        }
      std::error_code ignored;
      if (required || std::filesystem::exists(project_.folder / written, ignored))
        add("--env-file", written);
    }
    return {};
  }

  Result<void> environment(const YamlValue& value) {
    TRY_LET(const auto variables, at_.pairs(value));
    for (const auto& [name, set] : variables)
      if (set)
        add("--env", fmt::format("{}={}", name, *set));
      else if (environment_variable(name)) // what comes and goes here makes no other machine
        add("--env", name);
      else if (const auto variable = project_.variables(name)) // one that is not set here is not set there
        add("--env", fmt::format("{}={}", name, *variable));
    return {};
  }

  Result<void> ports(const YamlValue& value) {
    if (value.kind != Kind::list)
      return at_.wrong(value, "a list is expected");
    for (const auto& one : value.items) {
      TRY_LET(auto port, one.kind == Kind::map ? long_port(one) : at_.text(one));
      const bool has_host = port.find(':') != std::string::npos;
      if (!has_host) // any that is free
        port = "0:" + port;
      service_.ports.push_back(port);
      add("-p", port);
    }
    return {};
  }

  Result<std::string> long_port(const YamlValue& value) const {
    std::string address, host = "0", guest, protocol = "tcp";
    for (const auto& [key, entry] : value.entries) {
      TRY_LET(const auto written, at_.text(entry));
      if (key == "target")
        guest = written;
      else if (key == "published")
        host = written;
      else if (key == "host_ip")
        address = written + ":";
      else if (key == "protocol")
        protocol = written;
      else if (key != "mode" && key != "name" && key != "app_protocol")
        return at_.wrong(entry, fmt::format("a port has no {}", key));
    }
    if (guest.empty())
      return at_.wrong(value, "a port has no target");
    return fmt::format("{}{}:{}{}", address, host, guest, protocol == "tcp" ? "" : "/" + protocol);
  }

  Result<void> volumes(const YamlValue& value) {
    if (value.kind != Kind::list)
      return at_.wrong(value, "a list is expected");
    for (const auto& one : value.items) {
      TRY_LET(const auto written, one.kind == Kind::map ? long_volume(one) : at_.text(one));
      if (!written.empty())
        TRY(volume(one, written));
    }
    return {};
  }

  Result<void> volume(const YamlValue& value, const std::string& written) {
    const auto colon = written.find(':');
    // Docker keeps what is written there until the container is removed, which is what a machine does, too.
    if (colon == std::string::npos) {
      ignore(value, written, "it is kept in memory, as long as the machine runs");
      return {};
    }
    auto source = written.substr(0, colon);
    const auto target = written.substr(colon + 1, written.find(':', colon + 1) - colon - 1);
    std::string words;
    const auto more = written.find(':', colon + 1);
    for (auto rest = more == std::string::npos ? "" : written.substr(more + 1); !rest.empty();) {
      const auto word = rest.substr(0, rest.find(','));
      rest.erase(0, std::min(rest.size(), word.size() + 1));
      // Of SELinux, of Docker on other systems, and what is so anyway.
      if (word != "z" && word != "Z" && word != "cached" && word != "delegated" && word != "consistent" &&
          word != "rw" && word != "nocopy")
        words += (words.empty() ? "" : ",") + word;
    }
    if (source.starts_with("~")) {
      source = home_folder() + source.substr(1);
    } else if (!source.starts_with('/') && !source.starts_with('.')) {
      const auto known = std::ranges::find(project_.volumes, source, &ProjectVolume::name);
      if (known == project_.volumes.end())
        return at_.wrong(value, fmt::format("there is no volume {}", source),
                         fmt::format("list it below volumes:, or write ./{} for a folder", source));
      if (known->folder.empty()) {
        service_.named_volumes.push_back(source);
        source = known->volume;
      } else {
        source = known->folder.string();
        if (known->ours)
          words += words.empty() ? "shared" : ",shared";
      }
    }
    if (project_.shared_folders.contains(folder_of(project_, source)) &&
        words.find("shared") == std::string::npos)
      words += words.empty() ? "shared" : ",shared";
    add("--volume", fmt::format("{}:{}{}{}", source, target, words.empty() ? "" : ":", words));
    return {};
  }

  // Empty: it has been seen to.
  Result<std::string> long_volume(const YamlValue& value) {
    std::string type = "volume", source, target, options, size;
    for (const auto& [key, entry] : value.entries) {
      if (key == "read_only") {
        TRY_LET(const bool only, at_.truth(entry));
        options = only ? ":ro" : "";
      } else if (key == "tmpfs") {
        if (const auto* most = entry.find("size")) {
          TRY_LET(size, at_.size(*most, most->text));
        }
      } else if (key == "bind" || key == "volume" || key == "consistency") {
        for (const auto& [name, setting] : entry.entries)
          if (name != "nocopy" && name != "create_host_path")
            ignore(setting, fmt::format("{}.{}", key, name));
      } else if (key == "type" || key == "source" || key == "target") {
        TRY_LET((key == "type" ? type : key == "source" ? source : target), at_.text(entry));
      } else {
        return at_.wrong(entry, fmt::format("a volume has no {}", key));
      }
    }
    if (type != "bind" && type != "volume" && type != "tmpfs")
      return at_.wrong(value, fmt::format("there are no volumes of type {}", type), "bind, volume, tmpfs");
    if (target.empty() || (type == "bind" && source.empty()))
      return at_.wrong(value, "a volume has a source and a target");
    if (type == "tmpfs") {
      add("--tmpfs", size.empty() ? target : fmt::format("{}:{}", target, size));
      return std::string();
    }
    // A folder, even if it is called like a volume.
    if (type == "bind" && !source.starts_with('/') && !source.starts_with('.') && !source.starts_with('~'))
      source = "./" + source;
    return source.empty() ? target : source + ":" + target + options;
  }

  Result<void> tmpfs(const YamlValue& value) {
    TRY_LET(const auto all, at_.texts(value));
    for (const auto& one : all) {
      const auto path = one.substr(0, one.find(':'));
      std::string size;
      for (auto rest = one.substr(std::min(one.size(), path.size() + 1)); !rest.empty();) {
        const auto word = rest.substr(0, rest.find(','));
        rest.erase(0, std::min(rest.size(), word.size() + 1));
        if (word.starts_with("size=")) {
          TRY_LET(size, at_.size(value, word.substr(5)));
        } else {
          ignore(value, word);
        }
      }
      add("--tmpfs", size.empty() ? path : fmt::format("{}:{}", path, size));
    }
    return {};
  }

  Result<void> secrets(const YamlValue& value) {
    TRY_LET(const auto options, secret_options(project_, service_.name, value));
    service_.options.insert(service_.options.end(), options.begin(), options.end());
    return {};
  }
  Result<void> configs(const YamlValue& value) {
    TRY_LET(const auto options, config_options(project_, service_.name, value));
    service_.options.insert(service_.options.end(), options.begin(), options.end());
    return {};
  }

  void add_host(const std::string& name, const std::string& address) {
    add("--add-host", fmt::format("{}:{}", name, address == "host-gateway" ? kHostAddress : address));
  }

  Result<void> extra_hosts(const YamlValue& value) {
    for (const auto& [name, entry] : value.entries) {
      TRY_LET(const auto addresses, at_.texts(entry));
      for (const auto& address : addresses)
        add_host(name, address);
    }
    if (value.kind == Kind::map)
      return {};
    TRY_LET(const auto all, at_.texts(value));
    for (const auto& one : all) {
      const auto end = one.find_first_of("=:");
      if (end == std::string::npos)
        return at_.wrong(value, fmt::format("'{}' has no address", one), "as in name:10.0.0.5");
      add_host(one.substr(0, end), one.substr(end + 1));
    }
    return {};
  }

  Result<void> sysctls(const YamlValue& value) {
    TRY_LET(const auto all, at_.pairs(value));
    for (const auto& [name, set] : all)
      add("--sysctl", fmt::format("{}={}", name, set.value_or("")));
    return {};
  }

  Result<void> ulimits(const YamlValue& value) {
    if (value.kind != Kind::map)
      return at_.wrong(value, "limits have names");
    for (const auto& [name, entry] : value.entries) {
      const auto limit = [](const std::string& number) { return number == "-1" ? "unlimited" : number; };
      if (entry.kind == Kind::text) {
        add("--limit", fmt::format("{}={}", name, limit(entry.text)));
        continue;
      }
      const auto *soft = entry.find("soft"), *hard = entry.find("hard");
      if (!soft || !hard || entry.entries.size() != 2)
        return at_.wrong(entry, fmt::format("{} has a soft and a hard limit", name));
      add("--limit", fmt::format("{}={}:{}", name, limit(soft->text), limit(hard->text)));
    }
    return {};
  }

  Result<void> memory(const YamlValue& value) {
    TRY_LET(const auto written, at_.text(value));
    TRY_LET(const auto size, at_.size(value, written));
    set("-m", size);
    return {};
  }

  // What two keys may say: the last one counts.
  void set(const std::string& option, const std::string& value) {
    const auto known = std::ranges::find(service_.options, option);
    if (known != service_.options.end())
      *std::next(known) = value;
    else
      add(option, value);
  }

  Result<void> cpus(const YamlValue& value) {
    TRY_LET(const auto written, at_.text(value));
    double number = 0;
    const auto [end, failed] = std::from_chars(written.data(), written.data() + written.size(), number);
    if (failed != std::errc() || end != written.data() + written.size() || number <= 0 || number > 1024)
      return at_.wrong(value, fmt::format("'{}' is no number of CPUs", written));
    if (number != std::ceil(number))
      project_.notes.push_back(
          fmt::format("{} has {:.0f} CPUs: a machine has whole ones", service_.name, std::ceil(number)));
    set("--cpus", fmt::format("{:.0f}", std::ceil(number)));
    return {};
  }

  Result<void> deploy(const YamlValue& value) {
    for (const auto& [key, entry] : value.entries) {
      if (key == "resources") {
        TRY(resources(entry));
      } else if (key == "restart_policy") {
        TRY(restart_policy(entry));
      } else if (key == "replicas") {
        if (entry.text != "1")
          ignore(entry, key, "a service is one machine");
      } else if (key == "mode" || key == "labels" || key == "placement" || key == "update_config" ||
                 key == "rollback_config" || key == "endpoint_mode") {
        ignore(entry, key);
      } else {
        return at_.wrong(entry, fmt::format("ukl does not know {}", key),
                         "resources, restart_policy, replicas");
      }
    }
    return {};
  }

  Result<void> resources(const YamlValue& value) {
    for (const auto& [kind, entry] : value.entries)
      for (const auto& [key, setting] : entry.entries) {
        if (kind == "limits" && key == "memory") {
          TRY(memory(setting));
        } else if (kind == "limits" && key == "cpus") {
          TRY(cpus(setting));
        } else if (kind == "limits" || kind == "reservations") {
          ignore(setting, fmt::format("resources.{}.{}", kind, key));
        } else {
          return at_.wrong(entry, fmt::format("ukl does not know resources.{}", kind),
                           "limits, reservations");
        }
      }
    return {};
  }

  Result<void> restart_policy(const YamlValue& value) {
    std::string condition = "any", attempts;
    for (const auto& [key, entry] : value.entries)
      if (key == "condition")
        condition = entry.text;
      else if (key == "max_attempts")
        attempts = entry.text;
      else
        ignore(entry, "restart_policy." + key);
    if (condition == "none")
      return {};
    if (condition != "any" && condition != "on-failure")
      return at_.wrong(value, fmt::format("'{}' is no condition", condition), "none, on-failure or any");
    set("--restart", condition == "any" ? "always"
                     : attempts.empty() ? "on-failure"
                                        : "on-failure:" + attempts);
    return {};
  }

  Result<void> networks(const YamlValue& value) { return read_cards(project_, service_, value); }

  Result<void> network_mode(const YamlValue& value) {
    TRY_LET(const auto written, at_.text(value));
    if (written == "none")
      service_.has_network = false;
    else if (written == "host")
      ignore(value, written, "a machine has a network of its own: publish what others reach with ports");
    else if (written != "bridge" && written != "default")
      return at_.wrong(value, fmt::format("there is no network '{}'", written), "none, or leave it out");
    return {};
  }

  Result<void> links(const YamlValue& value) {
    TRY_LET(const auto all, at_.texts(value));
    for (const auto& one : all) {
      const auto other = one.substr(0, one.find(':'));
      if (other.size() < one.size())
        service_.links.emplace_back(other, one.substr(other.size() + 1));
      service_.needs.push_back({other, Service::Need::Until::started, value.line});
    }
    return {};
  }

  Result<void> restart(const YamlValue& value) {
    TRY_LET(auto written, at_.text(value));
    // One that was stopped stays stopped, as ours always do.
    if (written == "unless-stopped")
      written = "always";
    if (written != "no" && written != "false")
      set("--restart", written);
    return {};
  }

  Result<void> depends_on(const YamlValue& value) {
    if (value.kind == Kind::map) {
      for (const auto& [name, entry] : value.entries)
        TRY(need(name, entry));
      return {};
    }
    TRY_LET(const auto names, at_.texts(value));
    for (const auto& name : names)
      service_.needs.push_back({name, Service::Need::Until::started, value.line});
    return {};
  }

  Result<void> need(const std::string& name, const YamlValue& value) {
    Service::Need need{name, Service::Need::Until::started, value.line};
    for (const auto& [key, entry] : value.entries) {
      if (key == "restart") {
        ignore(entry, fmt::format("{}.{}", name, key));
        continue;
      }
      if (key == "required") {
        TRY_LET(need.required, at_.truth(entry));
        continue;
      }
      if (key != "condition")
        return at_.wrong(entry, fmt::format("a dependency has no {}", key), "condition, required, restart");
      if (entry.text == "service_healthy")
        need.until = Service::Need::Until::healthy;
      else if (entry.text == "service_completed_successfully")
        need.until = Service::Need::Until::completed;
      else if (entry.text != "service_started")
        return at_.wrong(entry, fmt::format("'{}' is no condition", entry.text),
                         "service_started, service_healthy or service_completed_successfully");
    }
    service_.needs.push_back(need);
    return {};
  }

  Result<void> healthcheck(const YamlValue& value) {
    Service::Health health;
    milliseconds period{0};
    double retries = 3;
    for (const auto& [key, entry] : value.entries) {
      if (key == "disable") {
        TRY_LET(const bool disabled, at_.truth(entry));
        service_.health_disabled = disabled;
        if (disabled)
          return {};
      } else if (key == "test") {
        TRY(health_test(entry, health));
        service_.health_disabled = health.command.empty();
        if (health.command.empty())
          return {}; // NONE
      } else if (key == "interval") {
        TRY_LET(health.interval, at_.duration(entry));
      } else if (key == "timeout") {
        TRY_LET(health.timeout, at_.duration(entry));
      } else if (key == "start_period") {
        TRY_LET(period, at_.duration(entry));
      } else if (key == "retries") {
        TRY_LET(const auto written, at_.text(entry));
        retries = std::atof(written.c_str());
      } else if (key != "start_interval") {
        return at_.wrong(entry, fmt::format("a health check has no {}", key));
      }
    }
    if (health.command.empty())
      return at_.wrong(value, "a health check has a test");
    health.patience = health_patience(period, health.interval, retries);
    service_.health = health;
    return {};
  }

  Result<void> health_test(const YamlValue& value, Service::Health& health) const {
    TRY_LET(auto words, at_.texts(value));
    if (value.kind == Kind::text)
      words.insert(words.begin(), "CMD-SHELL");
    if (words.empty() || words[0] == "NONE")
      return {};
    auto command = health_command(words);
    if (!command)
      return at_.wrong(value, "a test is CMD and words, CMD-SHELL and a line, or NONE");
    health.command = std::move(*command);
    return {};
  }

  Result<void> stop_grace_period(const YamlValue& value) {
    TRY_LET(service_.stop_patience, at_.duration(value));
    return {};
  }

  Result<void> wait_ready(const YamlValue& value) {
    TRY_LET(const auto written, at_.text(value));
    add("--wait-ready", written);
    service_.waits_itself = true;
    return {};
  }

  Project& project_;
  Service service_;
  ComposeKey at_;
  const char* option_ = "";
};

} // namespace

Result<Service> read_service(Project& project, const std::string& name, const YamlValue& value) {
  return Reader(project, name).read(value);
}

} // namespace ukl
