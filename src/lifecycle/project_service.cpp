// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/project_service.hpp"
#include "support/environment.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

namespace ukl {
namespace {

using std::chrono::milliseconds;
using Kind = YamlValue::Kind;

constexpr std::uint64_t kMebibyte = 1 << 20;

// What people have in their files and we have not, with what to do about it.
const std::map<std::string, std::string, std::less<>> kInstead = {
    {"build", "make the image first (ukl pack, ukl build) and name its file as image"},
    {"entrypoint", "an image's program is chosen when it is made: ukl pack --entrypoint"},
    {"networks", "services reach each other by name at their published ports; leave it out"},
    {"links", "services reach each other by name at their published ports; leave it out"},
    {"labels", "leave it out, or rename it x-labels: keys that begin with x- are nobody's"},
    {"profiles", "name the services that you want: ukl up SERVICE"},
    {"deploy", "mem_limit and cpus say how large a machine is"},
    {"cap_add", "each program has a machine and a kernel of its own: leave it out"},
    {"cap_drop", "each program has a machine and a kernel of its own: leave it out"},
    {"privileged", "each program has a machine and a kernel of its own: leave it out"},
    {"security_opt", "each program has a machine and a kernel of its own: leave it out"},
    {"secrets", "ukl run --secret has them"},
    {"configs", "a volume may be a single file: ./app.conf:/etc/app.conf:ro"},
    {"logging", "ukl logs has what a service writes, 10 MiB of it"},
};

class Reader {
public:
  Reader(Project& project, const std::string& name) : project_(project) { service_.name = name; }

  Result<Service> read(const YamlValue& value) {
    service_.line = value.line;
    service_.machine = fmt::format("{}-{}", project_.name, service_.name);
    if (value.kind != Kind::map)
      return wrong(value, "it has no keys", "a service has at least an image");
    for (const auto& [key, entry] : value.entries) {
      if (key.starts_with("x-") && key != "x-wait-ready")
        continue;
      key_ = key;
      const auto handler = handlers().find(key);
      if (handler == handlers().end()) {
        const auto instead = kInstead.find(key);
        return wrong(entry, "ukl does not know this key", instead == kInstead.end() ? "" : instead->second);
      }
      option_ = handler->second.option;
      if (entry.kind != Kind::nothing)
        TRY((this->*handler->second.read)(entry));
    }
    if (service_.image.empty())
      return error_in_line(project_.file, service_.line, fmt::format("{} has no image", where("")),
                           "image names a file that ukl pack made, relative to this one");
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
        {"image", {&Reader::image}},
        {"command", {&Reader::command}},
        {"container_name", {&Reader::container_name}},
        {"hostname", {&Reader::option, "--hostname"}},
        {"user", {&Reader::option, "--user"}},
        {"group_add", {&Reader::options, "--group-add"}},
        {"working_dir", {&Reader::option, "--cwd"}},
        {"env_file", {&Reader::env_file}},
        {"environment", {&Reader::environment}},
        {"ports", {&Reader::ports}},
        {"expose", {&Reader::no_effect}},
        {"volumes", {&Reader::volumes}},
        {"tmpfs", {&Reader::tmpfs}},
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
        {"network_mode", {&Reader::network_mode}},
        {"restart", {&Reader::restart}},
        {"depends_on", {&Reader::depends_on}},
        {"healthcheck", {&Reader::healthcheck}},
        {"stop_grace_period", {&Reader::stop_grace_period}},
        {"x-wait-ready", {&Reader::wait_ready}},
    };
    return all;
  }

  std::string where(const std::string& key) const {
    return fmt::format("services.{}{}{}", service_.name, key.empty() ? "" : ".", key);
  }
  Error wrong(const YamlValue& value, const std::string& message, const std::string& hint = "") const {
    return error_in_line(project_.file, value.line, fmt::format("{}: {}", where(key_), message), hint);
  }
  void add(const std::string& option, const std::string& value) {
    service_.options.push_back(option);
    service_.options.push_back(value);
  }

