// SPDX-License-Identifier: GPL-2.0-only
#include "sources/tree_setup.hpp"
#include "contents/file_view.hpp"
#include "sources/maintainer_script.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <set>
#include <sstream>

namespace ukl {
namespace {

// Paths that only a shell could mean are none.
bool is_path(const std::string& text) {
  return text.starts_with('/') && text.size() > 1 && text.find_first_of("*?[") == std::string::npos &&
         text.find("/../") == std::string::npos;
}

std::optional<unsigned> octal(const std::string& text) {
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  return error == std::errc() && end == text.data() + text.size() && mode <= 07777 ? std::optional(mode)
                                                                                   : std::nullopt;
}

std::optional<unsigned> number_in(const std::string& text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

std::optional<unsigned> user_number(const SystemUsers& users, const std::string& name) {
  const auto* user = users.find_user(name);
  return user ? std::optional(user->user) : number_in(name);
}

std::optional<unsigned> group_number(const SystemUsers& users, const std::string& name) {
  const auto group = users.find_group(name);
  return group ? group : number_in(name);
}

void change(RootTree& tree, const std::string& path, bool all, const std::function<void(TreeEntry&)>& how) {
  const auto place = tree.real_path(path);
  if (place.empty())
    return;
  std::vector<std::string> places;
  for (auto at = tree.entries().lower_bound(place); at != tree.entries().end(); ++at) {
    const bool below = at->first.starts_with(place + "/");
    if (at->first == place || (all && below))
      places.push_back(at->first);
    else if (!at->first.starts_with(place))
      break;
  }
  for (const auto& one : places) {
    auto entry = tree.entries().at(one);
    how(entry);
    entry.settled = true;
    if (!tree.put(one, std::move(entry)))
      return;
  }
}

void change_owner(RootTree& tree, const SystemUsers& users, const std::string& path, bool all,
                  const std::string& owner, const std::string& group) {
  const auto user = user_number(users, owner);
  const auto of_group = group_number(users, group);
  change(tree, path, all, [&](TreeEntry& entry) {
    entry.owner = user.value_or(entry.owner);
    entry.group = of_group.value_or(entry.group);
  });
}

void make(RootTree& tree, const std::string& path, TreeEntry entry) {
  if (tree.find_name(path) || tree.find(path))
    return;
  entry.settled = true;
  // What cannot be put there is not worth an error: the package would have failed too.
  (void)static_cast<bool>(tree.put(path, std::move(entry)));
}

// Options and the rest of a command; options in `valued` have a value.
struct Words {
  std::vector<std::pair<std::string, std::string>> options;
  std::vector<std::string> rest;
  bool has(const std::string& letters) const {
    return std::ranges::any_of(options, [&](const auto& option) {
      return option.first.find_first_of(letters, 1) != std::string::npos && !option.first.starts_with("--");
    });
  }
  std::string value(const std::string& name) const {
    for (const auto& option : options)
      if (option.first == name)
        return option.second;
    return {};
  }
};

Words sort(const std::vector<std::string>& command, const std::string& valued) {
  Words words;
  for (std::size_t i = 1; i < command.size(); ++i) {
    if (!command[i].starts_with('-') || command[i] == "-")
      words.rest.push_back(command[i]);
    else if (command[i].size() == 2 && valued.find(command[i][1]) != std::string::npos &&
             i + 1 < command.size())
      words.options.emplace_back(command[i], command[i + 1]), ++i;
    else
      words.options.emplace_back(command[i], "");
  }
  return words;
}

// update-alternatives --install LINK NAME PATH PRIORITY
void add_alternative(RootTree& tree, const std::vector<std::string>& command) {
  for (std::size_t i = 1; i + 3 < command.size(); ++i)
    if (command[i] == "--install" && is_path(command[i + 1]) && is_path(command[i + 3]) &&
        command[i + 2].find('/') == std::string::npos) {
      const auto middle = "/etc/alternatives/" + command[i + 2];
      make(tree, middle, link_entry(command[i + 3]));
      make(tree, command[i + 1], link_entry(middle));
    }
}

// As a shell does it with the files that there are.
std::vector<std::string> expanded(const RootTree& tree, const std::vector<std::string>& words) {
  std::vector<std::string> paths;
  for (const auto& word : words) {
    if (!word.starts_with('/') || word.find_first_of("*?[") == std::string::npos) {
      paths.push_back(word);
      continue;
    }
    for (const auto& file : view_of_tree(tree)->matching(word))
      paths.push_back(file);
  }
  return paths;
}

void run_file_command(RootTree& tree, const SystemUsers& users, const std::string& name,
                      const std::vector<std::string>& command) {
  const auto words = sort(command, name == "install" ? "ogm" : name == "mkdir" ? "m" : "");
  auto paths = words.rest;
  std::string first;
  if (name == "chown" || name == "chgrp" || name == "chmod") {
    if (paths.empty())
      return;
    first = paths[0];
    paths.erase(paths.begin());
    paths = expanded(tree, paths);
  }
  const bool fits = std::ranges::all_of(paths, is_path);
  if (!fits || paths.empty())
    return;
  const auto colon = first.find_first_of(":.");
  for (const auto& path : paths) {
    if (name == "chown")
      change_owner(tree, users, path, words.has("R"), first.substr(0, colon),
                   colon == std::string::npos ? "" : first.substr(colon + 1));
    else if (name == "chgrp")
      change_owner(tree, users, path, words.has("R"), "", first);
    else if (const auto mode = octal(first); name == "chmod" && mode)
      change(tree, path, words.has("R"), [&](TreeEntry& entry) { entry.mode = *mode; });
    else if (name == "mkdir")
      make_folder(tree, users, path, octal(words.value("-m")).value_or(0755), "", "");
    else if (name == "install" && words.has("d"))
      make_folder(tree, users, path, octal(words.value("-m")).value_or(0755), words.value("-o"),
                  words.value("-g"));
    else if (name == "touch")
      make(tree, path, text_entry(""));
  }
  const bool copies = name == "cp" || (name == "install" && !words.has("d"));
  if (!copies || paths.size() != 2 || words.rest.size() != 2)
    return;
  if (const auto* from = tree.find(paths[0]); from && from->type == TreeEntry::Type::file)
    make(tree, paths[1], TreeEntry(*from));
  else if (paths[0] == "/dev/null")
    make(tree, paths[1], text_entry("", octal(words.value("-m")).value_or(0755)));
}

} // namespace

void make_folder(RootTree& tree, const SystemUsers& users, const std::string& path, unsigned mode,
                 const std::string& owner, const std::string& group) {
  if (!is_path(path))
    return;
  if (const auto* there = tree.find(path); !there || there->implied) {
    auto folder = folder_entry(mode);
    folder.settled = true;
    if (!tree.put(path, std::move(folder), true))
      return;
  }
  if (!owner.empty() || !group.empty())
    change_owner(tree, users, path, false, owner, group);
}

namespace {

// Apache's modules for several processes, of which one is enabled.
constexpr const char* kProcessModels[] = {"mpm_event", "mpm_worker", "mpm_prefork"};

// a2enmod, a2enconf and a2ensite of Debian's Apache, by whichever name: links from what is available to what
// is enabled, for a module with those that it depends on.
void enable_apache(RootTree& tree, const std::string& kind, const std::string& name, int depth = 0) {
  constexpr int kDeepest = 10;
  const std::string folder = "/etc/apache2/";
  if (name.find('/') != std::string::npos || depth > kDeepest)
    return;
  // Of modules for several processes there is one: the first, unless another one takes its place.
  if (name.starts_with("mpm_"))
    for (const auto* other : kProcessModels)
      if (tree.find(folder + "mods-enabled/" + other + ".load"))
        return;
  for (const auto* end : {".load", ".conf"}) {
    const auto file = name + end;
    const auto* available = tree.find(folder + kind + "-available/" + file);
    if (!available)
      continue;
    make(tree, folder + kind + "-enabled/" + file, link_entry("../" + kind + "-available/" + file));
    std::istringstream lines(text_in_tree(tree, folder + kind + "-available/" + file).value_or(""));
    constexpr std::string_view kDepends = "# Depends:";
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with(kDepends)) {
        std::istringstream others(line.substr(kDepends.size()));
        for (std::string other; others >> other;)
          enable_apache(tree, kind, other, depth + 1);
      }
  }
}

bool set_up_apache(RootTree& tree, const std::string& name, const std::vector<std::string>& command) {
  auto words = sort(command, "").rest;
  auto verb = name;
  if (name == "apache2_invoke" && !words.empty()) {
    verb = "a2" + words.front();
    words.erase(words.begin());
  }
  if (name == "apache2_switch_mpm" && !words.empty()) {
    for (const auto* other : kProcessModels)
      for (const auto* end : {".load", ".conf"})
        tree.remove(std::string("/etc/apache2/mods-enabled/") + other + end);
    enable_apache(tree, "mods", "mpm_" + words.front());
    return true;
  }
  for (const auto& [known, kind] :
       {std::pair("a2enmod", "mods"), {"a2enconf", "conf"}, {"a2ensite", "sites"}})
    if (verb == known) {
      for (const auto& word : words)
        enable_apache(tree, kind, word);
      return true;
    }
  return false;
}

// ucf [OPTION…] NEW FILE: configuration that a package offers.
std::vector<std::string> offered_configuration(const std::vector<std::string>& command) {
  if (command[0].substr(command[0].rfind('/') + 1) != "ucf")
    return {};
  auto words = sort(command, "").rest;
  return words.size() == 2 && is_path(words[0]) && is_path(words[1]) ? words : std::vector<std::string>();
}

} // namespace

bool set_up(RootTree& tree, SystemUsers& users, const std::vector<std::string>& command) {
  std::optional<SystemUser> with_home;
  if (users.run(command, with_home)) {
    if (with_home)
      make_folder(tree, users, with_home->home, 0755, with_home->name, std::to_string(with_home->group));
    return true;
  }
  const auto name = command[0].substr(command[0].rfind('/') + 1);
  if (const auto files = offered_configuration(command); !files.empty()) {
    const auto* offered = tree.find(files[0]);
    if (offered && offered->type == TreeEntry::Type::file)
      make(tree, files[1], TreeEntry(*offered));
    return true;
  }
  if (name == "update-alternatives")
    return add_alternative(tree, command), true;
  if (name == "dpkg-statoverride") {
    const auto words = sort(command, "");
    // --update --add OWNER GROUP MODE PATH
    const bool adds =
        std::ranges::any_of(words.options, [](const auto& one) { return one.first == "--add"; });
    if (adds && words.rest.size() == 4 && is_path(words.rest[3])) {
      change_owner(tree, users, words.rest[3], false, words.rest[0], words.rest[1]);
      if (const auto mode = octal(words.rest[2]))
        change(tree, words.rest[3], false, [&](TreeEntry& entry) { entry.mode = *mode; });
    }
    return true;
  }
  if (set_up_apache(tree, name, command))
    return true;
  if (name == "ln") {
    const auto words = sort(command, "");
    if (words.has("s") && words.rest.size() == 2 && is_path(words.rest[1]))
      make(tree, words.rest[1], link_entry(words.rest[0]));
    return true;
  }
  for (const char* known : {"mkdir", "install", "touch", "cp", "chown", "chgrp", "chmod"})
    if (name == known)
      return run_file_command(tree, users, name, command), true;
  return false;
}

void set_up_temporary_files(RootTree& tree, const SystemUsers& users, const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string type, path, mode, owner, group, age, argument;
    if (!(words >> type >> path) || type.starts_with('#') || !is_path(path) ||
        path.find('%') != std::string::npos)
      continue;
    words >> mode >> owner >> group >> age >> std::ws;
    std::getline(words, argument);
    const auto given = [](const std::string& word) { return word == "-" ? std::string() : word; };
    while (mode.starts_with('~') || mode.starts_with(':'))
      mode.erase(0, 1);
    if (type[0] == 'd' || type[0] == 'D' || type[0] == 'v' || type[0] == 'q')
      make_folder(tree, users, path, octal(mode).value_or(0755), given(owner), given(group));
    else if (type[0] == 'f') {
      make(tree, path, text_entry(argument, octal(mode).value_or(0644)));
      change_owner(tree, users, path, false, given(owner), given(group));
    } else if (type[0] == 'L' && !argument.empty())
      make(tree, path, link_entry(argument));
  }
}

