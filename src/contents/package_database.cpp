// SPDX-License-Identifier: GPL-2.0-only
#include "contents/package_database.hpp"
#include "contents/control_file.hpp"
#include "contents/debian_copyright.hpp"

#include <algorithm>
#include <set>
#include <sstream>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestDatabase = 64 << 20; ///< bytes
constexpr const char* kDpkg = "/var/lib/dpkg";
// What Debian moved into /usr: its database may name a file by either place.
constexpr const char* kMergedFolders[] = {"/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/"};

std::string database_text(const FileView& view, const fs::path& path) {
  const auto file = view.file(path);
  std::error_code failure;
  if (!file || fs::file_size(*file, failure) > kLargestDatabase || failure)
    return {};
  auto text = read_text(*file);
  return text ? std::move(*text) : std::string();
}

void for_each_line(const std::string& text, const std::function<void(const std::string&)>& visit) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    visit(line);
}

Package package_of_type(const char* type, const System& system) {
  Package package;
  package.type = type;
  package.distribution = system.distribution;
  package.release = system.release;
  return package;
}

Package package_of(const ControlParagraph& paragraph, const System& system) {
  // "Source: NAME (VERSION)"
  const auto source = field_of(paragraph, "source");
  auto package = package_of_type("deb", system);
  package.name = field_of(paragraph, "package");
  package.version = field_of(paragraph, "version");
  package.architecture = field_of(paragraph, "architecture");
  package.source = source.substr(0, source.find(' '));
  if (package.source == package.name)
    package.source.clear();
  return package;
}

// Where dpkg put a file for another package's sake.
class Diversions {
public:
  explicit Diversions(const std::string& text) {
    std::istringstream lines(text);
    for (std::string from, to, by;
         std::getline(lines, from) && std::getline(lines, to) && std::getline(lines, by);)
      all_[from] = {to, by};
  }
  const std::string& place(const std::string& path, const std::string& package) const {
    const auto found = all_.find(path);
    return found == all_.end() || found->second.by == package ? path : found->second.to;
  }

private:
  struct Diversion {
    std::string to, by;
  };
  std::map<std::string, Diversion> all_;
};

class Reader {
public:
  Reader(const FileView& view, const std::function<bool(const std::string&)>& wanted)
      : view_(view), wanted_(wanted), system_(read_system(view)) {}

  Owners read() {
    read_dpkg();
    read_dpkg_without_lists();
    for (const char* database : {"/lib/apk/db/installed", "/usr/lib/apk/db/installed"})
      if (owners_.empty())
        read_apk(database_text(view_, database));
    return std::move(owners_);
  }

private:
  void own(const std::string& path, const std::shared_ptr<Package>& package) {
    if (!wanted_(path))
      return;
    // The licence takes a file to be read, and most packages have nothing that is wanted.
    if (with_licence_.insert(package).second && package->licence == kNoAssertion)
      package->licence = licence_of_package(view_, package->name);
    owners_[path] = package;
  }

  void read_dpkg() {
    std::map<std::string, std::shared_ptr<Package>> by_name;
    read_control_file(database_text(view_, fs::path(kDpkg) / "status"),
                      [&](const ControlParagraph& paragraph) {
                        auto package = std::make_shared<Package>(package_of(paragraph, system_));
                        // What was removed has left its configuration, if anything.
                        if (!is_package(*package) || !field_of(paragraph, "status").ends_with(" installed"))
                          return;
                        by_name[package->name + ":" + package->architecture] = package;
                        by_name[package->name] = package;
                      });
    if (by_name.empty())
      return;
    const Diversions diversions(database_text(view_, fs::path(kDpkg) / "diversions"));
    for (const auto& list : view_.matching(std::string(kDpkg) + "/info/*.list")) {
      const auto found = by_name.find(list.stem().string());
      if (found == by_name.end())
        continue;
      const auto& package = found->second;
      for_each_line(database_text(view_, list),
                    [&](const std::string& path) { own(diversions.place(path, package->name), package); });
    }
  }

  // Images that were made of packages without dpkg have a file for each, and the sums of its files.
  void read_dpkg_without_lists() {
    for (const auto& file : view_.matching(std::string(kDpkg) + "/status.d/*")) {
      if (file.extension() == ".md5sums")
        continue;
      auto package = std::make_shared<Package>(package_of_control(database_text(view_, file), system_));
      if (!is_package(*package))
        continue;
      // "SUM  usr/bin/x"
      for_each_line(database_text(view_, file.string() + ".md5sums"), [&](const std::string& line) {
        if (const auto at = line.find("  "); at != std::string::npos)
          own("/" + line.substr(at + 2), package);
      });
    }
  }