  Result<std::string> text(const YamlValue& value) const {
    if (value.kind != Kind::text)
      return wrong(value, "a text is expected");
    return value.text;
  }
  Result<std::vector<std::string>> texts(const YamlValue& value) const {
    return texts_of(project_.file, where(key_), value);
  }
  Result<bool> truth(const YamlValue& value) const {
    if (value.kind == Kind::text && (value.text == "true" || value.text == "false"))
      return value.text == "true";
    return wrong(value, "true or false is expected");
  }
  Result<milliseconds> duration(const YamlValue& value) const {
    TRY_LET(const auto written, text(value));
    const auto time = parse_duration(written);
    if (!time)
      return wrong(value, fmt::format("'{}' is no time", written), "as in 1m30s, 10s or 500ms");
    return *time;
  }
  // A map's entries, or a list's NAME=VALUE; the value of a name alone is missing.
  Result<std::vector<std::pair<std::string, std::optional<std::string>>>>
  pairs(const YamlValue& value) const {
    std::vector<std::pair<std::string, std::optional<std::string>>> result;
    for (const auto& [name, entry] : value.entries) {
      if (entry.kind != Kind::text && entry.kind != Kind::nothing)
        return wrong(entry, fmt::format("{} is no text", name));
      result.emplace_back(name, entry.kind == Kind::text ? std::optional(entry.text) : std::nullopt);
    }
    if (value.kind == Kind::map)
      return result;
    TRY_LET(const auto words, texts(value));
    for (const auto& word : words) {
      const auto equals = word.find('=');
      result.emplace_back(word.substr(0, equals), equals == std::string::npos
                                                      ? std::nullopt
                                                      : std::optional(word.substr(equals + 1)));
    }
    return result;
  }

  Result<void> option(const YamlValue& value) {
    TRY_LET(const auto written, text(value));
    add(option_, written);
    return {};
  }
  Result<void> options(const YamlValue& value) {
    TRY_LET(const auto all, texts(value));
    for (const auto& one : all)
      add(option_, one);
    return {};
  }
  Result<void> flag(const YamlValue& value) {
    TRY_LET(const bool wanted, truth(value));
    if (wanted)
      service_.options.emplace_back(option_);
    return {};
  }
  // Says something to people, and nothing to machines.
  Result<void> no_effect(const YamlValue&) { return {}; }

  Result<void> image(const YamlValue& value) {
    TRY_LET(service_.image, text(value));
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(project_.folder / service_.image, ignored))
      return wrong(value, fmt::format("there is no file {}", service_.image),
                   fmt::format("make it: ukl pack oci:{0} -o {1}.ukl (or deb:{1}), and name that as image",
                               service_.image, service_.name));
    return {};
  }

  Result<void> command(const YamlValue& value) {
    if (value.kind == Kind::text) {
      service_.command = shell_words(value.text);
      if (!service_.command)
        return wrong(value, "a quotation mark has no end");
      return {};
    }
    TRY_LET(service_.command, texts(value));
    return {};
  }

  Result<void> container_name(const YamlValue& value) {
    TRY_LET(service_.machine, text(value));
    return {};
  }

  Result<void> env_file(const YamlValue& value) {
    for (const auto& one : value.kind == Kind::list ? value.items : std::vector{value}) {
      const auto* path = one.kind == Kind::map ? one.find("path") : &one;
      if (one.kind == Kind::map && (!path || one.entries.size() > 1))
        return wrong(one, "a file has only a path");
      TRY_LET(const auto written, text(*path));
      add("--env-file", written);
    }
    return {};
  }

  Result<void> environment(const YamlValue& value) {
    TRY_LET(const auto variables, pairs(value));
    for (const auto& [name, set] : variables)
      add("--env", set ? fmt::format("{}={}", name, *set) : name);
    return {};
  }