namespace {

using SharedFile = std::pair<std::string_view, const TreeEntry*>;

// Files of a package below /usr/share that are for programs rather than for people and other tools.
std::vector<SharedFile> shared_files(const RootTree& tree, const std::string& package) {
  constexpr std::string_view kShare = "/usr/share/";
  constexpr std::string_view kOthers[] = {"doc/", "doc-base/",        "lintian/",
                                          "bug/", "bash-completion/", "man/"};
  std::vector<SharedFile> files;
  for (const auto& [place, entry] : tree.entries()) {
    if (!place.starts_with(kShare) || entry.type != TreeEntry::Type::file || !entry.package ||
        entry.package->name != package)
      continue;
    const auto below = std::string_view(place).substr(kShare.size());
    if (std::ranges::none_of(kOthers, [&](std::string_view other) { return below.starts_with(other); }))
      files.emplace_back(place, &entry);
  }
  return files;
}

} // namespace

void set_up_configuration(RootTree& tree, const std::string& script, const std::string& package) {
  const auto is_part = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("/._+@-").find(c) != std::string_view::npos;
  };
  std::set<std::string> named;
  // What the script makes of such a file first, by answers to debconf's questions, is taken as it comes.
  for (const auto& command : plain_commands(script))
    if (const auto files = offered_configuration(command); !files.empty())
      named.insert(files[1]);
  for (auto at = script.find("/etc/"); at != std::string::npos; at = script.find("/etc/", at + 1)) {
    if (at > 0 && is_part(script[at - 1]))
      continue;
    const auto end =
        std::find_if_not(script.begin() + static_cast<std::ptrdiff_t>(at), script.end(), is_part);
    named.insert(script.substr(at, static_cast<std::size_t>(end - script.begin()) - at));
  }
  const auto shared = named.empty() ? std::vector<SharedFile>() : shared_files(tree, package);
  for (const auto& path : named) {
    const auto name = path.substr(path.rfind('/'));
    if (name.size() == 1 || tree.find_name(path) || path.find("/../") != std::string::npos)
      continue;
    // Of that name, or as an example of it.
    for (const auto* end : {"", ".example", ".sample", ".default", ".dist"}) {
      const auto fits = [&](const SharedFile& file) { return file.first.ends_with(name + end); };
      const auto count = std::ranges::count_if(shared, fits);
      if (count == 1)
        make(tree, path, TreeEntry(*std::ranges::find_if(shared, fits)->second));
      if (count > 0)
        break;
    }
  }
}

} // namespace ukl
