// SPDX-License-Identifier: GPL-2.0-only
#include "console.hpp"
#include "execute.hpp"
#include "support/files.hpp"

#include <fmt/format.h>
#include <map>
#include <sstream>

namespace boot {

std::vector<Outcome> compare_with_list(const std::string& console, const std::string& list,
                                       const std::string& prefix) {
  struct Wanted {
    std::string what, reason;
  };
  std::map<std::string, Wanted> wanted;
  std::vector<Outcome> outcomes;
  auto text = ukl::read_text(list);
  if (!text)
    return {{Outcome::Kind::failed, list, text.error().message, ""}};
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, seconds;
    Wanted entry;
    if (!(words >> name >> seconds >> entry.what) || name[0] == '#')
      continue;
    std::getline(words >> std::ws, entry.reason);
    if (entry.reason.starts_with(": "))
      entry.reason.clear();
    entry.reason = entry.reason.substr(0, entry.reason.find(" : "));
    if (entry.what != "pass" && entry.reason.empty())
      return {{Outcome::Kind::failed, name,
               fmt::format("{} lists it as \"{}\" without a reason", list, entry.what), ""}};
    if (entry.what == "omit")
      outcomes.push_back({Outcome::Kind::skipped, prefix + name, "not run: " + entry.reason, ""});
    else
      wanted[name] = entry;
  }

  for (const auto& check : check_results(console)) {
    const std::string name = prefix + check.name;
    const std::string what = check.kind == CheckResult::Kind::ok        ? "pass"
                             : check.kind == CheckResult::Kind::skipped ? "skip"
                                                                        : "fail";
    const auto entry = wanted.find(check.name);
    if (entry == wanted.end()) {
      outcomes.push_back({Outcome::Kind::failed, name,
                          fmt::format("not listed in {}; it is \"{}\"", list, what), check.output});
      continue;
    }
    if (entry->second.what == "either") {
      outcomes.push_back({Outcome::Kind::passed, name,
                          fmt::format("{}, and either would do: {}", what, entry->second.reason), ""});
    } else if (entry->second.what == what) {
      outcomes.push_back(
          {what == "skip" ? Outcome::Kind::skipped : Outcome::Kind::passed, name,
           what == "pass" ? check.detail : fmt::format("{}s as listed: {}", what, entry->second.reason), ""});
    } else {
      outcomes.push_back(
          {Outcome::Kind::failed, name,
           fmt::format("wanted \"{}\", was \"{}\" ({})", entry->second.what, what, check.detail),
           check.output});
    }
    wanted.erase(entry);
  }
  for (const auto& [name, entry] : wanted)
    outcomes.push_back({Outcome::Kind::failed, prefix + name, "listed, but it did not run", ""});
  return outcomes;
}

} // namespace boot