  Result<void> ports(const YamlValue& value) {
    if (value.kind != Kind::list)
      return wrong(value, "a list is expected");
    for (const auto& one : value.items) {
      TRY_LET(auto port, one.kind == Kind::map ? long_port(one) : text(one));
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
      TRY_LET(const auto written, text(entry));
      if (key == "target")
        guest = written;
      else if (key == "published")
        host = written;
      else if (key == "host_ip")
        address = written + ":";
      else if (key == "protocol")
        protocol = written;
      else if (key != "mode" && key != "name" && key != "app_protocol")
        return wrong(entry, fmt::format("a port has no {}", key));
    }
    if (guest.empty())
      return wrong(value, "a port has no target");
    return fmt::format("{}{}:{}{}", address, host, guest, protocol == "tcp" ? "" : "/" + protocol);
  }

  Result<void> volumes(const YamlValue& value) {
    if (value.kind != Kind::list)
      return wrong(value, "a list is expected");
    for (const auto& one : value.items) {
      TRY_LET(const auto written, one.kind == Kind::map ? long_volume(one) : text(one));
      TRY(volume(one, written));
    }
    return {};
  }

  Result<void> volume(const YamlValue& value, std::string written) {
    const auto colon = written.find(':');
    if (colon == std::string::npos)
      return wrong(value, fmt::format("'{}' says not what is to be seen there", written),
                   "write FOLDER:PATH or NAME:PATH; tmpfs has what need not stay");
    auto source = written.substr(0, colon);
    if (source.starts_with("~")) {
      source = home_folder() + source.substr(1);
    } else if (!source.starts_with('/') && !source.starts_with('.')) {
      const auto known = std::ranges::find(project_.volumes, source, &ProjectVolume::name);
      if (known == project_.volumes.end())
        return wrong(value, fmt::format("there is no volume {}", source),
                     fmt::format("list it below volumes:, or write ./{} for a folder", source));
      service_.named_volumes.push_back(source);
      source = known->volume;
    }
    add("--volume", source + written.substr(colon));
    return {};
  }

  Result<std::string> long_volume(const YamlValue& value) const {
    std::string source, target, options;
    for (const auto& [key, entry] : value.entries) {
      if (key == "read_only") {
        TRY_LET(const bool only, truth(entry));
        options = only ? ":ro" : "";
        continue;
      }
      TRY_LET(const auto written, text(entry));
      if (key == "source")
        source = written;
      else if (key == "target")
        target = written;
      else if (key != "type" || (written != "bind" && written != "volume"))
        return wrong(entry, key == "type" ? fmt::format("there are no volumes of type {}", written)
                                          : fmt::format("a volume has no {}", key));
    }
    if (source.empty() || target.empty())
      return wrong(value, "a volume has a source and a target");
    return source + ":" + target + options;
  }

  Result<void> tmpfs(const YamlValue& value) {
    TRY_LET(const auto all, texts(value));
    for (const auto& one : all) {
      const auto colon = one.find(':');
      const auto size = colon == std::string::npos ? "" : one.substr(colon + 1);
      if (!size.empty() && !size.starts_with("size="))
        return wrong(value, fmt::format("'{}' is not understood", size), "as in /tmp:size=64M");
      if (size.empty()) {
        add("--tmpfs", one.substr(0, colon));
        continue;
      }
      TRY_LET(const auto bytes, size_of(value, size.substr(5)));
      add("--tmpfs", fmt::format("{}:{}", one.substr(0, colon), bytes));
    }
    return {};
  }

  Result<void> extra_hosts(const YamlValue& value) {
    for (const auto& [name, entry] : value.entries) {
      TRY_LET(const auto address, text(entry));
      add("--add-host", fmt::format("{}:{}", name, address));
    }
    if (value.kind == Kind::map)
      return {};
    TRY_LET(auto all, texts(value));
    for (auto& one : all) {
      if (const auto equals = one.find('='); equals != std::string::npos)
        one[equals] = ':';
      add("--add-host", one);
    }
    return {};
  }

