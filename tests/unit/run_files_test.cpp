// SPDX-License-Identifier: GPL-2.0-only
#include "machine/run_files.hpp"
#include "sample_files.hpp"
#include "ukl/run_settings.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

namespace ukl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::optional<std::string> here(const std::string& name) {
  return name == "SET" ? std::optional<std::string>("value of = it") : std::nullopt;
}

class RunFiles : public FolderTest {};

TEST_F(RunFiles, VariablesComeFromHereOrFromAFile) {
  EXPECT_EQ(*read_variable("A=1=2", here), "A=1=2");
  EXPECT_EQ(*read_variable("EMPTY=", here), "EMPTY=");
  EXPECT_EQ(*read_variable("SET", here), "SET=value of = it");
  expect_error(read_variable("UNSET", here), Failure::usage, "UNSET is not set");
  expect_error(read_variable("=x", here), Failure::usage, "sets no variable");

  ASSERT_TRUE(write_text(at("env"), "# a comment\nA=1\r\n\nSET\nB= two words "));
  const auto variables = read_variables(at("env"), here);
  ASSERT_TRUE(variables);
  EXPECT_THAT(*variables, ElementsAre("A=1", "SET=value of = it", "B= two words "));
  ASSERT_TRUE(write_text(at("env"), "A=1\nUNSET\n"));
  expect_error(read_variables(at("env"), here), Failure::usage, "line 2");
  expect_error(read_variables(at("gone"), here), Failure::not_found, "gone");
}

TEST_F(RunFiles, AConfigurationKeepsItsModeAndEveryByte) {
  ASSERT_TRUE(write_text(at("a:b"), std::string("x\0y\n", 4)));
  ASSERT_EQ(chmod(at("a:b").c_str(), 0640), 0);
  const auto config = read_config(at("a:b").string() + ":/etc/x/../y");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->first, key::file);
  EXPECT_EQ(config->second, std::string("640 /etc/y\0x\0y\n", 15));
  for (const char* wrong : {"a", "a:", ":/b", "a:b", "a:/b/"})
    expect_error(read_config(wrong), Failure::usage, wrong);
  expect_error(read_config(at("gone").string() + ":/b"), Failure::not_found, "gone");
  expect_error(read_config(at("").string() + ":/b"), Failure::usage, "not a file");
}

TEST_F(RunFiles, NoMessageHoldsASecret) {
  ASSERT_TRUE(write_text(at("key"), "hidden"));
  EXPECT_EQ(read_secret("K=" + at("key").string(), here)->second, std::string("K\0hidden", 8));
  EXPECT_EQ(read_secret("SET", here)->second, std::string("SET\0value of = it", 17));
  const auto wrong = read_secret("../K=hidden", here);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message + wrong.error().hint, Not(HasSubstr("hidden")));
  expect_error(read_secret("UNSET", here), Failure::usage, "UNSET is not set");
}

} // namespace
} // namespace ukl
