// SPDX-License-Identifier: GPL-2.0-only
// ukl inspect: what an image holds. Each part is a function from the image to JSON, and one that prints that.
#include "command.hpp"
#include "image_calls.hpp"
#include "payload_read.hpp"
#include "rewrite/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ukl {
namespace {

using nlohmann::json;

struct Options {
  std::filesystem::path image;
  bool json = false;
  bool files = false;
  bool syscalls = false;
};

double mebibytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

json manifest_json(const Manifest& manifest) {
  json all = json::object();
  for (const auto& [name, value] : manifest)
    all[name].push_back(value);
  return all;
}

Result<json> files_json(const std::filesystem::path& image, const ImageInfo& info) {
  json files = json::array();
  auto read = read_payload(image, info, [&](const PayloadEntry& entry, const ReadContents&) {
    json file = {{"path", entry.path},
                 {"type", std::string(1, entry.type)},
                 {"mode", fmt::format("{:04o}", entry.mode)},
                 {"size", entry.size}};
    if (!entry.target.empty())
      file["target"] = entry.target;
    files.push_back(std::move(file));
    return Result<void>();
  });
  if (!read)
    return read.error();
  return files;
}

Result<json> image_json(const std::filesystem::path& image) {
  auto info = read_image(image);
  if (!info)
    return info.error();
  auto unpacked = unpacked_size(image, *info);
  if (!unpacked)
    return unpacked.error();
  auto files = files_json(image, *info);
  if (!files)
    return files.error();
  return json{{"image", image.string()},
              {"format", value_of(info->manifest, key::format)},
              {"profile", value_of(info->manifest, key::profile)},
              {"kernel", value_of(info->manifest, key::kernel)},
              {"file_size", info->file_size},
              {"kernel_size", info->kernel_size},
              {"payload_size", info->payload_size},
              {"memory_needed", memory_needed(*info, *unpacked)},
              {"manifest", manifest_json(info->manifest)},
              {"files", *files}};
}

void print_text(const json& image, bool with_files) {
  const auto number = [&](const char* name) { return image[name].get<std::uint64_t>(); };
  fmt::print("{}: image format {}, kernel {} {}\n", image["image"].get<std::string>(),
             image["format"].get<std::string>(), image["profile"].get<std::string>(),
             image["kernel"].get<std::string>());
  fmt::print("size           {:.1f} MiB (payload {:.1f} MiB)\n", mebibytes(number("file_size")),
             mebibytes(number("payload_size")));
  fmt::print("memory needed  {:.0f} MiB\n", mebibytes(number("memory_needed")) + 0.5);
  fmt::print("files          {}{}\n", image["files"].size(), with_files ? "" : " (--files lists them)");
  fmt::print("manifest\n");
  for (const auto& [name, values] : image["manifest"].items())
    for (const auto& value : values)
      fmt::print("  {:<12} {}\n", name, value.get<std::string>());
  if (!with_files)
    return;
  for (const auto& file : image["files"]) {
    const auto target = file.value("target", "");
    fmt::print("{}{} {:>10} {}{}\n", file["type"].get<std::string>(), file["mode"].get<std::string>(),
               file["size"].get<std::uint64_t>(), file["path"].get<std::string>(),
               target.empty() ? "" : " -> " + target);
  }
}

Result<int> inspect(const Options& options) {
  auto image = image_json(options.image);
  if (!image)
    return image.error();
  // Names of files may hold any bytes, JSON only UTF-8: what is none becomes U+FFFD.
  if (options.json)
    fmt::print("{}\n", image->dump(2, ' ', false, json::error_handler_t::replace));
  else
    print_text(*image, options.files);
  return 0;
}

Result<int> inspect_syscalls(const Options& options) {
  auto reports = find_image_calls(options.image);
  if (!reports)
    return reports.error();
  json all = json::array();
  for (const auto& report : *reports) {
    if (options.json)
      all.push_back(report_json(report));
    else
      fmt::print("{}", report_text(report));
  }
  if (options.json)
    fmt::print("{}\n", all.dump(2, ' ', false, json::error_handler_t::replace));
  return 0;
}

void add_inspect(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("inspect", "Show what an image holds: manifest, kernel, sizes, files");
  auto options = std::make_shared<Options>();
  command->add_option("IMAGE", options->image, "Image file")->required();
  command->add_flag("--files", options->files, "List the files of its root tree");
  command->add_flag(
      "--syscalls", options->syscalls,
      "Instead: the system-call sites of each program and library in it, or of any other ELF file");
  command->add_flag("--json", options->json, "Print everything as JSON");
  command->callback([options, &action] {
    action = [options] { return options->syscalls ? inspect_syscalls(*options) : inspect(*options); };
  });
}

RegisterCommand registered{40, add_inspect};

} // namespace
} // namespace ukl