  Result<void> sysctls(const YamlValue& value) {
    TRY_LET(const auto all, pairs(value));
    for (const auto& [name, set] : all)
      add("--sysctl", fmt::format("{}={}", name, set.value_or("")));
    return {};
  }

  Result<void> ulimits(const YamlValue& value) {
    if (value.kind != Kind::map)
      return wrong(value, "limits have names");
    for (const auto& [name, entry] : value.entries) {
      if (entry.kind == Kind::text) {
        add("--limit", fmt::format("{}={}", name, entry.text));
        continue;
      }
      const auto *soft = entry.find("soft"), *hard = entry.find("hard");
      if (!soft || !hard || entry.entries.size() != 2)
        return wrong(entry, fmt::format("{} has a soft and a hard limit", name));
      add("--limit", fmt::format("{}={}:{}", name, soft->text, hard->text));
    }
    return {};
  }

  // As Compose counts: bytes, or with b, k, m, g behind them. As ukl does: in mebibytes.
  Result<std::string> size_of(const YamlValue& value, const std::string& written) const {
    double number = 0;
    const auto [end, failed] = std::from_chars(written.data(), written.data() + written.size(), number);
    std::string unit(end, written.data() + written.size());
    std::ranges::transform(unit, unit.begin(), [](unsigned char byte) { return std::tolower(byte); });
    if (unit.size() == 2 && unit[1] == 'b')
      unit.pop_back();
    const auto power = std::string_view("bkmgt").find(unit.empty() ? "b" : unit);
    if (failed != std::errc() || power == std::string_view::npos || unit.size() > 1 || number <= 0)
      return wrong(value, fmt::format("'{}' is no size", written), "as in 512m or 2g");
    const double bytes = number * std::pow(1024.0, static_cast<double>(power));
    return fmt::format("{:.0f}M", std::ceil(bytes / kMebibyte));
  }

  Result<void> memory(const YamlValue& value) {
    TRY_LET(const auto written, text(value));
    TRY_LET(const auto size, size_of(value, written));
    add("-m", size);
    return {};
  }

  Result<void> cpus(const YamlValue& value) {
    TRY_LET(const auto written, text(value));
    double number = 0;
    const auto [end, failed] = std::from_chars(written.data(), written.data() + written.size(), number);
    if (failed != std::errc() || end != written.data() + written.size() || number <= 0 || number > 1024)
      return wrong(value, fmt::format("'{}' is no number of CPUs", written));
    if (number != std::ceil(number))
      project_.notes.push_back(
          fmt::format("{} has {:.0f} CPUs: a machine has whole ones", service_.name, std::ceil(number)));
    add("--cpus", fmt::format("{:.0f}", std::ceil(number)));
    return {};
  }

  Result<void> network_mode(const YamlValue& value) {
    TRY_LET(const auto written, text(value));
    if (written == "none")
      service_.reaches_others = false;
    else if (written != "bridge" && written != "default")
      return wrong(value, fmt::format("there is no network '{}'", written), "none, or leave it out");
    if (written == "none")
      add("--network", "none");
    return {};
  }

  Result<void> restart(const YamlValue& value) {
    TRY_LET(auto written, text(value));
    // One that was stopped stays stopped, as ours always do.
    if (written == "unless-stopped")
      written = "always";
    if (written != "no" && written != "false")
      add("--restart", written);
    return {};
  }

  Result<void> depends_on(const YamlValue& value) {
    if (value.kind == Kind::map) {
      for (const auto& [name, entry] : value.entries)
        TRY(need(name, entry));
      return {};
    }
    TRY_LET(const auto names, texts(value));
    for (const auto& name : names)
      service_.needs.push_back({name, Service::Need::Until::started, value.line});
    return {};
  }

