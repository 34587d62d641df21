// SPDX-License-Identifier: GPL-2.0-only
// Debian packages as sources: what their files, units and scripts say.
#include "contents/file_view.hpp"
#include "sample_layout.hpp"
#include "sources/apt.hpp"
#include "sources/deb.hpp"
#include "sources/maintainer_script.hpp"
#include "sources/package_archive.hpp"
#include "sources/system_users.hpp"
#include "sources/tree_setup.hpp"
#include "sources/unit_file.hpp"

#include <algorithm>

namespace ukl {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;
using Commands = std::vector<Words>;

// A .deb file: an archive of archives.
std::string make_package(const std::vector<TarEntry>& control, const std::vector<TarEntry>& files) {
  std::string bytes = "!<arch>\n";
  const auto add = [&](const std::string& name, const std::string& contents) {
    bytes += fmt::format("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", name, 0, 0, 0, 100644, contents.size()) +
             contents;
    if (contents.size() % 2)
      bytes += '\n';
  };
  add("debian-binary", "2.0\n");
  add("control.tar.gz", make_tar(control, "gzip"));
  add("data.tar.zst", make_tar(files, "zstd"));
  return bytes;
}

TEST(MaintainerScript, SimpleCommandsWithTheirVariables) {
  const auto commands = plain_commands(R"(#!/bin/sh
set -e
USER="memcache"   # a comment
GROUP=$USER
if ! getent group $GROUP > /dev/null; then
  addgroup --system $GROUP >/dev/null
fi
adduser \
  --system --gecos "The ${USER}'s" \
  "$USER" > /dev/null 2>&1 || true
chown $(id -u) /somewhere
chown "$UNKNOWN" /somewhere
chmod 0750 /var/lib/x; mkdir -p '/a b'
HOST=`hostname` touch /file
)");
  EXPECT_EQ(commands, (Commands{{"set", "-e"},
                                {"getent", "group", "memcache"},
                                {"addgroup", "--system", "memcache"},
                                {"fi"},
                                {"adduser", "--system", "--gecos", "The memcache's", "memcache"},
                                {"true"},
                                {"/somewhere"},
                                {"chmod", "0750", "/var/lib/x"},
                                {"mkdir", "-p", "/a b"},
                                {"touch", "/file"}}));
  // Ends of text in the middle of things.
  for (const char* text : {"", "\"", "'", "$", "${", "\\", "a=$(", "x \\\n"})
    (void)plain_commands(text);
}

TEST(MaintainerScript, ADollarSignMayBeNoVariable) {
  EXPECT_EQ(plain_commands("grep -q \"^${USER}$\" && x\nA=b; echo \"$A$\" 'c'$ $? $\n"
                           "adduser --system \"d\"\n"),
            (Commands{{"x"}, {"adduser", "--system", "d"}}));
  EXPECT_EQ(plain_commands("A=b; echo \"$A$\" $"), (Commands{{"echo", "b$", "$"}}));
}

TEST(MaintainerScript, LoopsOverPlainWords) {
  EXPECT_EQ(plain_commands(R"(
worker=vcache
for user in $worker log; do
    for folder in /a \
        /b ; do
        mkdir $folder/$user
    done
done
echo $user
for file in $(ls) ; do touch $file x; done
for file in "$@"
do
  chmod 600 $file; true
done
done
)"),
            (Commands{{"mkdir", "/a/vcache"},
                      {"mkdir", "/b/vcache"},
                      {"mkdir", "/a/log"},
                      {"mkdir", "/b/log"},
                      {"echo", "log"},
                      {"true"}}));
  // Loops without an end, and more rounds than anybody waits for.
  (void)plain_commands("for a in b c; do x");
  std::string deep;
  for (int level = 0; level < 30; ++level)
    deep += "for a" + std::to_string(level) + " in 1 2 3 4 5 6 7 8 9; do\n";
  for (int level = 0; level < 30; ++level)
    deep += "x\ndone\n";
  // A MiB is read again at most, in rounds of at least these many bytes.
  EXPECT_LE(plain_commands(deep).size(), (1U << 20) / std::string("x\ndone\n").size());
}

class UsersTest : public testing::Test {
protected:
  void run(const Words& command) {
    std::optional<SystemUser> home;
    EXPECT_TRUE(users_.run(command, home));
    home_ = home ? home->home : "";
  }
  SystemUsers users_{
      "root:*:0:0:root:/root:/bin/bash\nwww-data:*:33:33:www-data:/var/www:/usr/sbin/nologin\n",
      "root:*:0:\nadm:*:4:\nwww-data:*:33:\nnogroup:*:65534:\n"};
  std::string home_;
};

TEST_F(UsersTest, SystemUsersAsDebianMakesThem) {
  run({"addgroup", "--system", "memcache"});
  run({"adduser", "--system", "--disabled-login", "--ingroup", "memcache", "--home", "/nonexistent",
       "--no-create-home", "--gecos", "Mem:cached", "--shell", "/bin/false", "memcache"});
  EXPECT_EQ(home_, "");
  run({"/usr/sbin/adduser", "--quiet", "--system", "--group", "--home=/var/lib/redis", "redis"});
  EXPECT_EQ(home_, "/var/lib/redis");
  run({"adduser", "--system", "alone"});
  run({"useradd", "-r", "-M", "-d", "/srv/x", "-s", "/bin/sh", "-u", "321", "-G", "adm", "extra"});
  run({"adduser", "redis", "adm"});
  // Who is there already stays as he is.
  run({"adduser", "--system", "--home", "/elsewhere", "www-data"});
  EXPECT_EQ(users_.passwd(), "root:x:0:0:root:/root:/bin/bash\n"
                             "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
                             "memcache:x:100:100:Memcached:/nonexistent:/bin/false\n"
                             "redis:x:101:101::/var/lib/redis:/usr/sbin/nologin\n"
                             "alone:x:102:65534::/nonexistent:/usr/sbin/nologin\n"
                             "extra:x:321:102::/srv/x:/bin/sh\n");
  EXPECT_NE(users_.group().find("adm:x:4:extra,redis\n"), std::string::npos) << users_.group();
}

TEST_F(UsersTest, NamesThatAreNoneAreNotAdded) {
  run({"adduser", "--system", "a:b"});
  run({"adduser", "--system", "x\ny:x:0:0::/:/bin/sh"});
  run({"adduser"});
  users_.read_sysusers("u \"bad name\" - -\nu\n");
  EXPECT_EQ(users_.passwd().find("bad"), std::string::npos);
  EXPECT_EQ(users_.passwd().find("a:b"), std::string::npos);
  EXPECT_EQ(std::ranges::count(users_.passwd(), '\n'), 2);
}

TEST_F(UsersTest, Sysusers) {
  users_.read_sysusers(
      "# comment\ng messages 55 -\nu bus - \"The Bus\" /run/bus\nu fixed 77:adm - - /bin/sh\nm bus adm\n");
  EXPECT_EQ(users_.find_group("messages"), 55u);
  EXPECT_EQ(users_.find_user("bus")->home, "/run/bus");
  EXPECT_EQ(users_.find_user("bus")->comment, "The Bus");
  EXPECT_EQ(users_.find_user("fixed")->user, 77u);
  EXPECT_EQ(users_.find_user("fixed")->group, 4u);
  EXPECT_NE(users_.group().find("adm:x:4:bus\n"), std::string::npos);
}

TEST_F(UsersTest, FilesAndFolders) {
  RootTree tree;
  ASSERT_TRUE(tree.add("/etc/x.conf", text_entry("1")));
  ASSERT_TRUE(tree.add("/var/lib/x/data", text_entry("2")));
  for (const Words& command :
       {Words{"chown", "-R", "www-data:adm", "/var/lib/x"}, Words{"chmod", "640", "/etc/x.conf"},
        Words{"dpkg-statoverride", "--update", "--add", "root", "adm", "0600", "/etc/x.conf"},
        Words{"mkdir", "-p", "/var/log/x"}, Words{"install", "-d", "-o", "www-data", "-m", "700", "/srv/x"},
        Words{"ln", "-s", "/etc/x.conf", "/etc/link"}, Words{"touch", "/var/log/x/log"},
        Words{"cp", "/etc/x.conf", "/etc/copy"}, Words{"chown", "www-data", "/var/log/*"},
        Words{"update-alternatives", "--install", "/usr/bin/awk", "awk", "/usr/bin/mawk", "5"},
        Words{"rm", "-rf", "/etc"}, Words{"chown", "x", "relative"}, Words{"chown"},
        Words{"chmod", "-R", "777", "/"}})
    set_up(tree, users_, command);
  EXPECT_EQ(tree.find("/var/lib/x/data")->owner, 33u);
  EXPECT_EQ(tree.find("/var/lib/x")->group, 4u);
  EXPECT_EQ(tree.find("/etc/x.conf")->mode, 0600u);
  EXPECT_EQ(tree.find("/etc/x.conf")->group, 4u);
  EXPECT_EQ(tree.find("/srv/x")->owner, 33u);
  EXPECT_EQ(tree.find("/srv/x")->mode, 0700u);
  EXPECT_EQ(text_in_tree(tree, "/etc/link"), "1");
  EXPECT_EQ(text_in_tree(tree, "/etc/copy"), "1");
  EXPECT_NE(tree.find("/var/log/x/log"), nullptr);
  EXPECT_EQ(tree.find_name("/usr/bin/awk")->target, "/etc/alternatives/awk");
  set_up_temporary_files(
      tree, users_,
      "d /run/x 2755 www-data adm - -\n# no\nL /run/link - - - - ../x\nf /run/f 0600 - - - text\n"
      "d /run/%u 0755\nz /etc 0777\n");
  EXPECT_EQ(tree.find("/run/x")->mode, 02755u);
  EXPECT_EQ(tree.find("/run/x")->owner, 33u);
  EXPECT_EQ(tree.find_name("/run/link")->target, "../x");
  EXPECT_EQ(text_in_tree(tree, "/run/f"), "text");
  set_up(tree, users_, {"install", "-m", "0600", "/dev/null", "/etc/secret"});
  set_up(tree, users_, {"install", "/etc/x.conf", "/etc/installed"});
  EXPECT_EQ(tree.find("/etc/secret")->mode, 0600U);
  EXPECT_EQ(text_in_tree(tree, "/etc/installed"), "1");
}

TEST_F(UsersTest, ConfigurationFromWhatAPackageHasOfThatName) {
  RootTree tree;
  const auto package = std::make_shared<Package>();
  package->name = "x";
  const auto add = [&](const std::string& path, const std::string& text, bool of_package = true) {
    auto entry = text_entry(text);
    if (of_package)
      entry.package = package;
    ASSERT_TRUE(tree.add(path, entry));
  };
  add("/usr/share/x/x.conf", "usual");
  add("/usr/share/x/two.conf", "1");
  add("/usr/share/x/more/two.conf", "2");
  add("/usr/share/other/foreign.conf", "3", false);
  add("/usr/share/x/there.conf", "4");
  add("/etc/x/there.conf", "mine");
  set_up_configuration(
      tree,
      "new=$(mktemp); cp /usr/share/x/x.conf $new\nucf $new '/etc/x/x.conf'; test -e /etc/x/two.conf "
      "/etc/x/foreign.conf /etc/x/there.conf /etc/ /etc/x/../../x.conf a/etc/y/x.conf\n",
      "x");
  EXPECT_EQ(text_in_tree(tree, "/etc/x/x.conf"), "usual");
  EXPECT_EQ(tree.find("/etc/x/two.conf"), nullptr);
  EXPECT_EQ(tree.find("/etc/x/foreign.conf"), nullptr);
  EXPECT_EQ(tree.find("/etc/y/x.conf"), nullptr);
  EXPECT_EQ(text_in_tree(tree, "/etc/x/there.conf"), "mine");
  // One that is there as an example, and not what a tool has by that name.
  add("/usr/share/lintian/overrides/y", "x: no-manual-page");
  add("/usr/share/x/y.example", "usual");
  set_up_configuration(tree, "cat $T > /etc/default/y", "x");
  EXPECT_EQ(text_in_tree(tree, "/etc/default/y"), "usual");
  // One whose name only the script's variables give, and which the script changes first.
  set_up_configuration(
      tree, "F=/etc/made\nfilter < /usr/share/x/x.conf > $F/x.conf.tmp\nucf $F/x.conf.tmp $F/x.conf\n", "x");
  EXPECT_EQ(text_in_tree(tree, "/etc/made/x.conf"), "usual");
}

TEST_F(UsersTest, OwnersOfAllThatAShellWouldName) {
  RootTree tree;
  for (const auto* path : {"/etc/irc/a.conf", "/etc/irc/b.conf", "/etc/other"})
    ASSERT_TRUE(tree.add(path, text_entry("")));
  set_up(tree, users_, {"chown", "5:6", "/etc/irc/", "/etc/irc/*.conf", "/etc/none/*"});
  EXPECT_EQ(tree.find("/etc/irc")->owner, 5U);
  EXPECT_EQ(tree.find("/etc/irc/b.conf")->group, 6U);
  EXPECT_EQ(tree.find("/etc/other")->owner, 0U);
}

TEST_F(UsersTest, ConfigurationIsOffered) {
  RootTree tree;
  ASSERT_TRUE(tree.add("/usr/share/mail/conf.d/10-a.conf", text_entry("a")));
  ASSERT_TRUE(tree.add("/etc/mail/b.conf", text_entry("mine")));
  ASSERT_TRUE(tree.add("/usr/share/mail/b.conf", text_entry("b")));
  for (const auto& command : plain_commands("for f in conf.d/10-a.conf b.conf none.conf; do\n"
                                            "ucf --three-way --debconf-ok \"/usr/share/mail/$f\" "
                                            "\"/etc/mail/$f\"\ndone\nucf --purge /etc/x\n"))
    set_up(tree, users_, command);
  EXPECT_EQ(text_in_tree(tree, "/etc/mail/conf.d/10-a.conf"), "a");
  EXPECT_EQ(text_in_tree(tree, "/etc/mail/b.conf"), "mine");
  EXPECT_EQ(tree.find("/etc/mail/none.conf"), nullptr);
}

TEST_F(UsersTest, ApachesModulesSitesAndSettings) {
  RootTree tree;
  const std::string folder = "/etc/apache2/";
  for (const auto& [path, text] : {std::pair("mods-available/dir.load", ""),
                                   {"mods-available/dir.conf", ""},
                                   {"mods-available/auth.load", "# Depends: core dir auth\nLoadModule x\n"},
                                   {"mods-available/core.load", ""},
                                   {"mods-available/mpm_event.load", ""},
                                   {"mods-available/mpm_prefork.load", ""},
                                   {"sites-available/000-default.conf", ""},
                                   {"conf-available/security.conf", ""}})
    ASSERT_TRUE(tree.add(folder + path, text_entry(text)));
  for (const Words& command :
       {Words{"a2enmod", "-m", "-q", "mpm_event"}, Words{"a2enmod", "auth", "../x", "none"},
        Words{"a2ensite", "-q", "000-default"}, Words{"apache2_invoke", "enconf", "security"},
        Words{"a2enmod", "mpm_prefork"}})
    EXPECT_TRUE(set_up(tree, users_, command));
  EXPECT_EQ(tree.find_name(folder + "mods-enabled/dir.conf")->target, "../mods-available/dir.conf");
  for (const auto* there : {"mods-enabled/auth.load", "mods-enabled/core.load", "mods-enabled/mpm_event.load",
                            "sites-enabled/000-default.conf", "conf-enabled/security.conf"})
    EXPECT_NE(tree.find(folder + there), nullptr) << there;
  EXPECT_EQ(tree.find(folder + "mods-enabled/mpm_prefork.load"), nullptr);
  set_up(tree, users_, {"apache2_switch_mpm", "prefork", "quiet"});
  EXPECT_NE(tree.find(folder + "mods-enabled/mpm_prefork.load"), nullptr);
  EXPECT_EQ(tree.find_name(folder + "mods-enabled/mpm_event.load"), nullptr);
}

TEST(UnitFile, TheServiceAndItsSurroundings) {
  const auto unit =
      read_unit_file(R"([Unit]
ExecStart=/not/this
[Service]
Type=forking
Environment=A=1 "B=two words"
EnvironmentFile=-/etc/default/x
EnvironmentFile=-/etc/none
ExecStartPre=/bin/mkdir /x
ExecStart=-@/usr/bin/x shown --name "%p %%" \
  $OPTIONS ${A}${NONE} '$$'
User=web
Group=adm
WorkingDirectory=/srv
AmbientCapabilities=CAP_NET_BIND_SERVICE CAP_X
RuntimeDirectory=x y/z
RuntimeDirectoryMode=2750
StateDirectory=%N
[Install]
ExecStart=/nor/this
)",
                     "x@i", [](const std::string& path) {
                       return path == "/etc/default/x"
                                  ? std::optional<std::string>("# c\nOPTIONS=\"-a -b\"\nbad line\n")
                                  : std::nullopt;
                     });
  EXPECT_EQ(unit.command, (Words{"/usr/bin/x", "--name", "x %", "-a", "-b", "1", "$"}));
  EXPECT_EQ(unit.environment, (Words{"A=1", "B=two words", "OPTIONS=-a -b"}));
  EXPECT_EQ(unit.user, "web");
  EXPECT_EQ(unit.group, "adm");
  EXPECT_EQ(unit.directory, "/srv");
  EXPECT_TRUE(unit.forks);
  EXPECT_TRUE(unit.low_ports);
  EXPECT_FALSE(unit.has_more_steps);
  EXPECT_EQ(unit.before, (Commands{{"/bin/mkdir", "/x"}}));
  const std::vector<std::pair<std::string, unsigned>> folders = {
      {"/run/x", 02750}, {"/run/y/z", 02750}, {"/var/lib/x@i", 0755}};
  EXPECT_EQ(unit.folders, folders);
  EXPECT_FALSE(unit.as_root);
  for (const auto* before : {"+", "!", "-!!"})
    EXPECT_TRUE(read_unit_file(std::string("[Service]\nUser=web\nExecStart=") + before + "/a\n", "x",
                               [](const auto&) { return std::nullopt; })
                    .as_root)
        << before;
  EXPECT_TRUE(read_unit_file("[Service]\nExecStart=/a\nExecStart=\n", "x", [](const auto&) {
                return std::nullopt;
              }).command.empty());
}

