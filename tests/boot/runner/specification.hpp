// SPDX-License-Identifier: GPL-2.0-only
// What a boot test is: the blocks of the .boot files, read into plain structures. tests/boot/README.md
// describes the format for those who write tests.
#pragma once

#include "support/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace boot {

/// A program or shared library that is compiled for a test.
struct Product {
  std::string name;               ///< file name in the test's build folder
  std::string source;             ///< relative to tests/boot
  std::vector<std::string> flags; ///< for the compiler, before substitution
};

/// A program that runs under the driver, several in one boot; each is one result.
struct Check {
  Product program;
  std::vector<std::string> arguments;
  bool on_host = true; ///< also run on the build machine first: a test that fails there is a bad test
  int seconds = 60;    ///< time limit in the guest
};

/// One boot of the image, or one command on the host between boots.
struct Step {
  enum class Kind { run, host } kind = Kind::run;
  std::string command;                      ///< options of `ukl run`, or a bash command
  std::vector<std::string> expect;          ///< texts that must appear
  std::vector<std::string> expect_patterns; ///< the same as ECMAScript regular expressions
  std::vector<std::string> reject;          ///< texts that must not
  std::string ready;  ///< the client starts, or the signal is sent, once this text appears
  std::string client; ///< a bash command on the host, while the guest runs
  std::string stop;   ///< signal for `ukl run` after the client (or after `ready`): TERM, INT …
  int status = 0;     ///< exit status wanted
};

/// One block.
struct Test {
  std::string name;
  std::string file; ///< the .boot file, for messages
  std::string profile = "general";
  bool only_long = false, only_short = false;
  int seconds = 60;               ///< time limit of each step
  std::vector<std::string> needs; ///< Debian packages, fetched and unpacked
  std::vector<Product> programs, libraries;
  std::vector<Check> checks;
  std::vector<std::string> prepare; ///< bash commands, in the build folder, before packing
  std::string pack, build;  ///< arguments of `ukl pack` or `ukl build`; empty: the driver with the checks
  std::string list;         ///< the driver's list, made by `prepare`, in place of checks
  std::string expectations; ///< file with the results wanted of a `list`
  std::vector<Step> steps;
};

/// Splits like a shell without expansions: blanks separate, single and double quotes and backslash protect.
std::vector<std::string> split_words(const std::string& text);

/// Reads one file. Error: unreadable, or usage with file and line.
ukl::Result<std::vector<Test>> read_tests(const std::filesystem::path& path);

/// The same from text; `file` is for messages.
ukl::Result<std::vector<Test>> parse_tests(const std::string& text, const std::string& file);

} // namespace boot
