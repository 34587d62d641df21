// SPDX-License-Identifier: GPL-2.0-only
#include "contents/debian_copyright.hpp"
#include "contents/control_file.hpp"
#include "contents/package.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace ukl {
namespace {

// More would be no name.
constexpr std::size_t kLongestName = 100;
constexpr std::size_t kLongestSynopsis = 4096;

std::string lower(std::string_view text) {
  std::string low(text);
  for (auto& letter : low)
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return low;
}

// Names of Debian's, in lower case, for which SPDX has others, and those that both have.
const std::map<std::string, std::string>& known_names() {
  static const auto names = [] {
    std::map<std::string, std::string> all = {
        {"expat", "MIT"},
        {"artistic", "Artistic-1.0-Perl"},
        {"artistic-1", "Artistic-1.0-Perl"},
        {"artistic-2", "Artistic-2.0"},
        {"apache-2", "Apache-2.0"},
        {"bsd-2", "BSD-2-Clause"},
        {"bsd-3", "BSD-3-Clause"},
        {"cc0", "CC0-1.0"},
        {"cddl-1", "CDDL-1.0"},
        {"cc-by-3", "CC-BY-3.0"},
        {"cc-by-4", "CC-BY-4.0"},
        {"cc-by-sa-3", "CC-BY-SA-3.0"},
        {"cc-by-sa-4", "CC-BY-SA-4.0"},
        {"gfdl-niv-1.2", "GFDL-1.2-no-invariants-only"},
        {"gfdl-niv-1.2+", "GFDL-1.2-no-invariants-or-later"},
        {"gfdl-niv-1.3", "GFDL-1.3-no-invariants-only"},
        {"gfdl-niv-1.3+", "GFDL-1.3-no-invariants-or-later"},
        {"perl", "(Artistic-1.0-Perl OR GPL-1.0-or-later)"},
        {"psf-2", "PSF-2.0"},
        {"public-domain", "LicenseRef-public-domain"},
        {"sil-1.1", "OFL-1.1"},
    };
    for (const char* same : {"0BSD",         "AFL-2.1",      "Apache-1.0",
                             "Apache-1.1",   "Apache-2.0",   "Artistic-2.0",
                             "Beerware",     "BSD-1-Clause", "BSD-2-Clause",
                             "BSD-3-Clause", "BSD-4-Clause", "BSD-4-Clause-UC",
                             "BSL-1.0",      "CC-BY-2.5",    "CC-BY-3.0",
                             "CC-BY-4.0",    "CC-BY-SA-2.5", "CC-BY-SA-3.0",
                             "CC-BY-SA-4.0", "CC0-1.0",      "CDDL-1.0",
                             "CECILL-B",     "CECILL-C",     "curl",
                             "EPL-1.0",      "EPL-2.0",      "EUPL-1.2",
                             "FSFAP",        "FSFUL",        "FSFULLR",
                             "FTL",          "HPND",         "IJG",
                             "ICU",          "ISC",          "LPPL-1.3c",
                             "MIT",          "MIT-0",        "MPL-1.0",
                             "MPL-1.1",      "MPL-2.0",      "MS-PL",
                             "NCSA",         "NTP",          "OFL-1.0",
                             "OFL-1.1",      "OLDAP-2.8",    "OpenSSL",
                             "PHP-3.0",      "PHP-3.01",     "PostgreSQL",
                             "PSF-2.0",      "Python-2.0",   "Ruby",
                             "Sleepycat",    "TCL",          "Unicode-DFS-2016",
                             "Unlicense",    "Vim",          "W3C",
                             "WTFPL",        "X11",          "Zlib",
                             "ZPL-2.1"})
      all.emplace(lower(same), same);
    return all;
  }();
  return names;
}

// GPL-2+ and its like: SPDX says `only` and `or later` in words, and has numbers with a point.
std::optional<std::string> gnu_licence(const std::string& low) {
  static const std::map<std::string, std::set<std::string>> versions = {
      {"agpl", {"1.0", "3.0"}},
      {"gfdl", {"1.1", "1.2", "1.3"}},
      {"gpl", {"1.0", "2.0", "3.0"}},
      {"lgpl", {"2.0", "2.1", "3.0"}},
  };
  const auto dash = low.find('-');
  const auto family = versions.find(low.substr(0, dash));
  if (family == versions.end() || dash == std::string::npos)
    return std::nullopt;
  auto version = low.substr(dash + 1);
  const bool later = version.ends_with('+');
  if (later)
    version.pop_back();
  if (version.find('.') == std::string::npos)
    version += ".0";
  if (!family->second.contains(version))
    return std::nullopt;
  auto name = family->first;
  for (auto& letter : name)
    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return fmt::format("{}-{}-{}", name, version, later ? "or-later" : "only");
}

// SPDX's names of exceptions.
std::optional<std::string> exception_name(const std::string& low, const std::string& licence) {
  static const std::map<std::string, std::string> names = {
      {"bison", "Bison-exception-2.2"},
      {"classpath", "Classpath-exception-2.0"},
      {"font", "Font-exception-2.0"},
      {"libtool", "Libtool-exception"},
      {"linux-syscall-note", "Linux-syscall-note"},
      {"llvm", "LLVM-exception"},
  };
  if (const auto found = names.find(low); found != names.end())
    return found->second;
  const bool third = licence.find("GPL-3.0") != std::string::npos;
  if (low == "gcc")
    return third ? "GCC-exception-3.1" : "GCC-exception-2.0";
  if (low == "autoconf")
    return third ? "Autoconf-exception-3.0" : "Autoconf-exception-2.0";
  return std::nullopt;
}

std::string reference(const std::string& text) {
  std::string name = "LicenseRef-debian-";
  for (const char letter : text)
    if (is_letter_or_digit(letter) || letter == '.' || letter == '-')
      name += letter;
    else
      name += letter == '+' ? "-or-later" : "-";
  return name;
}

// One licence, perhaps with an exception.
std::optional<std::string> one_licence(const std::vector<std::string>& words) {
  const auto all = fmt::format("{}", fmt::join(words, "-"));
  if (words.empty() || all.size() > kLongestName)
    return std::nullopt;
  const auto plain = [](const std::string& word) -> std::optional<std::string> {
    if (const auto known = known_names().find(lower(word)); known != known_names().end())
      return known->second;
    return gnu_licence(lower(word));
  };
  if (words.size() == 1)
    return plain(words[0]).value_or(reference(words[0]));
  // LICENCE with NAME exception.
  if (words.size() == 4 && lower(words[1]) == "with" && lower(words[3]) == "exception")
    if (const auto licence = plain(words[0]))
      if (const auto exception = exception_name(lower(words[2]), *licence))
        return fmt::format("{} WITH {}", *licence, *exception);
  return reference(all);
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty())
      words.push_back(std::move(word));
    word.clear();
  };
  for (const char letter : text) {
    if (letter == ',' || letter == '|') {
      end_word();
      words.push_back(letter == ',' ? "," : "or");
    } else if (letter == ' ' || letter == '\t') {
      end_word();
    } else {
      word += letter;
    }
  }
  end_word();
  return words;
}

