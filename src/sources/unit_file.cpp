// SPDX-License-Identifier: GPL-2.0-only
#include "sources/unit_file.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <sstream>
#include <utility>

namespace ukl {
namespace {

using Variables = std::vector<std::string>;

// Words as systemd splits them: quotes around words, and backslashes.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      const char next = text[++i];
      word += next == 'n' ? '\n' : next == 't' ? '\t' : next;
      in_word = true;
    } else if (quote) {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '"' || c == '\'') {
      quote = c;
      in_word = true;
    } else if (std::isspace(static_cast<unsigned char>(c))) {
      if (in_word)
        words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (in_word)
    words.push_back(std::move(word));
  return words;
}

// %-specifiers that mean the same in every machine; others become nothing.
std::string with_specifiers(const std::string& text, const std::string& name) {
  const auto at = name.find('@');
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    switch (text[++i]) {
    case '%':
      out += '%';
      break;
    case 'n':
      out += name + ".service";
      break;
    case 'N':
      out += name;
      break;
    case 'p':
    case 'P':
      out += name.substr(0, at);
      break;
    case 'i':
    case 'I':
      out += at == std::string::npos ? "" : name.substr(at + 1);
      break;
    case 't':
      out += "/run";
      break;
    case 'S':
      out += "/var/lib";
      break;
    case 'C':
      out += "/var/cache";
      break;
    case 'L':
      out += "/var/log";
      break;
    case 'E':
      out += "/etc";
      break;
    case 'T':
      out += "/tmp";
      break;
    case 'V':
      out += "/var/tmp";
      break;
    case 'h':
      out += "/root";
      break;
    default:
      break;
    }
  }
  return out;
}

std::string value_of(const Variables& variables, const std::string& name) {
  std::string value;
  for (const auto& one : variables)
    if (one.starts_with(name + "="))
      value = one.substr(name.size() + 1);
  return value;
}

bool is_name(const std::string& text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

// $NAME as a word of its own becomes the words of its value, ${NAME} its value within a word.
std::vector<std::string> with_variables(const std::vector<std::string>& words, const Variables& variables) {
  std::vector<std::string> out;
  for (const auto& word : words) {
    if (word.starts_with('$') && is_name(word.substr(1))) {
      const auto values = words_of(value_of(variables, word.substr(1)));
      out.insert(out.end(), values.begin(), values.end());
      continue;
    }
    std::string text;
    for (std::size_t i = 0; i < word.size();) {
      const auto end = word.compare(i, 2, "${") == 0 ? word.find('}', i) : std::string::npos;
      if (word.compare(i, 2, "$$") == 0) {
        text += '$';
        i += 2;
      } else if (end != std::string::npos) {
        text += value_of(variables, word.substr(i + 2, end - i - 2));
        i = end + 1;
      } else {
        text += word[i++];
      }
    }
    out.push_back(std::move(text));
  }
  return out;
}

// NAME=value lines, as in /etc/default.
void read_environment_file(const std::string& text, Variables& variables) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto start = line.find_first_not_of(" \t");
    if (start == std::string::npos || line[start] == '#' || line[start] == ';')
      continue;
    line.erase(0, start);
    const auto equals = line.find('=');
    if (equals == std::string::npos || !is_name(line.substr(0, equals)))
      continue;
    auto value = line.substr(equals + 1);
    while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back())))
      value.pop_back();
    if (value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0])
      value = value.substr(1, value.size() - 2);
    variables.push_back(line.substr(0, equals + 1) + value);
  }
}

// The settings of [Service], in order; lines that end with a backslash are joined.
std::vector<std::pair<std::string, std::string>> service_settings(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> settings;
  bool in_service = false;
  std::string joined;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (joined.empty() && (line.starts_with('#') || line.starts_with(';')))
      continue;
    joined += line;
    if (joined.ends_with('\\')) {
      joined.back() = ' ';
      continue;
    }
    const auto whole = std::exchange(joined, {});
    if (whole.starts_with('[')) {
      in_service = whole.starts_with("[Service]");
      continue;
    }
    const auto equals = whole.find('=');
    if (!in_service || equals == std::string::npos)
      continue;
    auto name = whole.substr(0, equals);
    while (!name.empty() && std::isspace(static_cast<unsigned char>(name.back())))
      name.pop_back();
    const auto start = whole.find_first_not_of(" \t", equals + 1);
    settings.emplace_back(name, start == std::string::npos ? "" : whole.substr(start));
  }
  return settings;
}