TEST(Apt, WhatItPrints) {
  const std::string digest(64, 'a');
  const auto packages =
      read_uris("Reading\n'http://x/a_1%3a2_amd64.deb' a_1%3a2-3_amd64.deb 100 SHA256:" + digest +
                "\n'file:/x/b.deb' b_1_all.deb 1 \n'x' c_1_all.deb 1 SHA256:../..\n");
  ASSERT_EQ(packages.size(), 1u);
  EXPECT_EQ(packages[0].name, "a");
  EXPECT_EQ(packages[0].version, "1:2-3");
  EXPECT_EQ(packages[0].file, "a_1%3a2-3_amd64.deb");
}

class PackageTest : public SourceTest {};

TEST_F(PackageTest, ItsFilesAndScripts) {
  const auto bytes = make_package({{"./control", "Package: sample\nVersion: 1\n"},
                                   {"./postinst", "adduser --system sample\n"},
                                   {"./../../outside", ""},
                                   {"./md5sums", "x"}},
                                  {{"./usr/bin/sample", "x", '-', 0755}});
  write_bytes(at("bad.deb"), bytes);
  expect_error(store_package(digest_of(bytes), at("bad.deb"), "bad.deb", silent_reporter()),
               Failure::unreadable, "leads out");
  const auto good = make_package({{"./control", "Package: sample\nVersion: 1\n"},
                                  {"./postinst", "adduser --system sample\n"},
                                  {"./md5sums", "x"}},
                                 {{"./usr/bin/sample", "x", '-', 0755}});
  write_bytes(at("good.deb"), good);
  const auto package = store_package(digest_of(good), at("good.deb"), "good.deb", silent_reporter());
  ASSERT_TRUE(package) << package.error().message;
  EXPECT_EQ(package->name, "sample");
  EXPECT_EQ(package->after, "adduser --system sample\n");
  ASSERT_EQ(package->layer.entries.size(), 1u);
  EXPECT_EQ(package->layer.entries[0].path, "/usr/bin/sample");
  expect_error(store_package(std::string(64, '0'), at("good.deb"), "good.deb", silent_reporter()),
               Failure::unreadable, "not what it was announced as");
  write_bytes(at("no.deb"), "text");
  expect_error(store_package(digest_of("text"), at("no.deb"), "no.deb", silent_reporter()),
               Failure::unreadable, "no.deb");
}

