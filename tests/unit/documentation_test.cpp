// SPDX-License-Identifier: GPL-2.0-only
// What is written about the tool, against the tool: the man page, the completion, and what `make install`
// puts down.
#include "sample_files.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <map>
#include <regex>
#include <set>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::string kTool = UKL_BINARY_DIR "/ukl";
const fs::path kSource = UKL_SOURCE_DIR;

std::string shell(const std::string& script) {
  auto output = run_command({"bash", "-c", script});
  EXPECT_TRUE(output);
  EXPECT_EQ(output->status, 0) << script << "\n" << output->text;
  return output->text;
}

std::string text_of(const fs::path& file) {
  auto text = read_text(file);
  EXPECT_TRUE(text) << file;
  return text ? *text : "";
}

// The first group of each match.
std::set<std::string> all_matches(const std::string& text, const char* expression) {
  const std::regex regex(expression);
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match)
    found.insert((*match)[1]);
  return found;
}

// Once for each command.
const std::string& help_of(const std::string& command) {
  static std::map<std::string, std::string> known;
  auto& help = known[command];
  if (help.empty())
    help = shell(kTool + " " + command + " --help");
  return help;
}

// Every command, as its words behind `ukl`, found through the help itself.
std::vector<std::string> commands(const std::string& start = "") {
  std::vector<std::string> found = {start};
  const auto& help = help_of(start);
  const auto at = help.find("\nSubcommands:\n");
  if (at == std::string::npos)
    return found;
  const auto section = help.substr(at, help.find("\n\n", at + 1) - at);
  for (const auto& name : all_matches(section, "\n  ([a-z-]+) "))
    for (const auto& command : commands(start.empty() ? name : start + " " + name))
      found.push_back(command);
  return found;
}

std::set<std::string> options_of(const std::string& command) {
  std::set<std::string> options;
  for (const auto& names : all_matches(help_of(command), "\n  (-[^ {]*)"))
    for (const auto& name : all_matches(names + ",", "(-[^,]*),"))
      options.insert(name);
  return options;
}

// The part of the man page about a command, with roff's escapes undone.
std::string man_section(const std::string& command) {
  static const auto page = std::regex_replace(text_of(kSource / "docs/ukl.1"), std::regex(R"(\\-)"), "-");
  std::string title = "\n.SH OPTIONS OF UKL" + (command.empty() ? "" : " " + command) + "\n";
  for (auto& letter : title)
    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  const auto start = page.find(title);
  EXPECT_NE(start, std::string::npos) << title;
  return start == std::string::npos ? "" : page.substr(start, page.find("\n.SH", start + 1) - start) + "\n";
}

TEST(ManPage, NamesEveryOptionOfEveryCommand) {
  const auto all = commands();
  EXPECT_GE(all.size(), 12u);
  for (const auto& command : all) {
    // A command that only has others below it.
    if (options_of(command) == std::set<std::string>{"-h", "--help"})
      continue;
    const auto section = man_section(command);
    for (const auto& option : options_of(command))
      EXPECT_TRUE(std::regex_search(section, std::regex("[\n ,]" + option + "[\n ,]")))
          << command << " " << option;
  }
}

TEST(ManPage, SaysWhatHelpSays) {
  EXPECT_EQ(shell(UKL_SOURCE_DIR "/scripts/man-page " + kTool), text_of(kSource / "docs/ukl.1"))
      << "run: scripts/man-page > ukl.1 && mv ukl.1 docs/ukl.1";
}

TEST(ManPage, NamesEveryStatusAndTheHelpItsRange) {
  const auto numbers = all_matches(text_of(kSource / "src/support/result.hpp"), "\n  [a-z_]+ = ([0-9]+),");
  EXPECT_GE(numbers.size(), 20u);
  const auto page = text_of(kSource / "docs/ukl.1");
  const auto statuses =
      page.substr(page.find(".SH EXIT STATUS"), page.find(".SH ENVIRONMENT") - page.find(".SH EXIT STATUS"));
  int last = 0;
  for (const auto& number : numbers) {
    EXPECT_TRUE(std::regex_search(statuses, std::regex("[\n ]" + number + " [a-zA-Z]"))) << number;
    if (std::stoi(number) < 64)
      last = std::max(last, std::stoi(number));
  }
  EXPECT_THAT(help_of(""), HasSubstr(fmt::format("Exit statuses 20 to {} are", last)));
  for (const char* status : {"124", "125", "126", "127", "128"})
    EXPECT_THAT(page, HasSubstr(status));
}