// + and ! before a command: User= is not for it, and becomes what it makes of it (systemd.service(5)).
bool is_privileged(const std::string& text) {
  return text.substr(0, text.find_first_not_of("-@:+!")).find_first_of("+!") != std::string::npos;
}

// A command without what stands before it: - @ : + and !.
std::vector<std::string> command_of(const std::string& text) {
  const auto start = text.find_first_not_of("-@:+!");
  if (start == std::string::npos)
    return {};
  auto words = words_of(text.substr(start));
  // The second word is then the name that the program sees as its own.
  if (text.substr(0, start).find('@') != std::string::npos && words.size() > 1)
    words.erase(words.begin() + 1);
  return words;
}

constexpr std::pair<const char*, const char*> kFolders[] = {{"RuntimeDirectory", "/run"},
                                                            {"StateDirectory", "/var/lib"},
                                                            {"CacheDirectory", "/var/cache"},
                                                            {"LogsDirectory", "/var/log"},
                                                            {"ConfigurationDirectory", "/etc"}};

} // namespace

UnitFile read_unit_file(const std::string& text, const std::string& name, const ReadTreeText& read) {
  UnitFile unit;
  std::vector<std::string> command;
  std::map<std::string, std::string> folders, modes;
  Variables variables;
  for (const auto& [setting, raw] : service_settings(text)) {
    const auto value = with_specifiers(raw, name);
    if (setting == "ExecStart") {
      unit.has_more_steps = unit.has_more_steps || (!command.empty() && !value.empty());
      // An empty one takes back those before it.
      if (value.empty()) {
        command.clear();
      } else if (command.empty()) {
        command = command_of(value);
        unit.as_root = is_privileged(value);
      }
    } else if (setting == "ExecStartPre") {
      unit.before.push_back(command_of(value));
    } else if (setting == "ExecStartPost") {
      unit.has_more_steps = true;
    } else if (setting == "Environment") {
      for (const auto& word : words_of(value))
        if (word.find('=') != std::string::npos)
          variables.push_back(word);
    } else if (setting == "EnvironmentFile") {
      const auto path = value.substr(value.starts_with('-') ? 1 : 0);
      if (const auto file = read(path))
        read_environment_file(*file, variables);
    } else if (setting == "User") {
      unit.user = value;
    } else if (setting == "Group") {
      unit.group = value;
    } else if (setting == "WorkingDirectory") {
      const auto path = value.substr(value.starts_with('-') ? 1 : 0);
      unit.directory = path.starts_with('/') ? path : "";
    } else if (setting == "AmbientCapabilities") {
      unit.low_ports = unit.low_ports || value.find("CAP_NET_BIND_SERVICE") != std::string::npos;
    } else if (setting == "Type") {
      unit.forks = value == "forking";
    }
    for (const auto& [kind, place] : kFolders) {
      if (setting == kind)
        folders[kind] += " " + value;
      if (setting == std::string(kind) + "Mode")
        modes[kind] = value;
    }
  }
  unit.command = with_variables(command, variables);
  for (auto& one : unit.before)
    one = with_variables(one, variables);
  std::erase_if(unit.before, [](const auto& one) { return one.empty(); });
  unit.environment = variables;
  for (const auto& [kind, place] : kFolders)
    for (const auto& folder : words_of(folders[kind])) {
      const auto mode = std::strtoul(modes[kind].c_str(), nullptr, 8);
      unit.folders.emplace_back(std::string(place) + "/" + folder.substr(0, folder.find(':')),
                                mode ? static_cast<unsigned>(mode) : 0755);
    }
  return unit;
}

} // namespace ukl