// What stands between commas, as SPDX has it; `and` binds before `or` in both.
struct Group {
  std::string text;
  bool alternatives = false;
};

std::optional<Group> read_group(const std::vector<std::string>& words) {
  Group group;
  std::vector<std::string> licence;
  for (std::size_t at = 0; at <= words.size(); ++at) {
    const auto word = at < words.size() ? lower(words[at]) : "";
    if (at < words.size() && word != "and" && word != "or" && word != "and/or") {
      licence.push_back(words[at]);
      continue;
    }
    const auto one = one_licence(licence);
    if (!one)
      return std::nullopt;
    group.text += *one;
    licence.clear();
    if (at < words.size()) {
      group.alternatives = group.alternatives || word != "and";
      group.text += word == "and" ? " AND " : " OR ";
    }
  }
  return group;
}

bool is_machine_readable(const ControlParagraph& header) {
  const auto format = field_of(header, "format") + field_of(header, "format-specification");
  return format.find("copyright-format") != std::string::npos ||
         lower(format).find("dep5") != std::string::npos;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// All of them have to be kept.
std::string joined(const std::set<std::string>& licences) {
  std::set<std::string> parts;
  for (const auto& licence : licences) {
    const bool alternatives = licence.find(" OR ") != std::string::npos;
    if (alternatives) {
      const bool whole = licence.starts_with('(') && licence.find(')') == licence.size() - 1;
      parts.insert(licences.size() > 1 && !whole ? fmt::format("({})", licence) : licence);
      continue;
    }
    std::string_view rest = licence;
    constexpr std::string_view conjunction = " AND ";
    for (auto end = rest.find(conjunction); end != std::string_view::npos; end = rest.find(conjunction)) {
      parts.emplace(rest.substr(0, end));
      rest.remove_prefix(end + conjunction.size());
    }
    parts.emplace(rest);
  }
  return fmt::format("{}", fmt::join(parts, " AND "));
}

} // namespace

std::string spdx_licence(std::string_view short_names) {
  if (short_names.size() > kLongestSynopsis)
    return kNoAssertion;
  std::vector<std::vector<std::string>> groups(1);
  for (auto& word : words_of(short_names)) {
    if (word == ",")
      groups.emplace_back();
    else
      groups.back().push_back(std::move(word));
  }
  std::string all;
  for (auto& words : groups) {
    // A comma and what joins both sides of it, which is `and` unless it says something else.
    std::string joint = " AND ";
    if (&words != &groups.front() && !words.empty() &&
        (lower(words[0]) == "and" || lower(words[0]) == "or")) {
      joint = lower(words[0]) == "or" ? " OR " : joint;
      words.erase(words.begin());
    }
    const auto group = read_group(words);
    if (!group)
      return kNoAssertion;
    all += all.empty() ? "" : joint;
    all += groups.size() > 1 && group->alternatives ? fmt::format("({})", group->text) : group->text;
  }
  return all;
}

std::string licence_of_copyright(std::string_view text) {
  std::set<std::string> licences;
  std::string of_header;
  bool first = true, good = true;
  const auto take = [&](const std::string& field) {
    const auto licence = spdx_licence(first_line(field));
    good = good && licence != kNoAssertion;
    licences.insert(licence);
  };
  const bool whole = read_control_file(text, [&](const ControlParagraph& paragraph) {
    if (std::exchange(first, false)) {
      good = is_machine_readable(paragraph);
      of_header = field_of(paragraph, "license");
    } else if (paragraph.contains("files")) {
      take(field_of(paragraph, "license"));
    }
  });
  if (licences.empty() && !of_header.empty())
    take(of_header);
  return whole && good && !licences.empty() ? joined(licences) : kNoAssertion;
}

} // namespace ukl
