// SPDX-License-Identifier: GPL-2.0-only
// The bill of materials of an image: whose its files are, under which licences, and how it is written down.
#include "contents/control_file.hpp"
#include "contents/debian_copyright.hpp"
#include "contents/package_database.hpp"
#include "image/bill.hpp"
#include "image/pack.hpp"
#include "image/payload_read.hpp"
#include "image/sbom.hpp"
#include "sample_files.hpp"
#include "sources/source.hpp"

#include <algorithm>
#include <cstdlib>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

TEST(ControlFile, ParagraphsFieldsAndFurtherLines) {
  std::vector<ControlParagraph> all;
  const auto collect = [&](const ControlParagraph& one) { all.push_back(one); };
  EXPECT_TRUE(
      read_control_file("\n\nPackage: a\nDescription: short\n long\n .\n\t end\n# comment\nX-Y:z\r\n \n"
                        "package: b\n",
                        collect));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(field_of(all[0], "description"), "short\nlong\n.\nend");
  EXPECT_EQ(field_of(all[0], "x-y"), "z");
  EXPECT_EQ(field_of(all[1], "package"), "b");
  EXPECT_EQ(field_of(all[1], "nothing"), "");
  for (const char* damaged : {" begins with more\n", "no field\n", "two words: x\n", ": x\n", "\x01:x\n"})
    EXPECT_FALSE(read_control_file(damaged, collect)) << damaged;
  EXPECT_EQ(all.size(), 2u);
  EXPECT_TRUE(read_control_file("", collect));
}

TEST(DebianCopyright, NamesAsSpdxHasThem) {
  for (const auto& [debian, spdx] : std::map<std::string, std::string>{
           {"GPL-2", "GPL-2.0-only"},
           {"GPL-2+", "GPL-2.0-or-later"},
           {"LGPL-2.1+", "LGPL-2.1-or-later"},
           {"AGPL-3.0", "AGPL-3.0-only"},
           {"Expat", "MIT"},
           {"bsd-3-CLAUSE", "BSD-3-Clause"},
           {"public-domain", "LicenseRef-public-domain"},
           {"GPL-9", "LicenseRef-debian-GPL-9"},
           {"So$me/thing+", "LicenseRef-debian-So-me-thing-or-later"},
           {"GPL-2+ or Artistic", "GPL-2.0-or-later OR Artistic-1.0-Perl"},
           {"GPL-2 | MIT", "GPL-2.0-only OR MIT"},
           {"GPL-2+ or Artistic-2.0, and BSD-3-clause",
            "(GPL-2.0-or-later OR Artistic-2.0) AND BSD-3-Clause"},
           {"ISC, MIT", "ISC AND MIT"},
           {"GPL-3+ with GCC exception", "GPL-3.0-or-later WITH GCC-exception-3.1"},
           {"GPL-2+ with OpenSSL exception", "LicenseRef-debian-GPL-2-or-later-with-OpenSSL-exception"}})
    EXPECT_EQ(spdx_licence(debian), spdx) << debian;
  for (const auto& none : {std::string(), std::string("and"), std::string("GPL-2 and"), std::string(", MIT"),
                           std::string("MIT or or ISC"), std::string(5000, 'x'), std::string(200, 'x')})
    EXPECT_EQ(spdx_licence(none), kNoAssertion) << none.substr(0, 20);
}

constexpr const char* kFormat =
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n";

TEST(DebianCopyright, AllFilesCountEachLicenceOnce) {
  EXPECT_EQ(licence_of_copyright(std::string(kFormat) +
                                 "Upstream-Name: x\n\n"
                                 "Files: *\nCopyright: somebody\nLicense: GPL-2+\n text\n"
                                 " License: MIT\n .\n more\n\n"
                                 "Files: a\nLicense: GPL-2+ and ISC\n\n"
                                 "Files: b\nLicense: MIT or Zlib\n\n"
                                 "License: GPL-3\n the text of one that nothing has\n"),
            "(MIT OR Zlib) AND GPL-2.0-or-later AND ISC");
  // Where no files are named, the header speaks for all of them.
  EXPECT_EQ(licence_of_copyright(std::string(kFormat) + "License: MIT\n\nLicense: GPL-3\n text\n"), "MIT");
}