TEST(ManPage, NamesEveryEnvironmentVariable) {
  const auto page = text_of(kSource / "docs/ukl.1");
  const auto section =
      page.substr(page.find(".SH ENVIRONMENT"), page.find(".SH EXAMPLES") - page.find(".SH ENVIRONMENT"));
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(kSource / "src"))
    if (entry.path().extension() == ".cpp")
      names.merge(all_matches(text_of(entry.path()),
                              R"re((?:environment_variable|path_in|variable_or)\("([A-Z][A-Z_]+)")re"));
  names.merge(all_matches(text_of(kSource / "src/contents/compile.cpp"), R"re("(UKL_[A-Z_]+)")re"));
  EXPECT_TRUE(names.contains("UKL_CACHE") && names.contains("UKL_CXX"));
  for (const auto& name : names)
    EXPECT_THAT(section, HasSubstr(name));
}

TEST(ManPage, IsWellFormed) {
  if (run_command({"which", "groff"})->status != 0)
    GTEST_SKIP() << "groff is not installed";
  EXPECT_EQ(shell("groff -man -Tutf8 -ww -z " UKL_SOURCE_DIR "/docs/ukl.1 2>&1"), "");
}

TEST(Completion, OffersEveryOptionAndCommand) {
  const auto complete = [](const std::string& command, const std::string& current) {
    const auto words = shell(
        "source " UKL_SOURCE_DIR "/completions/ukl.bash; COMP_WORDS=(" + kTool + " " + command + " '" +
        current + "'); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _ukl; printf '%s\\n' \"${COMPREPLY[@]}\"");
    return all_matches("\n" + words, "([^\n]+)");
  };
  for (const auto& command : commands()) {
    const auto expected = options_of(command);
    EXPECT_TRUE(expected.contains("--help")) << command;
    EXPECT_EQ(complete(command, "-"), expected) << command;
  }
  std::set<std::string> all;
  for (const auto& command : commands())
    if (!command.empty())
      all.insert(command.substr(0, command.find(' ')));
  EXPECT_TRUE(all.contains("pack") && all.contains("ps"));
  EXPECT_EQ(complete("", ""), all);
  EXPECT_EQ(complete("pack --file a --js", "--js"), std::set<std::string>{"--json"});
  EXPECT_EQ(complete("run --machine", "mic"), std::set<std::string>{"microvm"});
  EXPECT_EQ(complete("run --accel", ""), (std::set<std::string>{"auto", "kvm", "tcg"}));
  EXPECT_EQ(complete("pack --profile", "cla"), std::set<std::string>{"classic"});
}

// The tool, its files and what is written about it work from where they are installed, without the source
// tree.
class Installed : public FolderTest {};

TEST_F(Installed, TreeIsCompleteAndWorks) {
  const auto prefix = at("usr").string();
  shell("cmake --install " UKL_BINARY_DIR " --prefix " + prefix);
  for (const char* file :
       {"bin/ukl", "bin/ukl-cc", "bin/ukl-c++", "share/ukl/ukl-init", "share/ukl/include/ukl/kernel.hpp",
        "share/ukl/kernel/profiles/base.config", "share/man/man1/ukl.1", "share/man/man1/ukl-cc.1",
        "share/man/man1/ukl-c++.1", "share/bash-completion/completions/ukl"})
    EXPECT_TRUE(fs::exists(fs::path(prefix) / file)) << file;
  make_sample_kernel(at("vmlinux"));
  ASSERT_TRUE(write_text(at("m.cpp"), "#include <ukl/kernel.hpp>\nint main() { return 0; }\n"));
  shell("cd " + at("").string() +
        "; unset UKL_HOME; export UKL_CACHE=$PWD/cache; usr/bin/ukl --version && "
        "usr/bin/ukl kernel list && usr/bin/ukl kernel config > config && cmp <(grep -c . config) <(" +
        kTool +
        " kernel config | grep -c .) && usr/bin/ukl-c++ m.cpp -o m && ./m && "
        "usr/bin/ukl build --kernel vmlinux m.cpp -o m.ukl && usr/bin/ukl inspect --files m.ukl | grep -q ' "
        "/init$'");
  EXPECT_EQ(
      shell("source " + prefix + "/share/bash-completion/completions/ukl; complete -p ukl | grep -c _ukl"),
      "1\n");
}

} // namespace
} // namespace ukl
