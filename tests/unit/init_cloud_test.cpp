// SPDX-License-Identifier: GPL-2.0-only
// Settings from a machine's surroundings, as far as they are text: cloud-init's files, a service's answers,
// labels of disks. That init finds and asks them: tests/boot/clouds.boot.
// NOLINTBEGIN(bugprone-suspicious-include): init is a program of its own
#include "../../init/cloud_config.cpp"
#include "../../init/http_get.cpp"
#include "../../init/plain_yaml.cpp"
// NOLINTEND(bugprone-suspicious-include)

#include <gmock/gmock.h>

namespace ukl::init {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(PlainYaml, ReadsWhatPeopleWrite) {
  const auto yaml = parse_yaml("# a comment\n"
                               "---\n"
                               "plain: word with blanks # and a comment\n"
                               "quoted: \"a # b: \\\"c\\\"\\n\"\n"
                               "single: 'it''s'\n"
                               "url: http://host:80/#x\n"
                               "none:\n"
                               "inline: [a, \"b, c\", 'd']\n"
                               "map:\n"
                               "  inner: 1\n"
                               "  deeper:\n"
                               "    x: y\n"
                               "list:\n"
                               "- one\n"
                               "-   two: 2\n"
                               "    three: 3\n"
                               "-\n"
                               "  four: 4\n"
                               "indented:\n"
                               "  - [p, q]\n"
                               "  - - nested\n"
                               "text: |\n"
                               "  line 1\n"
                               "\n"
                               "    line 3 # kept\n"
                               "after: yes\n");
  EXPECT_EQ(yaml["plain"].word, "word with blanks");
  EXPECT_EQ(yaml["quoted"].word, "a # b: \"c\"\n");
  EXPECT_EQ(yaml["single"].word, "it's");
  EXPECT_EQ(yaml["url"].word, "http://host:80/#x");
  EXPECT_EQ(yaml["none"].kind, Yaml::Kind::nothing);
  EXPECT_THAT(yaml["inline"].words(), ElementsAre("a", "b, c", "d"));
  EXPECT_EQ(yaml["map"]["inner"].word, "1");
  EXPECT_EQ(yaml["map"]["deeper"]["x"].word, "y");
  ASSERT_EQ(yaml["list"].items.size(), 3u);
  EXPECT_EQ(yaml["list"].items[0].value.word, "one");
  EXPECT_EQ(yaml["list"].items[1].value["two"].word, "2");
  EXPECT_EQ(yaml["list"].items[1].value["three"].word, "3");
  EXPECT_EQ(yaml["list"].items[2].value["four"].word, "4");
  EXPECT_THAT(yaml["indented"].items[0].value.words(), ElementsAre("p", "q"));
  EXPECT_THAT(yaml["indented"].items[1].value.words(), ElementsAre("nested"));
  EXPECT_EQ(yaml["text"].word, "line 1\n\n  line 3 # kept\n");
  EXPECT_EQ(yaml["after"].word, "yes");
}

TEST(PlainYaml, TextsEndAsTheirHeadSays) {
  const auto yaml = parse_yaml("keep: |\n  a\n  b\n\nstrip: |-\n  a\n  b\nfold: >\n  a\n  b\nlast: |\n  end");
  EXPECT_EQ(yaml["keep"].word, "a\nb\n");
  EXPECT_EQ(yaml["strip"].word, "a\nb");
  EXPECT_EQ(yaml["fold"].word, "a b");
  EXPECT_EQ(yaml["last"].word, "end\n");
}

TEST(PlainYaml, NothingStopsIt) {
  EXPECT_EQ(parse_yaml("").kind, Yaml::Kind::nothing);
  std::string deep;
  for (int i = 0; i < 1000; ++i)
    deep += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  parse_yaml(deep);
  parse_yaml(std::string(10000, '[') + "\n- - - -\n" + std::string(5000, '-'));
  parse_yaml("a: \"not closed\nb: 'nor this\nc: [nor, this\n");
  parse_yaml(std::string("\0\xff: \0", 5));
  const auto odd = parse_yaml("a: 1\n      what is this\nb: 2\n");
  EXPECT_EQ(odd["b"].word, "2") << "a line that is not understood is left out";
}

TEST(CloudConfig, UserDataNameFilesAndSettings) {
  CloudSettings said;
  add_user_data("#cloud-config\n"
                "fqdn: web1.example.org\n"
                "packages: [nginx]\n"
                "write_files:\n"
                "- path: /etc/app/config\n"
                "  permissions: '0600'\n"
                "  content: |\n"
                "    a=1\n"
                "    b=2\n"
                "- path: /srv/data\n"
                "  encoding: b64\n"
                "  content: aGVsbG8Ad29ybGQ=\n"
                "- path: /srv/other\n"
                "  encoding: gz+b64\n"
                "  content: xxxx\n"
                "ukl:\n"
                "  env: [A=b, 'C=d e']\n"
                "  user: 33:33\n",
                said);
  EXPECT_THAT(said.settings, ElementsAre(Pair("hostname", "web1"),
                                         Pair("file", std::string("0600 /etc/app/config\0a=1\nb=2\n", 29)),
                                         Pair("file", std::string("644 /srv/data\0hello\0world", 25)),
                                         Pair("env", "A=b"), Pair("env", "C=d e"), Pair("user", "33:33")));
  EXPECT_THAT(said.ignored, ElementsAre("packages", "write_files: /srv/other (gz+b64)"));
}

TEST(CloudConfig, ScriptsAreNotRun) {
  CloudSettings said;
  add_user_data("#!/bin/sh\nreboot\n", said);
  EXPECT_THAT(said.settings, IsEmpty());
  EXPECT_THAT(said.ignored, ElementsAre("user data that do not begin with #cloud-config"));
}

TEST(CloudConfig, MetaDataHasTheName) {
  CloudSettings said;
  add_meta_data("instance-id: i-1\nlocal-hostname: db.internal\n", said);
  EXPECT_THAT(said.settings, ElementsAre(Pair("hostname", "db")));
}

TEST(CloudConfig, NetworkOfVersion2) {
  CloudSettings said;
  add_network_config("version: 2\n"
                     "ethernets:\n"
                     "  eth0:\n"
                     "    match: {macaddress: '52:54:00:12:34:56'}\n"
                     "    addresses: [10.1.0.5/24, \"fd00::5/64\"]\n"
                     "    routes:\n"
                     "    - to: default\n"
                     "      via: 10.1.0.1\n"
                     "    nameservers:\n"
                     "      addresses: [10.1.0.2]\n"
                     "      search: [example.org]\n"
                     "    mtu: 1400\n"
                     "  eth1:\n"
                     "    dhcp4: true\n",
                     said);
  EXPECT_THAT(said.settings, ElementsAre(Pair("address", "10.1.0.5/24"), Pair("address", "fd00::5/64"),
                                         Pair("gateway", "10.1.0.1"), Pair("dns", "10.1.0.2"),
                                         Pair("search", "example.org"), Pair("mtu", "1400")));
  EXPECT_THAT(said.ignored, ElementsAre("network-config: eth1"));
  said = {};
  add_network_config("network:\n  version: 2\n  ethernets:\n    id0:\n      dhcp4: true\n      dhcp6: true\n",
                     said);
  EXPECT_THAT(said.settings, ElementsAre(Pair("address", "dhcp"), Pair("address", "slaac")));
}

TEST(CloudConfig, NetworkOfVersion1) {
  CloudSettings said;
  add_network_config("version: 1\n"
                     "config:\n"
                     "    - type: physical\n"
                     "      name: eth0\n"
                     "      mac_address: '52:54:00:12:34:56'\n"
                     "      subnets:\n"
                     "      - type: static\n"
                     "        address: '10.1.0.5'\n"
                     "        netmask: '255.255.255.0'\n"
                     "        gateway: '10.1.0.1'\n"
                     "    - type: nameserver\n"
                     "      address:\n"
                     "      - '10.1.0.2'\n"
                     "      search:\n"
                     "      - 'local'\n",
                     said);
  EXPECT_THAT(said.settings, ElementsAre(Pair("address", "10.1.0.5/24"), Pair("gateway", "10.1.0.1"),
                                         Pair("dns", "10.1.0.2"), Pair("search", "local")));
}

TEST(HttpGet, TakesWholeAnswersOfStatus200) {
  EXPECT_EQ(http_body("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and more"), "hello");
  EXPECT_EQ(http_body("HTTP/1.0 200 OK\r\nServer: x\r\n\r\nall of it"), "all of it");
  EXPECT_EQ(http_body("HTTP/1.1 200 OK\r\nCONTENT-LENGTH: 50\r\n\r\ncut off"), std::nullopt);
  EXPECT_EQ(http_body("HTTP/1.1 404 Not Found\r\n\r\nhello"), std::nullopt);
  EXPECT_EQ(http_body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), std::nullopt);
  EXPECT_EQ(http_body("HTTP/1.1 200 OK\r\n"), std::nullopt);
  EXPECT_EQ(http_body(""), std::nullopt);
}

} // namespace
} // namespace ukl::init