  // Lines LETTER:VALUE, an empty one behind each package: P its name, F a folder and R a file in that.
  void read_apk(const std::string& text) {
    auto package = std::make_shared<Package>();
    std::string folder;
    std::vector<std::string> files;
    const auto end_package = [&] {
      if (package->source == package->name)
        package->source.clear();
      if (is_package(*package))
        for (const auto& path : files)
          own(path, package);
      package = std::make_shared<Package>(package_of_type("apk", system_));
      files.clear();
      folder.clear();
    };
    end_package();
    for_each_line(text, [&](const std::string& line) {
      if (line.empty())
        return end_package();
      const auto value = line.size() > 2 && line[1] == ':' ? line.substr(2) : std::string();
      switch (line[0]) {
      case 'P':
        package->name = value;
        break;
      case 'V':
        package->version = value;
        break;
      case 'A':
        package->architecture = value;
        break;
      case 'o':
        package->source = value;
        break;
      case 'L':
        package->licence = apk_licence(value);
        break;
      case 'F':
        folder = value;
        break;
      case 'R':
        files.push_back(folder.empty() ? "/" + value : "/" + folder + "/" + value);
        break;
      default:
        break;
      }
    });
    end_package();
  }

  // Alpine's are SPDX expressions already; its older ones have spaces between licences.
  static std::string apk_licence(const std::string& text) {
    const bool plain = text.size() < 1000 &&
                       std::ranges::all_of(text, [](char letter) { return letter >= ' ' && letter <= '~'; });
    return plain && !text.empty() && is_expression(text) ? text : kNoAssertion;
  }

  // Names and AND, OR or WITH take turns.
  static bool is_expression(const std::string& text) {
    std::istringstream words(text);
    bool name = true;
    for (std::string word; words >> word; name = !name)
      if (name == (word == "AND" || word == "OR" || word == "WITH"))
        return false;
    return !name && std::ranges::count(text, '(') == std::ranges::count(text, ')');
  }

  const FileView& view_;
  const std::function<bool(const std::string&)>& wanted_;
  System system_;
  std::set<std::shared_ptr<const Package>> with_licence_; ///< of which the licence was looked for
  Owners owners_;
};

} // namespace

Owners file_owners(const FileView& view, const std::function<bool(const std::string&)>& wanted) {
  return Reader(view, wanted).read();
}

System read_system(const FileView& view) {
  auto text = view.text("/etc/os-release");
  if (!text)
    text = view.text("/usr/lib/os-release");
  System system;
  for_each_line(text.value_or(""), [&](const std::string& line) {
    const auto equals = line.find('=');
    auto value = equals == std::string::npos ? std::string() : line.substr(equals + 1);
    std::erase_if(value, [](char letter) { return letter == '"' || letter == '\''; });
    if (line.starts_with("ID="))
      system.distribution = value;
    if (line.starts_with("VERSION_ID="))
      system.release = value;
  });
  // A tree may hold packages that could not be named otherwise.
  auto probe = package_of_type("deb", system);
  probe.name = probe.version = "1";
  return is_package(probe) ? system : System();
}

Package package_of_control(std::string_view text, const System& system) {
  Package package;
  bool first = true;
  read_control_file(text, [&](const ControlParagraph& paragraph) {
    if (std::exchange(first, false))
      package = package_of(paragraph, system);
  });
  return package;
}

std::string licence_of_package(const FileView& view, const std::string& name) {
  const auto text = view.text(fs::path("/usr/share/doc") / name / "copyright");
  return text ? licence_of_copyright(*text) : kNoAssertion;
}

void set_owners(RootTree& tree) {
  const auto owners = file_owners(*view_of_tree(tree), [&](const std::string& path) {
    const auto* entry = path.starts_with('/') ? tree.find_name(path) : nullptr;
    return entry && entry->type == TreeEntry::Type::file;
  });
  for (const auto& [path, package] : owners)
    tree.set_package(path, package);
}

Owners owners_on_this_machine(const std::vector<fs::path>& files) {
  // The database names files by their places, whatever links led here.
  std::map<fs::path, fs::path> folders;
  std::map<std::string, std::string> by_name;
  std::multimap<std::string, std::string> by_place;
  std::error_code failure;
  for (const auto& file : files) {
    auto& folder = folders[file.parent_path()];
    if (folder.empty())
      folder = fs::weakly_canonical(file.parent_path(), failure);
    auto place = folder / file.filename();
    if (fs::is_symlink(place, failure))
      place = fs::weakly_canonical(place, failure);
    by_place.emplace(place.string(), file.string());
    by_name.emplace(place.string(), place.string());
    for (const std::string merged : kMergedFolders)
      if (place.string().starts_with("/usr" + merged))
        by_name.emplace(place.string().substr(4), place.string());
  }
  Owners owners;
  if (files.empty())
    return owners;
  for (const auto& [name, package] :
       file_owners(*view_of_machine(), [&](const std::string& path) { return by_name.contains(path); })) {
    const auto [first, last] = by_place.equal_range(by_name.at(name));
    for (auto at = first; at != last; ++at)
      owners[at->second] = package;
  }
  return owners;
}

} // namespace ukl