TEST_F(PackageTest, NamesThatAptCouldTakeForSomethingElse) {
  for (const char* name : {"-oDpkg::x", "a b", "x+", "x-", "name=", "*", "", "Upper"})
    expect_error(open_packages({name}, silent_reporter()), Failure::usage, "no name of a Debian package");
  expect_error(open_packages({"./none.deb"}, silent_reporter()), Failure::not_found, "none.deb");
}

// An apt of the test's own, that knows two packages and has them in a folder.
class AptTest : public PackageTest {
protected:
  void SetUp() override {
    PackageTest::SetUp();
    const auto library = make_package({{"control", "Package: libsample\n"}}, {{"./lib/libsample.so", "l"}});
    const auto program = make_package(
        {{"control", "Package: sample\n"},
         {"postinst",
          "adduser --system --group --home /var/lib/sample sample\nchown sample: /etc/sample.conf\n"}},
        {{"./usr/sbin/sample", "p", '-', 0755},
         {"./usr/bin/sample-tool", "t", '-', 0755},
         {"./etc/sample.conf", "c"},
         {"./usr/share/doc/sample/README", "r"},
         {"./lib/systemd/system/sample.service",
          "[Service]\nExecStart=/usr/sbin/sample -c "
          "/etc/sample.conf\nUser=sample\nRuntimeDirectory=sample\n"}});
    write_bytes(at("archive/libsample_1_amd64.deb"), library);
    write_bytes(at("archive/sample_2%3a1_amd64.deb"), program);
    const auto line = [](const std::string& file, const std::string& bytes) {
      return fmt::format("'http://x/{}' {} {} SHA256:{}\n", file, file, bytes.size(), digest_of(bytes));
    };
    write_bytes(at("uris"), line("libsample_1_amd64.deb", library) + line("sample_2%3a1_amd64.deb", program));
    write_bytes(at("bin/apt-get"), fmt::format(R"(#!/bin/sh
echo "$@" >> {0}/called
case $1 in
update) test -e {0}/offline && echo 'E: no network' && exit 100; exit 0 ;;
install) case $* in *nothing*) echo 'E: Unable to locate package nothing'; exit 100 ;; esac; cat {0}/uris ;;
download) cp {0}/archive/* . ;;
esac
)",
                                               at("").string()));
    write_bytes(at("bin/apt-config"),
                "#!/bin/sh\necho 'Acquire::http::Proxy \"http://proxy\";'\necho 'DPkg::Hook \"x\";'\n");
    for (const char* tool : {"bin/apt-get", "bin/apt-config"})
      fs::permissions(at(tool), fs::perms::owner_all);
    path_ = getenv("PATH");
    setenv("PATH", (at("bin").string() + ":" + path_).c_str(), 1);
  }
  void TearDown() override {
    setenv("PATH", path_.c_str(), 1);
    PackageTest::TearDown();
  }
  std::string path_;
};

TEST_F(AptTest, APackageWithAUnit) {
  for (int i = 0; i < 2; ++i) {
    const auto source = open_sources({"deb:sample"}, silent_reporter());
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_EQ(source->name, "sample");
    EXPECT_EQ(source->entrypoint, (Words{"/usr/sbin/sample"}));
    EXPECT_EQ(source->arguments, (Words{"-c", "/etc/sample.conf"}));
    EXPECT_EQ(source->environment, (Words{"HOME=/var/lib/sample"}));
    EXPECT_TRUE(source->tree.entries().contains("/usr/lib/libsample.so"));
    EXPECT_EQ(source->tree.find("/usr/share/doc"), nullptr);
    const auto* run = source->tree.find("/run/sample");
    ASSERT_NE(run, nullptr);
    EXPECT_NE(run->owner, 0u);
    EXPECT_EQ(source->user, fmt::format("{}:{}", run->owner, run->group));
    EXPECT_EQ(source->tree.find("/etc/sample.conf")->owner, run->owner);
    EXPECT_EQ(source->tree.find("/var/lib/sample")->owner, run->owner);
    EXPECT_NE(text_in_tree(source->tree, "/etc/passwd")->find("sample:x:"), std::string::npos);
  }
  // The second time nobody asks apt.
  EXPECT_EQ(std::ranges::count(*read_text(at("called")), '\n'), 3);
  const auto configuration = *read_text(at("cache/apt/conf"));
  EXPECT_NE(configuration.find("Acquire::http::Proxy \"http://proxy\";"), std::string::npos);
  EXPECT_EQ(configuration.find("Hook"), std::string::npos);
  EXPECT_NE(read_text(at("cache/apt/status"))->find("Package: adduser\n"), std::string::npos);
}

TEST_F(AptTest, AUnitByItsAliasAndAScriptOfTheShell) {
  const auto package =
      make_package({{"control", "Package: other\n"}},
                   {{"./usr/sbin/start", "#! /bin/sh -e\n", '-', 0755},
                    {"./lib/systemd/system/a.service", "[Service]\nExecStart=/bin/false\n"},
                    {"./lib/systemd/system/b.service", "[Service]\nExecStart=/usr/sbin/start\n"
                                                       "[Install]\nAlias=some.service other.service\n"}});
  write_bytes(at("other.deb"), package);
  const auto source = open_sources({"deb:" + at("other.deb").string()}, silent_reporter());
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->entrypoint, (Words{"/usr/sbin/start"}));
  EXPECT_NE(read_text(at("called"))->find(" dash"), std::string::npos);
  EXPECT_NE(source->notes.back().find("needs a shell"), std::string::npos);
}

TEST_F(AptTest, AUnitThatStartsTheShellItself) {
  write_bytes(at("shell.deb"),
              make_package({{"control", "Package: shell\n"}},
                           {{"./lib/systemd/system/shell.service",
                             "[Service]\nType=forking\nUser=games\nExecStart=!/bin/bash -c 'exec x'\n"}}));
  const auto source = open_sources({"deb:" + at("shell.deb").string()}, silent_reporter());
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->entrypoint, (Words{"/bin/bash"}));
  EXPECT_NE(read_text(at("called"))->find(" bash"), std::string::npos);
  EXPECT_TRUE(source->background);
  EXPECT_TRUE(source->user.empty());
}

TEST_F(AptTest, AUnitThatStartsNothing) {
  write_bytes(at("other.deb"),
              make_package({{"control", "Package: other\n"}},
                           {{"./usr/bin/other", "p", '-', 0755},
                            {"./lib/systemd/system/other.service", "[Service]\nExecStart=/bin/true\n"}}));
  const auto source = open_sources({"deb:" + at("other.deb").string()}, silent_reporter());
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->entrypoint, (Words{"/usr/bin/other"}));
}

TEST_F(AptTest, ADamagedCacheIsMadeAnew) {
  ASSERT_TRUE(open_sources({"deb:sample"}, silent_reporter()));
  for (const auto& layer : fs::directory_iterator(at("cache/layers")))
    fs::resize_file(layer.path() / "0", 0);
  const auto source = open_sources({"deb:sample"}, silent_reporter());
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(text_in_tree(source->tree, "/usr/lib/libsample.so"), "l");
}

TEST_F(AptTest, WhatAptDoesNotKnow) {
  expect_error(open_sources({"deb:nothing"}, silent_reporter()), Failure::not_found, "Unable to locate");
}

TEST_F(AptTest, WithoutANetworkItGoesOnWithWhatAptKnows) {
  write_bytes(at("offline"), "");
  expect_error(open_sources({"deb:sample"}, silent_reporter()), Failure::unreadable, "no network");
  write_bytes(at("cache/apt/lists/deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages"), "");
  EXPECT_TRUE(open_sources({"deb:sample"}, silent_reporter()));
}

TEST_F(AptTest, AChangedPackageIsRefused) {
  write_bytes(at("archive/libsample_1_amd64.deb"),
              make_package({{"control", "Package: libsample\n"}}, {{"x", "x"}}));
  expect_error(open_sources({"deb:sample"}, silent_reporter()), Failure::unreadable,
               "not what it was announced as");
}

TEST_F(AptTest, AFileAndWhatItNeeds) {
  const auto own = make_package({{"control", "Package: own\nDepends: sample\n"}},
                                {{"./usr/bin/one", "", '-', 0755}, {"./usr/bin/two", "", '-', 0755}});
  write_bytes(at("own.deb"), own);
  const auto source = open_sources({"deb:" + at("own.deb").string(), "deb:sample"}, silent_reporter());
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->name, "own");
  EXPECT_EQ(source->notes[0].substr(0, 35), "3 packages: libsample, sample, own;");
  // One that the archive has, too.
  const auto other = make_package({{"control", "Package: libsample\n"}}, {{"./lib/libsample.so", "other"}});
  write_bytes(at("other.deb"), other);
  const auto changed = open_sources({"deb:sample", "deb:" + at("other.deb").string()}, silent_reporter());
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_EQ(text_in_tree(changed->tree, "/usr/lib/libsample.so"), "other");
  EXPECT_EQ(changed->notes[0].substr(0, 30), "2 packages: sample, libsample;");
  EXPECT_TRUE(source->entrypoint.empty());
  EXPECT_EQ(source->no_program, "choose one with --entrypoint: /usr/bin/one, /usr/bin/two");
  EXPECT_NE(source->tree.find("/usr/sbin/sample"), nullptr);
}

TEST_F(AptTest, AProgramThatHasItsNameFromAlternatives) {
  const auto own =
      make_package({{"control", "Package: prolog-small\n"},
                    {"postinst", "#!/bin/sh\nupdate-alternatives --install /usr/bin/prolog prolog "
                                 "/usr/lib/small/prolog 10\n"}},
                   {{"./usr/lib/small/prolog", "", '-', 0755}});
  write_bytes(at("own.deb"), own);
  const auto source = open_sources({"deb:" + at("own.deb").string()}, silent_reporter());
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->entrypoint, (Words{"/usr/bin/prolog"}));
}

// Also where the licence lies in another package's folder, and although documentation is left out.
TEST_F(AptTest, FilesSayOfWhichPackageTheyAre) {
  const std::string copyright =
      "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
      "Files: *\nCopyright: nobody\nLicense: Expat\n";
  write_bytes(
      at("own.deb"),
      make_package({{"control", "Package: own\nVersion: 2:1-1\nArchitecture: amd64\nSource: origin (1)\n"}},
                   {{"./usr/bin/own", "", '-', 0755},
                    {"./usr/share/doc/origin/copyright", copyright},
                    {"./usr/share/doc/own", "origin", 'l'}}));
  const auto source = open_sources({"deb:" + at("own.deb").string()}, silent_reporter());
  ASSERT_TRUE(source) << source.error().message;
  const auto package = source->tree.find("/usr/bin/own")->package;
  ASSERT_TRUE(package);
  EXPECT_EQ(package->name + " " + package->version + " " + package->architecture, "own 2:1-1 amd64");
  EXPECT_EQ(package->source, "origin");
  EXPECT_EQ(package->licence, "MIT");
  ASSERT_TRUE(source->tree.find("/usr/lib/libsample.so")->package);
  EXPECT_EQ(source->tree.find("/usr/lib/libsample.so")->package->name, "libsample");
  EXPECT_EQ(source->tree.find("/etc/passwd")->package, nullptr);
  EXPECT_EQ(source->tree.find("/usr/share/doc"), nullptr);
}

TEST_F(AptTest, WithoutApt) {
  setenv("PATH", at("nowhere").c_str(), 1);
  expect_error(open_sources({"deb:sample"}, silent_reporter()), Failure::missing_tool, "apt-get");
}

} // namespace
} // namespace ukl