  Result<void> need(const std::string& name, const YamlValue& value) {
    Service::Need need{name, Service::Need::Until::started, value.line};
    for (const auto& [key, entry] : value.entries) {
      if (key != "condition")
        return wrong(entry, fmt::format("a dependency has no {}", key), "only a condition");
      if (entry.text == "service_healthy")
        need.until = Service::Need::Until::healthy;
      else if (entry.text == "service_completed_successfully")
        need.until = Service::Need::Until::completed;
      else if (entry.text != "service_started")
        return wrong(entry, fmt::format("'{}' is no condition", entry.text),
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
        TRY_LET(const bool disabled, truth(entry));
        if (disabled)
          return {};
      } else if (key == "test") {
        TRY(health_test(entry, health));
        if (health.command.empty())
          return {}; // NONE
      } else if (key == "interval") {
        TRY_LET(health.interval, duration(entry));
      } else if (key == "timeout") {
        TRY_LET(health.timeout, duration(entry));
      } else if (key == "start_period") {
        TRY_LET(period, duration(entry));
      } else if (key == "retries") {
        TRY_LET(const auto written, text(entry));
        retries = std::atof(written.c_str());
      } else if (key != "start_interval") {
        return wrong(entry, fmt::format("a health check has no {}", key));
      }
    }
    if (health.command.empty())
      return wrong(value, "a health check has a test");
    health.patience =
        period + milliseconds(static_cast<std::int64_t>(std::clamp(retries, 1.0, 1e6) *
                                                        static_cast<double>(health.interval.count())));
    service_.health = health;
    return {};
  }

  Result<void> health_test(const YamlValue& value, Service::Health& health) const {
    TRY_LET(auto words, texts(value));
    if (value.kind == Kind::text)
      words.insert(words.begin(), "CMD-SHELL");
    if (words.empty() || words[0] == "NONE")
      return {};
    if (words.size() < 2 || (words[0] != "CMD" && words[0] != "CMD-SHELL"))
      return wrong(value, "a test is CMD and words, CMD-SHELL and a line, or NONE");
    if (words[0] == "CMD-SHELL")
      health.command = {"/bin/sh", "-c", words[1]};
    else
      health.command.assign(words.begin() + 1, words.end());
    return {};
  }

  Result<void> stop_grace_period(const YamlValue& value) {
    TRY_LET(service_.stop_patience, duration(value));
    return {};
  }

  Result<void> wait_ready(const YamlValue& value) {
    TRY_LET(const auto written, text(value));
    add("--wait-ready", written);
    service_.waits_itself = true;
    return {};
  }

  Project& project_;
  Service service_;
  std::string key_;
  const char* option_ = "";
};

} // namespace

Result<Service> read_service(Project& project, const std::string& name, const YamlValue& value) {
  return Reader(project, name).read(value);
}

Result<std::vector<std::string>> texts_of(const std::filesystem::path& file, const std::string& key,
                                          const YamlValue& value) {
  if (value.kind == Kind::text)
    return std::vector{value.text};
  std::vector<std::string> texts;
  for (const auto& item : value.items) {
    if (item.kind != Kind::text)
      return error_in_line(file, item.line, fmt::format("{}: a text is expected", key));
    texts.push_back(item.text);
  }
  if (value.kind != Kind::list)
    return error_in_line(file, value.line, fmt::format("{}: a list of texts is expected", key));
  return texts;
}

std::optional<std::vector<std::string>> shell_words(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool begun = false;
  char quote = '\0';
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char byte = line[at];
    if (byte == '\\' && quote != '\'' && at + 1 < line.size()) {
      // Within double quotes it is one only before what it keeps from its meaning.
      if (quote == '"' && line[at + 1] != '"' && line[at + 1] != '\\')
        word += byte;
      word += line[++at];
      begun = true;
    } else if (quote != '\0' ? byte == quote : byte == '"' || byte == '\'') {
      quote = quote == '\0' ? byte : '\0';
      begun = true;
    } else if (quote == '\0' && (byte == ' ' || byte == '\t' || byte == '\n')) {
      if (begun)
        words.push_back(std::exchange(word, {}));
      begun = false;
    } else {
      word += byte;
      begun = true;
    }
  }
  if (begun)
    words.push_back(word);
  if (quote != '\0')
    return std::nullopt;
  return words;
}

} // namespace ukl
