// SPDX-License-Identifier: GPL-2.0-only
// ukl inspect: what an image holds. Each part is a function from the image to JSON, and one that prints that.
#include "calls/folded_calls.hpp"
#include "commands/command.hpp"
#include "image/calls.hpp"
#include "image/makeup.hpp"
#include "image/payload_read.hpp"
#include "image/sbom.hpp"
#include "image/treemap.hpp"
#include "rewrite/report.hpp"
#include "support/files.hpp"
#include "support/overwriting.hpp"
#include "support/standard_streams.hpp"

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
  bool memory = false;
  bool sbom = false;
  bool licences = false;
  std::filesystem::path svg;
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
  TRY_LET(auto info, read_image(image));
  TRY_LET(auto tree, tree_size(image, info));
  const auto need = memory_need(info, tree);
  TRY_LET(auto calls, read_calls(info.manifest));
  TRY_LET(auto files, files_json(image, info));
  return json{{"image", image.string()},
              {"format", value_of(info.manifest, key::format)},
              {"profile", value_of(info.manifest, key::profile)},
              {"kernel", value_of(info.manifest, key::kernel)},
              {"file_size", info.file_size},
              {"kernel_size", info.kernel_size},
              {"kernel_positions", info.positions},
              {"payload_size", info.payload_size},
              {"memory_needed", need.least},
              {"memory_default", need.comfortable},
              {"manifest", manifest_json(info.manifest)},
              {"syscalls", calls_by_kind(calls)},
              {"files", files}};
}

void print_calls(const json& kinds) {
  if (kinds.empty())
    return;
  print_output("system calls\n");
  for (const auto& [kind, names] : kinds.items())
    print_output(folded(fmt::format("  {} ({})", kind, names.size()), names, output_width()));
}

void print_text(const json& image, bool with_files) {
  const auto number = [&](const char* name) { return image[name].get<std::uint64_t>(); };
  print_output(fmt::format("{}: image format {}, kernel {} {}\n", image["image"].get<std::string>(),
                           image["format"].get<std::string>(), image["profile"].get<std::string>(),
                           image["kernel"].get<std::string>()));
  print_output(fmt::format("size           {:.1f} MiB (payload {:.1f} MiB)\n", mebibytes(number("file_size")),
                           mebibytes(number("payload_size"))));
  print_output(fmt::format("memory needed  {:g} MiB ({:g} MiB unless ukl run is given -m)\n",
                           mebibytes(number("memory_needed")), mebibytes(number("memory_default"))));
  print_output(fmt::format("kernel's place {}\n", number("kernel_positions") == 1
                                                      ? "the same address at each start"
                                                      : fmt::format("one of {} addresses at each start",
                                                                    number("kernel_positions"))));
  print_output(
      fmt::format("files          {}{}\n", image["files"].size(), with_files ? "" : " (--files lists them)"));
  print_output("manifest\n");
  for (const auto& [name, values] : image["manifest"].items()) {
    if (name == key::syscall)
      continue;
    for (const auto& value : values)
      print_output(fmt::format("  {:<12} {}\n", name, value.get<std::string>()));
  }
  print_calls(image["syscalls"]);
  if (!with_files)
    return;
  for (const auto& file : image["files"]) {
    const auto target = file.value("target", "");
    print_output(fmt::format("{}{} {:>10} {}{}\n", file["type"].get<std::string>(),
                             file["mode"].get<std::string>(), file["size"].get<std::uint64_t>(),
                             file["path"].get<std::string>(), target.empty() ? "" : " -> " + target));
  }
}

Result<int> inspect(const Options& options) {
  TRY_LET(auto image, image_json(options.image));
  // Names of files may hold any bytes, JSON only UTF-8: what is none becomes U+FFFD.
  if (options.json)
    print_output(fmt::format("{}\n", image.dump(2, ' ', false, json::error_handler_t::replace)));
  else
    print_text(image, options.files);
  return 0;
}

Result<int> inspect_syscalls(const Options& options) {
  TRY_LET(auto reports, find_image_calls(options.image));
  if (!options.json)
    if (auto info = read_image(options.image))
      if (auto calls = read_calls(info->manifest))
        print_calls(calls_by_kind(*calls));
  json all = json::array();
  for (const auto& report : reports) {
    if (options.json)
      all.push_back(report_json(report));
    else
      print_output(report_text(report));
  }
  if (options.json)
    print_output(fmt::format("{}\n", all.dump(2, ' ', false, json::error_handler_t::replace)));
  return 0;
}

json part_json(const Part& part) {
  json parts = json::array();
  for (const auto& inner : part.parts)
    parts.push_back(part_json(inner));
  return {{"name", part.name}, {"bytes", part.bytes}, {"parts", parts}};
}

void print_part(const Part& part, int depth) {
  print_output(fmt::format("{:>10.2f} MiB  {}{}\n", mebibytes(part.bytes),
                           std::string(2 * static_cast<std::size_t>(depth), ' '), part.name));
  for (const auto& inner : part.parts)
    print_part(inner, depth + 1);
}

Result<int> inspect_memory(const Options& options) {
  TRY(refuse_overwriting(options.svg, {options.image}));
  TRY_LET(const auto info, read_image(options.image));
  TRY_LET(const auto makeup, image_makeup(options.image, info));
  const auto& [file, memory] = makeup;
  if (!options.svg.empty())
    TRY(write_text(options.svg, treemap({file, memory}, options.image.filename().string())));
  if (options.json) {
    const json both = {{"file", part_json(file)}, {"memory", part_json(memory)}};
    print_output(fmt::format("{}\n", both.dump(2, ' ', false, json::error_handler_t::replace)));
  } else if (options.memory) {
    print_part(file, 0);
    print_part(memory, 0);
  }
  return 0;
}

Result<int> inspect_sbom(const Options& options) {
  TRY_LET(const auto info, read_image(options.image));
  TRY_LET(const auto sbom, make_sbom(options.image, info));
  print_output(sbom);
  return 0;
}

Result<int> inspect_licences(const Options& options) {
  TRY_LET(const auto info, read_image(options.image));
  TRY_LET(const auto licences, image_licences(options.image, info));
  if (options.json) {
    print_output(fmt::format("{}\n", json(licences).dump(2)));
    return 0;
  }
  for (const auto& [licence, names] : licences) {
    print_output(licence + "\n");
    for (const auto& name : names)
      print_output(fmt::format("  {}\n", name));
  }
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
  command->add_flag("--memory", options->memory,
                    "Instead: what the bytes of the file are, and those of the least memory that it runs in");
  command->add_flag("--sbom", options->sbom,
                    "Instead: what is in it, as CycloneDX 1.5 (JSON), like ukl pack --sbom");
  command->add_flag("--licences", options->licences, "Instead: licences, and which packages are under each");
  command->add_option("--svg", options->svg, "Draws that into a file")->type_name("FILE");
  command->add_flag("--json", options->json, "Print everything as JSON");
  command->callback([options, &action] {
    action = [options] {
      return options->syscalls                          ? inspect_syscalls(*options)
             : options->memory || !options->svg.empty() ? inspect_memory(*options)
             : options->sbom                            ? inspect_sbom(*options)
             : options->licences                        ? inspect_licences(*options)
                                                        : inspect(*options);
    };
  });
}

RegisterCommand registered{40, add_inspect};

} // namespace
} // namespace ukl
