// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as what strangers' packages and container images are made of. The first byte of the input chooses
// what they are read as. An archive's own names must never become names on this machine, whatever they say.
#include "contents/debian_copyright.hpp"
#include "image/bill.hpp"
#include "sources/apply_layer.hpp"
#include "sources/image_config.hpp"
#include "sources/layer_store.hpp"
#include "sources/maintainer_script.hpp"
#include "sources/tree_setup.hpp"
#include "sources/unit_file.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iterator>
#include <utility>

namespace {

void must(bool holds) {
  if (!holds)
    __builtin_trap();
}

class BytesOf : public ukl::ByteStream {
public:
  explicit BytesOf(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  ukl::Result<std::span<const std::uint8_t>> next() override { return std::exchange(bytes_, {}); }

private:
  std::span<const std::uint8_t> bytes_;
};

bool is_rooted(const std::string& path) {
  return path.starts_with('/') && (path + '/').find("/../") == std::string::npos;
}

// What lies in the folder has numbers for names and nothing is beside it; the index says the same when it is
// read again; the entries make a tree, or an error.
void read_as_layer(std::span<const std::uint8_t> bytes) {
  auto around = ukl::TemporaryFolder::create("ukl-fuzz");
  must(bool(around));
  const auto folder = around->path() / "layer";
  std::filesystem::create_directory(folder);
  ukl::LayerWriter writer(folder);
  BytesOf stream(bytes);
  const bool whole = bool(writer.unpack(stream, "input"));
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const auto name = file.path().filename().string();
    must(file.is_regular_file() && !file.is_symlink() &&
         std::ranges::all_of(name, [](unsigned char letter) { return std::isdigit(letter); }));
  }
  must(std::distance(std::filesystem::directory_iterator(around->path()), {}) == 1);
  for (const auto& entry : writer.layer().entries)
    must(is_rooted(entry.path) &&
         (entry.kind != ukl::LayerEntry::Kind::hard_link || is_rooted(entry.target)));
  if (!whole)
    return;
  const auto index = encode_index(writer.layer());
  const auto again = ukl::decode_index(index);
  must(again && encode_index(*again) == index);
  for (const auto kind : {ukl::LayerKind::image, ukl::LayerKind::package}) {
    ukl::RootTree tree;
    for (int times = 0; times < 2; ++times) // over nothing, and over what it made itself
      if (!apply_layer(tree, writer.layer(), kind, "input"))
        break;
    for (const auto& [path, entry] : tree.entries())
      must(is_rooted(path));
  }
}

void read_as_scripts(const std::string& text) {
  ukl::RootTree tree;
  ukl::SystemUsers users("root:x:0:0:root:/root:/bin/sh\n", "root:x:0:\n");
  for (const auto& command : ukl::plain_commands(text)) {
    must(!command.empty());
    set_up(tree, users, command);
  }
  users.read_sysusers(text);
  set_up_temporary_files(tree, users, text);
  const ukl::SystemUsers again(users.passwd(), users.group());
  must(again.passwd() == users.passwd() && again.group() == users.group());
  for (const auto& [path, entry] : tree.entries())
    must(is_rooted(path));
}

void read_as_configuration(const std::string& text) {
  const auto config = nlohmann::json::parse(text, nullptr, false);
  ukl::Source source;
  if (!config.is_discarded())
    (void)read_image_config(config, "input", source);
}

void read_as_bill(const std::string& text) {
  if (const auto bill = ukl::decode_bill(text)) {
    must(bill->owners.size() == bill->changed.size());
    const auto again = ukl::decode_bill(encode_bill(*bill));
    must(again && again->owners == bill->owners && again->packages.size() == bill->packages.size());
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::span<const std::uint8_t> bytes(data + 1, size - 1);
  const std::string text(bytes.begin(), bytes.end());
  switch (data[0] % 7) {
  case 0:
    read_as_layer(bytes);
    break;
  case 1:
    (void)ukl::read_unit_file(text, "input", [&](const std::string&) { return std::optional(text); });
    break;
  case 2:
    read_as_scripts(text);
    break;
  case 3:
    (void)ukl::licence_of_copyright(text);
    (void)ukl::spdx_licence(text);
    break;
  case 4:
    read_as_configuration(text);
    break;
  case 5:
    (void)ukl::decode_index(text);
    break;
  default:
    read_as_bill(text);
  }
  return 0;
}