TEST(DebianCopyright, WhatIsNoneOrDamagedAssertsNothing) {
  const std::string good = std::string(kFormat) + "\nFiles: *\nLicense: MIT\n";
  ASSERT_EQ(licence_of_copyright(good), "MIT");
  for (const auto& text : {std::string(), std::string("This package is free.\n"),
                           std::string("Format: mine\n\nFiles: *\nLicense: MIT\n"), std::string(kFormat),
                           good + "a line of no field\n", good + "\nFiles: b\nCopyright: x\n",
                           good + "\nFiles: b\nLicense:\n only a text\n", good.substr(4),
                           std::string(1000, '\n') + "\xff\xfe", std::string("\0\0Format:", 9)})
    EXPECT_EQ(licence_of_copyright(text), kNoAssertion) << text;
  // Cut off anywhere it is whole or nothing, and never something else.
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto licence = licence_of_copyright(good.substr(0, size));
    EXPECT_TRUE(licence == kNoAssertion || licence == "MIT" || licence.starts_with("LicenseRef-debian-"))
        << size;
  }
}

TEST(Packages, UrlsAndWhatIsNone) {
  const Package package{"deb", "debian", "12", "libstdc++6", "1:2.0+b1~x", "amd64", "gcc-12", "MIT"};
  EXPECT_TRUE(is_package(package));
  EXPECT_EQ(package_url(package),
            "pkg:deb/debian/libstdc%2B%2B6@1:2.0%2Bb1~x?arch=amd64&distro=debian-12&upstream=gcc-12");
  for (const char* bad : {"", "../x", "a b", "a\nb", "a\x1b[31m", "\xc3\xa4", "a?b", "a@1"}) {
    auto other = package;
    other.name = bad;
    EXPECT_FALSE(is_package(other)) << bad;
    other = package;
    other.version = bad;
    EXPECT_FALSE(is_package(other)) << bad;
  }
}

// The libraries that every test program here has, under both of their names.
TEST(Packages, OfThisMachineThroughMergedFolders) {
  if (!fs::exists("/var/lib/dpkg/status"))
    GTEST_SKIP() << "this machine has no dpkg";
  const auto owners =
      owners_on_this_machine({"/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libc.so.6",
                              "/usr/lib/x86_64-linux-gnu/../x86_64-linux-gnu/libm.so.6", "/usr/bin/dpkg",
                              "/bin/sh", "/usr/local/bin/none-of-dpkg"});
  for (const char* path : {"/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libc.so.6",
                           "/usr/lib/x86_64-linux-gnu/../x86_64-linux-gnu/libm.so.6"}) {
    ASSERT_TRUE(owners.contains(path)) << path;
    EXPECT_EQ(owners.at(path)->name, "libc6");
    EXPECT_EQ(owners.at(path)->source, "glibc");
  }
  ASSERT_TRUE(owners.contains("/usr/bin/dpkg"));
  EXPECT_EQ(owners.at("/usr/bin/dpkg")->name, "dpkg");
  // As dpkg itself says it, and through a link.
  const auto asked = run_command({"dpkg-query", "-W", "-f", "${Version} ${Architecture}", "dpkg"});
  ASSERT_TRUE(asked);
  EXPECT_EQ(owners.at("/usr/bin/dpkg")->version + " " + owners.at("/usr/bin/dpkg")->architecture,
            asked->text);
  EXPECT_TRUE(owners.contains("/bin/sh"));
  EXPECT_FALSE(owners.contains("/usr/local/bin/none-of-dpkg"));
}

// A root folder with databases of its own.
class PackageDatabase : public FolderTest {
protected:
  void write(const std::string& path, const std::string& text) {
    fs::create_directories(at("root/" + path).parent_path());
    ASSERT_TRUE(write_text(at("root/" + path), text, 0755));
  }

  // The owners' names by paths in the tree.
  std::map<std::string, std::string> owners() {
    std::map<std::string, std::string> found;
    auto source = open_folder(at("root").string(), silent_reporter());
    EXPECT_TRUE(source) << source.error().message;
    if (source)
      for (const auto& [path, entry] : source->tree.entries())
        if (entry.package)
          found[path] = entry.package->name + " " + entry.package->version + " " + entry.package->licence;
    return found;
  }

