// SPDX-License-Identifier: GPL-2.0-only
// What has to be known of Debian's packages because no file of theirs says it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ukl {

/// Packages that others depend on for their maintainer scripts, for init and for the package system: none of
/// that runs in an image, so apt is told that they are installed. Whoever names one of them gets it.
struct SetUpPackage {
  std::string_view name;
  std::string_view reason;
};
extern const std::vector<SetUpPackage> kSetUpPackages;

/// A package whose unit starts it as no machine of its own can use it: in the background, reachable from
/// itself only, through a script.
struct KnownPackage {
  std::vector<std::string_view> names; ///< of packages that start it
  std::vector<std::string> command;
  std::string_view user;            ///< if the unit does not say it
  std::vector<std::string> without; ///< packages that only what is not used here needs
  std::string_view reason;          ///< a sentence for the user
};
extern const std::vector<KnownPackage> kKnownPackages;
bool is_known_as(const KnownPackage& package, const std::string& name);

/// What a package's script or unit does with words that only a running system knows, as commands of set_up().
struct KnownSteps {
  std::string_view package;
  std::vector<std::vector<std::string>> commands;
};
extern const std::vector<KnownSteps> kKnownSteps;

/// Libraries that come along in packages of others and make system calls by number, which would leave no call
/// masked. They stay only where a file of another name names them.
inline constexpr std::string_view kRareLibraries[] = {"libpsx.so.2"};

/// Folders that nobody reads in a machine without people.
inline constexpr std::string_view kDocumentation[] = {
    "/usr/share/doc",    "/usr/share/man",     "/usr/share/locale",   "/usr/share/info",
    "/usr/share/bug",    "/usr/share/lintian", "/usr/share/doc-base", "/usr/share/bash-completion",
    "/usr/share/apport", "/etc/init.d",        "/etc/cron.d",         "/etc/cron.daily",
    "/etc/logrotate.d",  "/etc/apparmor.d",    "/usr/share/debconf",  "/etc/insserv.conf.d"};

/// Of the C library's 250 conversions of character sets (UTF-8, ASCII and UCS-4 are in the library itself),
/// in kCharacterSets, those that come into an image.
inline constexpr std::string_view kCharacterSets = "/usr/lib/x86_64-linux-gnu/gconv";
inline constexpr std::string_view kUsualCharacterSets[] = {
    "CP1252.so", "ISO8859-1.so", "ISO8859-15.so", "UNICODE.so", "UTF-16.so", "UTF-32.so", "UTF-7.so"};

} // namespace ukl
