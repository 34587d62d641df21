// SPDX-License-Identifier: GPL-2.0-only
#include "contents/network_files.hpp"
#include "sample_files.hpp"

namespace ukl {
namespace {

namespace fs = std::filesystem;

class NetworkFiles : public FolderTest {
protected:
  // The files that a tree with this program gets.
  RootTree tree_with(const std::string& source, const std::string& name = "/bin/program") {
    compile_sample(at("program"), source);
    RootTree tree;
    EXPECT_TRUE(tree.add(name, host_entry(at("program"), 0755)));
    EXPECT_TRUE(add_network_files(tree));
    return tree;
  }
};

TEST_F(NetworkFiles, AProgramThatAsksForServicesHasTheirNames) {
  if (!fs::exists("/etc/services"))
    GTEST_SKIP() << "this machine has no /etc/services (package netbase)";
  const auto tree =
      tree_with("#include <netdb.h>\nint main(void) { return getservbyname(\"http\", \"tcp\") != 0; }");
  EXPECT_NE(tree.find("/etc/services"), nullptr);
  EXPECT_NE(tree.find("/etc/protocols"), nullptr);
  EXPECT_EQ(tree.find("/etc/ssl"), nullptr);
}

TEST_F(NetworkFiles, AProgramThatNamesCertificatesHasThem) {
  if (!fs::exists("/etc/ssl/certs/ca-certificates.crt"))
    GTEST_SKIP() << "this machine has no certificates of authorities (package ca-certificates)";
  const std::string source = "#include <stdio.h>\nint main(void) { return puts(\"/etc/ssl/certs\"); }";
  EXPECT_NE(tree_with(source).find("/etc/ssl/certs/ca-certificates.crt"), nullptr);
  EXPECT_EQ(tree_with(source).find("/usr/lib/ssl/cert.pem"), nullptr);
  // OpenSSL's library looks for one file at a place of its own.
  EXPECT_NE(tree_with(source, "/usr/lib/libcrypto.so.3").find("/usr/lib/ssl/cert.pem"), nullptr);
}

TEST_F(NetworkFiles, OthersHaveNothing) {
  const auto tree = tree_with("int main(void) { return 0; }");
  EXPECT_EQ(tree.find("/etc"), nullptr);
}

TEST_F(NetworkFiles, WhatIsThereStays) {
  compile_sample(at("program"), "#include <stdio.h>\nint main(void) { return puts(\"/etc/ssl/certs\"); }");
  RootTree tree;
  ASSERT_TRUE(tree.add("/bin/program", host_entry(at("program"), 0755)));
  ASSERT_TRUE(tree.add("/etc/ssl/certs/ca-certificates.crt", text_entry("own")));
  ASSERT_TRUE(add_network_files(tree));
  EXPECT_EQ(tree.find("/etc/ssl/certs/ca-certificates.crt")->contents.size(), 3u);
}

} // namespace
} // namespace ukl