  static std::string installed(const std::string& name) {
    return "Package: " + name + "\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n";
  }
};

TEST_F(PackageDatabase, DpkgWithMergeDiversionsAndSecondArchitectures) {
  write("usr/lib/x/libc.so", "x");
  write("usr/bin/tool", "x");
  write("usr/bin/tool.real", "x");
  write("usr/bin/gone", "x");
  write("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
  fs::create_directory_symlink("usr/lib", at("root/lib"));
  write("var/lib/dpkg/status", installed("libx") + installed("tool") + installed("wrapper") +
                                   "Package: old\nStatus: deinstall ok config-files\nVersion: 1\n");
  write("var/lib/dpkg/info/libx:amd64.list", "/.\n/lib\n/lib/x\n/lib/x/libc.so\n");
  write("var/lib/dpkg/info/tool.list", "/usr/bin/tool\n/usr/bin/absent\n");
  write("var/lib/dpkg/info/wrapper.list", "/usr/bin/tool\n");
  write("var/lib/dpkg/info/old.list", "/usr/bin/gone\n");
  write("var/lib/dpkg/info/unknown.list", "/etc/os-release\n");
  write("var/lib/dpkg/diversions", "/usr/bin/tool\n/usr/bin/tool.real\nwrapper\n");
  write("usr/share/doc/libx/copyright", std::string(kFormat) + "\nFiles: *\nLicense: Zlib\n");
  EXPECT_EQ(owners(), (std::map<std::string, std::string>{{"/usr/lib/x/libc.so", "libx 1 Zlib"},
                                                          {"/usr/bin/tool.real", "tool 1 NOASSERTION"},
                                                          {"/usr/bin/tool", "wrapper 1 NOASSERTION"}}));
}

TEST_F(PackageDatabase, WithoutDpkgItself) {
  write("usr/bin/tool", "x");
  write("var/lib/dpkg/status.d/tool", "Package: tool\nVersion: 2\nArchitecture: amd64\n");
  write("var/lib/dpkg/status.d/tool.md5sums", "d41d8cd98f00b204e9800998ecf8427e  usr/bin/tool\nshort\n");
  EXPECT_EQ(owners(), (std::map<std::string, std::string>{{"/usr/bin/tool", "tool 2 NOASSERTION"}}));
}

TEST_F(PackageDatabase, Apk) {
  write("bin/busybox", "x");
  write("etc/file", "x");
  write("lib/apk/db/installed",
        "C:Q1x\nP:busybox\nV:1.36-r1\nA:x86_64\nL:GPL-2.0-only AND MIT\no:busybox\nF:bin\n"
        "R:busybox\na:0:0:755\n\nP:other\nV:3\nL:custom words here\nF:etc\nR:file\nF:\nR:absent\n");
  EXPECT_EQ(owners(),
            (std::map<std::string, std::string>{{"/bin/busybox", "busybox 1.36-r1 GPL-2.0-only AND MIT"},
                                                {"/etc/file", "other 3 NOASSERTION"}}));
}

// What a stranger's image says of itself is a name in its tree at most.
TEST_F(PackageDatabase, HostileOrDamagedOnesOwnNothing) {
  write("usr/bin/tool", "x");
  write("secret", std::string(kFormat) + "\nFiles: *\nLicense: MIT\n");
  for (const char* name : {"../../../secret", "a\x1b[2J", "a b", ""}) {
    write("var/lib/dpkg/status", installed(name));
    write("var/lib/dpkg/info/a.list", "/usr/bin/tool\n");
    write("lib/apk/db/installed", std::string("P:") + name + "\nV:1\nF:usr/bin\nR:tool\n");
    EXPECT_TRUE(owners().empty()) << name;
  }
  write("lib/apk/db/installed", "P");
  write("var/lib/dpkg/status", "no field\n" + installed("a"));
  EXPECT_TRUE(owners().empty());
  // Paths that lead out of the root or nowhere.
  write("var/lib/dpkg/status", installed("a"));
  write("var/lib/dpkg/info/a.list", "/../../usr/bin/tool\nusr/bin/tool\n\n/usr/bin/tool/below\n");
  EXPECT_EQ(owners(), (std::map<std::string, std::string>{{"/usr/bin/tool", "a 1 NOASSERTION"}}));
  fs::remove(at("root/var/lib/dpkg/status"));
  fs::create_symlink("/etc/passwd", at("root/var/lib/dpkg/status"));
  EXPECT_TRUE(owners().empty());
}

class SbomTest : public FolderTest {
protected:
  void SetUp() override {
    FolderTest::SetUp();
    make_sample_kernel(at("vmlinux"));
    fs::create_directories(at("home"));
    compile_sample(at("home/ukl-init"), "void _start(void) { for (;;); }", {"-static", "-nostdlib"});
    setenv("UKL_HOME", at("home").c_str(), 1);
    compile_sample(at("program"), "int main(void) { return 0; }");
    request_.places = *read_places();
    request_.program = at("program").string();
    request_.output = at("image");
    request_.kernel = at("vmlinux");
  }
  void TearDown() override { unsetenv("UKL_HOME"); }

  json sbom_of(const fs::path& image) {
    auto info = read_image(image);
    EXPECT_TRUE(info) << info.error().message;
    auto text = make_sbom(image, *info);
    EXPECT_TRUE(text) << text.error().message;
    return text ? json::parse(*text, nullptr, false) : json();
  }

  json packed() {
    auto made = pack(request_);
    EXPECT_TRUE(made) << made.error().message;
    return made ? sbom_of(request_.output) : json();
  }

  static const json* component(const json& components, const std::string& name) {
    const auto found = std::ranges::find_if(components, [&](const auto& one) { return one["name"] == name; });
    return found == components.end() ? nullptr : &*found;
  }

  PackRequest request_;
};

// What the schema of CycloneDX 1.5 requires of a component (bom-1.5.schema.json, "component"), and that what
// must be unique is.
void check_component(const json& one, std::set<std::string>& references) {
  static const std::set<std::string> types = {
      "application", "framework",     "library",          "container", "platform", "device",
      "file",        "device-driver", "operating-system", "firmware",  "data",     "machine-learning-model"};
  static const std::set<std::string> fields = {"type",        "bom-ref",    "name",    "version",
                                               "description", "hashes",     "purl",    "licenses",
                                               "properties",  "components", "pedigree"};
  for (const auto& [name, value] : one.items())
    EXPECT_TRUE(fields.contains(name)) << name;
  EXPECT_TRUE(types.contains(one.at("type"))) << one.at("type");
  EXPECT_FALSE(one.at("name").get<std::string>().empty());
  const auto reference = one.at("bom-ref").get<std::string>();
  EXPECT_FALSE(reference.empty());
  EXPECT_TRUE(references.insert(reference).second) << reference;
  for (const auto& hash : one.value("hashes", json::array())) {
    EXPECT_EQ(hash.at("alg"), "SHA-256");
    EXPECT_TRUE(std::regex_match(hash.at("content").get<std::string>(), std::regex("[0-9a-f]{64}")));
  }
  // Either licences, or one expression.
  if (one.contains("licenses")) {
    const auto& licences = one["licenses"];
    ASSERT_EQ(licences.size(), 1u);
    EXPECT_TRUE(licences[0].contains("expression") ? licences[0]["expression"].is_string()
                                                   : licences[0].at("license").at("name").is_string());
  }
  for (const auto& property : one.value("properties", json::array()))
    EXPECT_TRUE(property.at("name").is_string() && property.at("value").is_string());
  for (const auto& inner : one.value("components", json::array()))
    check_component(inner, references);
}

void check_schema(const json& sbom) {
  EXPECT_EQ(sbom.at("bomFormat"), "CycloneDX");
  EXPECT_EQ(sbom.at("specVersion"), "1.5");
  EXPECT_TRUE(sbom.at("version").is_number_integer());
  EXPECT_TRUE(std::regex_match(
      sbom.at("serialNumber").get<std::string>(),
      std::regex("urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")));
  std::set<std::string> references;
  check_component(sbom.at("metadata").at("component"), references);
  for (const auto& one : sbom.at("components"))
    check_component(one, references);
  for (const auto& dependency : sbom.at("dependencies")) {
    EXPECT_TRUE(references.contains(dependency.at("ref")));
    for (const auto& other : dependency.at("dependsOn"))
      EXPECT_TRUE(references.contains(other)) << other;
  }
}

TEST_F(SbomTest, PackagesFilesKernelAndOurselves) {
  const auto sbom = packed();
  check_schema(sbom);
  const auto& components = sbom["components"];
  const auto* program = component(components, at("program").string());
  ASSERT_TRUE(program);
  EXPECT_EQ((*program)["type"], "file");
  // Its system calls became jumps, if it has any; its hash is that of what lies in the image.
  EXPECT_EQ((*component(components, "linux"))["licenses"][0]["expression"], "GPL-2.0-only");
  const auto* ukl = component(components, "ukl");
  ASSERT_TRUE(ukl);
  for (const char* ours : {"/init", "/.ukl/manifest", "/.ukl/complete", "/etc/passwd"})
    EXPECT_TRUE(component((*ukl)["components"], ours)) << ours;
  if (!fs::exists("/var/lib/dpkg/status"))
    return;
  const auto* libc = component(components, "libc6");
  ASSERT_TRUE(libc);
  EXPECT_THAT((*libc)["purl"].get<std::string>(), HasSubstr("pkg:deb/"));
  const auto* library = component((*libc)["components"], "/usr/lib/x86_64-linux-gnu/libc.so.6");
  ASSERT_TRUE(library);
  EXPECT_EQ((*library)["properties"][0]["name"], "ukl:changed");
  // Hashes are those of the contents.
  const auto info = *read_image(at("image"));
  std::string sha256;
  ASSERT_TRUE(read_payload(at("image"), info, [&](const PayloadEntry& entry, const ReadContents& contents) {
    if (entry.path == "/usr/lib/x86_64-linux-gnu/libc.so.6")
      sha256 = sha256_hex(*contents());
    return Result<void>();
  }));
  EXPECT_EQ((*library)["hashes"][0]["content"], sha256);
  const auto licences = image_licences(at("image"), info);
  ASSERT_TRUE(licences);
  EXPECT_TRUE(std::ranges::any_of(licences->at("GPL-2.0-only"),
                                  [](const auto& name) { return name.starts_with("ukl "); }));
}

TEST_F(SbomTest, SameInputsSameImageAndSameSbom) {
  request_.sbom = at("one.json");
  ASSERT_TRUE(pack(request_));
  request_.output = at("elsewhere");
  request_.sbom = at("two.json");
  ASSERT_TRUE(pack(request_));
  EXPECT_EQ(*read_file(at("image")), *read_file(at("elsewhere")));
  EXPECT_EQ(*read_text(at("one.json")), *read_text(at("two.json")));
  // And of an image made earlier the same as when it was made.
  EXPECT_EQ(*make_sbom(at("image"), *read_image(at("image"))), *read_text(at("one.json")));
  EXPECT_FALSE(json::parse(*read_text(at("one.json")))["metadata"].contains("timestamp"));
  // Something else has another number.
  const auto serial = json::parse(*read_text(at("one.json")))["serialNumber"];
  request_.arguments = {"x"};
  EXPECT_NE(packed()["serialNumber"], serial);
}

TEST_F(SbomTest, TimeIsThatOfTheSources) {
  request_.places.newest = 1700000000;
  const auto sbom = packed();
  check_schema(sbom);
  EXPECT_EQ(sbom["metadata"]["timestamp"], "2023-11-14T22:13:20Z");
}

TEST_F(SbomTest, NamesOfAnyBytes) {
  fs::create_directories(at("odd"));
  const std::vector<std::string> names = {"a\nb",    "\xff",     "\xfe", "\"quote\\",
                                          "\x1b[2J", "per%cent", "ä",    "a b"};
  for (const auto& name : names)
    ASSERT_TRUE(write_text(at("odd/" + name), name));
  fs::create_hard_link(at("odd/a b"), at("odd/again"));
  request_.files = {{at("odd"), "/odd"}};
  const auto sbom = packed();
  check_schema(sbom);
  std::map<std::string, std::string> by_reference;
  for (const auto& one : sbom["components"])
    if (one["type"] == "file")
      by_reference[one["bom-ref"]] = one["hashes"][0]["content"];
  const auto hash = [](const std::string& text) { return sha256_hex(text); };
  EXPECT_EQ(by_reference["file:/odd/%FF"], hash("\xff"));
  EXPECT_EQ(by_reference["file:/odd/%FE"], hash("\xfe"));
  EXPECT_EQ(by_reference["file:/odd/a%0Ab"], hash("a\nb"));
  EXPECT_EQ(by_reference["file:/odd/per%25cent"], hash("per%cent"));
  EXPECT_EQ(by_reference["file:/odd/again"], hash("a b"));
  EXPECT_EQ(by_reference["file:/odd/a%20b"], hash("a b"));
}

TEST_F(SbomTest, TheBillIsInNoSegmentAndSmall) {
  ASSERT_TRUE(pack(request_));
  const auto info = *read_image(at("image"));
  const auto image = *read_file(at("image"));
  const std::string_view text(reinterpret_cast<const char*>(image.data()), image.size());
  EXPECT_GT(bill_size(info), 0u);
  EXPECT_LT(bill_size(info), 4096u);
  // Right before the payload and nowhere else.
  const auto start = info.payload_offset - bill_size(info);
  EXPECT_EQ(text[start], '{');
  EXPECT_EQ(text[info.payload_offset - 1], '}');
  EXPECT_EQ(text.find("\"owners\":["), text.rfind("\"owners\":["));
  EXPECT_GT(text.find("\"owners\":["), start);
}

TEST_F(SbomTest, DamagedOrMissingBills) {
  ASSERT_TRUE(pack(request_));
  const auto info = *read_image(at("image"));
  auto older = info;
  remove_values(older.manifest, key::bill, 0);
  expect_error(make_sbom(at("image"), older), Failure::other_version, "older");
  expect_error(image_licences(at("image"), older), Failure::other_version, "older");
  for (const char* size : {"0", "x", "-1", "99999999999999999999", "1", "67108864", "12x"}) {
    auto wrong = older;
    wrong.manifest.emplace_back(key::bill, size);
    expect_error(make_sbom(at("image"), wrong), Failure::not_an_image, "damaged");
  }
  // Every kind of thing in place of what should be there.
  const auto good = encode_bill(*read_bill(at("image"), info));
  const auto with = [&](const std::string& bill) {
    auto image = *read_file(at("image"));
    auto other = older;
    other.manifest.emplace_back(key::bill, std::to_string(bill.size()));
    std::ranges::copy(bill, image.begin() + static_cast<std::ptrdiff_t>(info.payload_offset - bill.size()));
    EXPECT_TRUE(write_text(at("damaged"), std::string(image.begin(), image.end())));
    return make_sbom(at("damaged"), other);
  };
  EXPECT_TRUE(with(good));
  for (const char* part :
       {"/packages", "/owners", "/changed", "/linux/source", "/ukl", "/owners/0", "/owners/1"})
    for (const auto& value :
         {json(-1), json(1u << 31), json("\x1b[2J"), json::array({1}), json::array({json::array({1})})}) {
      auto changed = json::parse(good);
      changed[json::json_pointer(part)] = value;
      const auto result = with(changed.dump());
      // Only what is no text where a text is wanted counts as if it were not there.
      if (std::string_view(part) == "/linux/source" || std::string_view(part) == "/ukl")
        EXPECT_TRUE(!value.is_string() || !result) << part << value;
      else
        EXPECT_FALSE(result) << part << value;
    }
  EXPECT_FALSE(with("null"));
  EXPECT_FALSE(with("[[[["));
}

TEST_F(SbomTest, NothingIsOverwritten) {
  request_.sbom = request_.output;
  expect_error(pack(request_), Failure::usage, "--sbom");
  request_.sbom = request_.program;
  expect_error(pack(request_), Failure::usage, "program");
  request_.sbom = at("none/sbom.json");
  expect_error(pack(request_), Failure::unwritable, "none");
}

} // namespace
} // namespace ukl
