// SPDX-License-Identifier: GPL-2.0-only
#include "sources/oci_layout.hpp"
#include "contents/package_database.hpp"
#include "sources/apply_layer.hpp"
#include "sources/image_config.hpp"
#include "sources/json_reading.hpp"
#include "sources/layer_store.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

namespace ukl {
namespace {

using nlohmann::json;

constexpr const char* kTag = "org.opencontainers.image.ref.name";
constexpr int kDeepestIndex = 4;

// One entry of an index.
struct Descriptor {
  std::string digest, tag, system, architecture;
};

std::string tag_of(const std::string& reference) {
  const auto slash = reference.rfind('/');
  const auto colon = reference.find(':', slash == std::string::npos ? 0 : slash);
  return colon == std::string::npos ? reference : reference.substr(colon + 1);
}

std::vector<Descriptor> descriptors_of(const json& index) {
  std::vector<Descriptor> all;
  const auto& list = member(index, "manifests");
  if (list.is_array())
    for (const auto& one : list) {
      const auto& platform = member(one, "platform");
      all.push_back({text_member(one, "digest"), text_member(member(one, "annotations"), kTag),
                     text_member(platform, "os"), text_member(platform, "architecture")});
    }
  return all;
}

template <typename Field> std::string list_of(const std::vector<Descriptor>& all, Field field) {
  std::set<std::string> names;
  for (const auto& one : all)
    if (const auto name = field(one); !name.empty())
      names.insert(name);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

Result<Descriptor> choose(std::vector<Descriptor> all, const std::string& tag, const std::string& name) {
  if (!tag.empty()) {
    const auto before = all;
    std::erase_if(all, [&](const auto& one) { return one.tag != tag && tag_of(one.tag) != tag; });
    if (all.empty())
      return Error{Failure::usage, fmt::format("{} has no image {}", name, tag),
                   "there are: " + list_of(before, [](const auto& one) { return one.tag; })};
  }
  // What is no image (signatures, attestations) says that it is for unknown/unknown.
  const auto before = all;
  std::erase_if(all, [](const auto& one) {
    return (!one.system.empty() && one.system != "linux") ||
           (!one.architecture.empty() && one.architecture != "amd64");
  });
  if (all.empty())
    return Error{Failure::wrong_architecture,
                 fmt::format("{} has no image for linux/amd64, but for {}", name,
                             list_of(before,
                                     [](const auto& one) {
                                       return one.system.empty() ? "" : one.system + "/" + one.architecture;
                                     })),
                 "take the image for linux/amd64"};
  const bool same = std::ranges::all_of(all, [&](const auto& one) { return one.digest == all[0].digest; });
  if (same || !tag.empty())
    return all[0];
  const auto latest = std::ranges::find_if(all, [](const auto& one) { return tag_of(one.tag) == "latest"; });
  if (latest != all.end())
    return *latest;
  if (std::ranges::all_of(all, [](const auto& one) { return one.tag.empty(); }))
    return all[0];
  return Error{Failure::usage, fmt::format("{} has several images", name),
               "name one of them behind a colon: " +
                   list_of(all, [](const auto& one) { return tag_of(one.tag); })};
}

Result<json> read_blob(Blobs& blobs, const std::string& digest, const std::string& name) {
  TRY_LET(const auto hex, sha256_of_digest(digest, name));
  TRY_LET(const auto text, blobs.text("blobs/sha256/" + hex));
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  if (const auto found = sha256_hex(bytes); found != hex)
    return Error{Failure::unreadable,
                 fmt::format("a part of {} is not what it was announced as: its SHA-256 is {} and not {}",
                             name, found, hex),
                 "it was changed or damaged on its way: fetch it again"};
  return parse_json(text, fmt::format("{} of {}", digest.substr(0, 19), name));
}

// The manifest that an index, or an index in it, leads to.
Result<json> find_manifest(Blobs& blobs, json index, const std::string& tag, const std::string& name) {
  for (int depth = 0; depth < kDeepestIndex; ++depth) {
    if (!member(index, "manifests").is_array())
      break;
    TRY_LET(const auto chosen, choose(descriptors_of(index), depth == 0 ? tag : "", name));
    TRY_LET(index, read_blob(blobs, chosen.digest, name));
    if (member(index, "layers").is_array())
      return index;
  }
  return Error{Failure::unreadable, fmt::format("{} has no manifest of an image", name),
               "it may be damaged, or something else than an image"};
}

std::vector<std::string> list_of_digests(const json& layers) {
  std::vector<std::string> digests;
  for (const auto& one : layers)
    digests.push_back(text_member(one, "digest"));
  return digests;
}

// What is in the cache is quick.
bool has_all(const std::vector<std::string>& digests) {
  return std::ranges::all_of(digests, [](const auto& digest) {
    return digest.starts_with("sha256:") && digest.find('/') == std::string::npos &&
           has_layer(digest.substr(7));
  });
}

// Layers one over the other.
Result<Source> apply_all(const std::vector<Layer>& layers, const std::string& name) {
  Source source;
  for (const auto& layer : layers)
    TRY(apply_layer(source.tree, layer, LayerKind::image, name));
  set_owners(source.tree);
  source.notes = describe_losses(layers);
  return source;
}

Result<Layer> take_layer(Blobs& blobs, const std::string& sha256, const std::string& file,
                         const std::string& name, Reporter& reporter) {
  return store_layer(
      sha256, name,
      [&](LayerWriter& writer) -> Result<std::string> {
        std::string digest;
        TRY(blobs.stream(file, [&](ByteStream& stream) -> Result<void> {
          TRY_LET(digest, unpack_hashed(stream, sha256,
                                        [&](ByteStream& hashed) { return writer.unpack(hashed, name); }));
          return {};
        }));
        return digest;
      },
      reporter);
}

} // namespace

std::pair<std::filesystem::path, std::string> split_tag(const std::string& text) {
  std::error_code ignored;
  if (std::filesystem::exists(text, ignored))
    return {text, ""};
  for (auto colon = text.rfind(':'); colon != std::string::npos && colon > 0;
       colon = text.rfind(':', colon - 1))
    if (std::filesystem::exists(text.substr(0, colon), ignored))
      return {text.substr(0, colon), text.substr(colon + 1)};
  return {text, ""};
}

Result<Source> open_layout(Blobs& blobs, const std::string& tag, const std::string& name,
                           Reporter& reporter) {
  TRY_LET(const auto text, blobs.text("index.json"));
  TRY_LET(auto index, parse_json(text, "the index of " + name));
  TRY_LET(const auto manifest, find_manifest(blobs, std::move(index), tag, name));
  TRY_LET(const auto config, read_blob(blobs, text_member(member(manifest, "config"), "digest"), name));
  // Before any layer is unpacked.
  TRY(check_platform(text_member(config, "os"), text_member(config, "architecture"), name));
  const auto& list = member(manifest, "layers");
  std::vector<Layer> layers;
  auto& told = has_all(list_of_digests(list)) ? silent_reporter() : reporter;
  const auto progress = told.progress("unpacking " + name, list.size());
  for (const auto& one : list) {
    TRY_LET(const auto sha256, sha256_of_digest(text_member(one, "digest"), name));
    const auto layer_name = fmt::format("layer {} of {}", sha256.substr(0, 12), name);
    TRY_LET(auto layer, take_layer(blobs, sha256, "blobs/sha256/" + sha256, layer_name, reporter));
    layers.push_back(std::move(layer));
    progress->update(layers.size());
  }
  TRY_LET(auto source, apply_all(layers, name));
  TRY(read_image_config(config, name, source));
  return source;
}

Result<Source> open_saved_image(Blobs& blobs, const std::string& image, const std::string& name,
                                Reporter& reporter) {
  TRY_LET(const auto text, blobs.text("manifest.json"));
  TRY_LET(const auto images, parse_json(text, "the manifest of " + name));
  const json* chosen = nullptr;
  std::string known;
  for (const auto& one : images) {
    const auto tags = texts_member(one, "RepoTags");
    for (const auto& tag : tags)
      known += (known.empty() ? "" : ", ") + tag;
    const bool fits = image.empty() ? images.size() == 1 : std::ranges::any_of(tags, [&](const auto& tag) {
      return tag == image || tag == image + ":latest" || tag_of(tag) == image;
    });
    if (fits && !chosen)
      chosen = &one;
  }
  if (!chosen)
    return Error{Failure::usage,
                 image.empty() ? fmt::format("{} has several images", name)
                               : fmt::format("{} has no image {}", name, image),
                 "name one of them behind a colon: " + known};
  TRY_LET(const auto config_text, blobs.text(text_member(*chosen, "Config")));
  TRY_LET(const auto config, parse_json(config_text, "the configuration of " + name));
  TRY(check_platform(text_member(config, "os"), text_member(config, "architecture"), name));
  const auto files = texts_member(*chosen, "Layers");
  const auto digests = texts_member(member(config, "rootfs"), "diff_ids");
  if (files.size() != digests.size())
    return Error{
        Failure::unreadable,
        fmt::format("{} has {} layers, and its configuration {}", name, files.size(), digests.size()),
        "it may be damaged: save it again"};
  std::vector<Layer> layers;
  auto& told = has_all(digests) ? silent_reporter() : reporter;
  const auto progress = told.progress("unpacking " + name, files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    TRY_LET(const auto sha256, sha256_of_digest(digests[i], name));
    const auto layer_name = fmt::format("layer {} of {}", sha256.substr(0, 12), name);
    TRY_LET(auto layer, take_layer(blobs, sha256, files[i], layer_name, reporter));
    layers.push_back(std::move(layer));
    progress->update(layers.size());
  }
  TRY_LET(auto source, apply_all(layers, name));
  TRY(read_image_config(config, name, source));
  return source;
}

} // namespace ukl
