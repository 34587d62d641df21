// SPDX-License-Identifier: GPL-2.0-only
#include "pack.hpp"
#include "call_kinds.hpp"
#include "image.hpp"
#include "installation.hpp"
#include "kernel.hpp"
#include "kernel_functions.hpp"
#include "libraries.hpp"
#include "rewrite/rewriter.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kInitPath = "/init";
// Where Debian's loader looks without a configuration: an image has no ld.so.cache.
constexpr const char* kLibraryFolder = "/usr/lib/x86_64-linux-gnu/";

// The kernel of the profile, or the one that the user names.
Result<Kernel> choose_kernel(const PackRequest& request) {
  if (request.kernel.empty())
    return find_kernel(request.profile);
  auto bytes = read_file(request.kernel);
  if (!bytes)
    return bytes.error();
  return Kernel{"custom", sha256_hex(*bytes).substr(0, 16), request.kernel, {}, {}};
}

// Where libraries are looked for. The user's folders are none that the loader in the image knows, which is as
// with those that only /etc/ld.so.conf names.
SearchFolders search_folders(const PackRequest& request) {
  auto folders = glibc_folders();
  std::vector<fs::path> own;
  for (const auto& folder : request.library_folders)
    own.push_back(fs::absolute(folder));
  folders.configured.insert(folders.configured.begin(), own.begin(), own.end());
  return folders;
}

Result<void> add_libraries(RootTree& tree, const std::vector<Library>& libraries, PackSummary& summary) {
  for (const auto& library : libraries) {
    if (auto added = tree.add_same_path(library.path); !added)
      return added;
    if (library.only_by_configuration)
      if (auto added = tree.add(kLibraryFolder + library.name, link_entry(library.path.string())); !added)
        return added;
    if (std::ranges::find(summary.libraries, library.path.string()) == summary.libraries.end())
      summary.libraries.push_back(library.path.string());
  }
  return {};
}

Result<void> add_file(RootTree& tree, const fs::path& path, const std::string& guest_path) {
  if (guest_path.empty())
    return tree.add_same_path(path, 0111);
  return tree.add(guest_path, host_entry(path, 0755));
}

// An executable file with all that it loads.
Result<void> add_executable(RootTree& tree, const fs::path& path, const ElfFile& elf,
                            const std::string& guest_path, const SearchFolders& folders,
                            PackSummary& summary) {
  if (auto added = add_file(tree, path, guest_path); !added)
    return added;
  auto libraries = find_libraries(path, elf, folders);
  if (!libraries)
    return libraries.error();
  return add_libraries(tree, *libraries, summary);
}

Result<void> add_program(RootTree& tree, const Program& program, const std::string& guest_path,
                         const SearchFolders& folders, PackSummary& summary) {
  if (!program.script)
    return add_executable(tree, program.path, program.elf, guest_path, folders, summary);
  for (const auto& interpreter : program.interpreters) {
    auto elf = read_elf(interpreter);
    if (!elf)
      return elf.error();
    if (auto added = add_executable(tree, interpreter, *elf, "", folders, summary); !added)
      return added;
  }
  return add_file(tree, program.path, guest_path);
}

bool lies_in(const fs::path& path, const fs::path& folder) {
  std::error_code ignored;
  const auto relative =
      fs::weakly_canonical(path, ignored).lexically_relative(fs::weakly_canonical(folder, ignored));
  return !relative.empty() && *relative.begin() != "..";
}

// Added files may be programs that it starts or plug-ins that it loads: what they need goes in too, as far as
// it is there, and except for what was added with them.
Result<void> add_files(RootTree& tree, const std::vector<AddedFile>& files, const SearchFolders& folders,
                       PackSummary& summary) {
  for (const auto& file : files) {
    CopiedFiles copied;
    if (auto added = tree.add_copy(file.host, file.guest, copied); !added)
      return added;
    for (const auto& skipped : copied.skipped)
      summary.skipped.push_back(skipped.string());
    for (const auto& path : copied.files) {
      auto elf = read_elf(path);
      if (!elf)
        continue;
      auto libraries = find_libraries(path, *elf, folders);
      if (!libraries) {
        summary.missing.push_back(libraries.error().message);
        continue;
      }
      std::erase_if(*libraries, [&](const Library& library) { return lies_in(library.path, file.host); });
      if (auto added = add_libraries(tree, *libraries, summary); !added)
        return added;
    }
  }
  return {};
}

Result<void> add_init(RootTree& tree, const Manifest& manifest) {
  const auto init = find_installation().init;
  std::error_code ignored;
  if (!fs::exists(init, ignored))
    return Error{Failure::not_found, fmt::format("ukl's own init is missing ({})", init.string()),
                 "run `make` again, or set UKL_HOME to the folder where ukl is installed"};
  if (auto added = tree.add(kInitPath, host_entry(init, 0755)); !added)
    return added;
  return tree.add(kManifestPath, text_entry(encode_manifest(manifest), 0600));
}

// The kernel's table: masked calls, and above that what the user says of single ones. A shortcut is no reason
// to answer a call.
Result<Manifest> call_records(const PackRequest& request, const std::vector<FileCalls>& programs,
                              PackSummary& summary) {
  auto choices = choose_call_kinds(request.calls);
  if (!choices || !summary.ring0)
    return choices;
  auto masked = choose_masked_calls(programs, request.masks);
  if (!masked)
    return masked.error();
  summary.answered = masked->answered;
  summary.doubts = std::move(masked->doubts);
  const auto is_masked = [&](const std::string& number) {
    return std::ranges::find(masked->records, number + ":masked", &Manifest::value_type::second) !=
           masked->records.end();
  };
  std::erase_if(*choices, [&](const auto& record) {
    const auto colon = record.second.find(':');
    return record.second.substr(colon) == ":shortcut" && is_masked(record.second.substr(0, colon));
  });
  Manifest records = std::move(masked->records);
  records.insert(records.end(), choices->begin(), choices->end());
  return records;
}

Manifest make_manifest(const PackRequest& request, const CheckedSettings& settings, const Kernel& kernel,
                       const std::string& program) {
  Manifest manifest;
  manifest.emplace_back(key::format, kImageFormat);
  manifest.emplace_back(key::profile, kernel.profile);
  manifest.emplace_back(key::kernel, kernel.hash);
  manifest.emplace_back(key::argument, program);
  for (const auto& argument : request.arguments)
    manifest.emplace_back(key::argument, argument);
  manifest.insert(manifest.end(), settings.manifest.begin(), settings.manifest.end());
  return manifest;
}

// `programs` gets what is needed to know which calls they can make; init is none of them: the kernel answers
// it always.
ElfHook make_rewriter(PackSummary& summary, std::vector<FileCalls>& programs, const fs::path& vmlinux,
                      const PackRequest& request) {
  const bool rewrite = request.rewrite && summary.ring0;
  const bool decide = summary.ring0 && !request.masks.all && request.masks.only.empty();
  return [=, &summary, &programs](const std::string& guest_path, Bytes& contents) -> Result<void> {
    if (auto linked = link_kernel_functions(contents, guest_path, vmlinux); !linked)
      return linked;
    if (decide && guest_path != kInitPath && is_rewritable(contents))
      if (auto calls = find_file_calls(contents, guest_path))
        programs.push_back(std::move(*calls));
    if (!rewrite || !is_rewritable(contents))
      return {};
    RewriteOptions options;
    options.name = guest_path;
    auto report = rewrite_elf(contents, options);
    // A damaged plug-in among the added files works as badly as before.
    if (!report)
      return report.error().failure == Failure::not_elf ? Result<void>() : report.error();
    summary.sites += report->sites.size();
    summary.sites_left +=
        static_cast<std::size_t>(std::ranges::count(report->sites, Treatment::left, &Site::treatment));
    return {};
  };
}

} // namespace

Result<AddedFile> parse_added_file(const std::string& text) {
  const auto divider = text.rfind(":/");
  if (divider != std::string::npos && divider > 0)
    return AddedFile{text.substr(0, divider), text.substr(divider + 1)};
  if (text.starts_with('/'))
    return AddedFile{text, text};
  return Error{Failure::usage, fmt::format("--file {} is not understood", text),
               "expected: HOST:GUEST with an absolute path in the image, like ./site:/srv/www"};
}

Result<PackSummary> pack(const PackRequest& request) {
  PackSummary summary;
  const char* search_path = std::getenv("PATH");
  auto program = find_program(request.program, search_path ? search_path : "/usr/bin:/bin");
  if (!program)
    return program.error();
  const auto name = program->path.filename().string();
  summary.program = request.guest_path.empty() ? program->path.string() : request.guest_path;
  summary.output = request.output.empty() ? fs::path(name + ".ukl") : request.output;
  auto settings = check_settings(request.settings, name);
  if (!settings)
    return settings.error();

  // The kernel comes early, because nothing is of use without one.
  auto kernel = choose_kernel(request);
  if (!kernel)
    return kernel.error();
  auto kernel_elf = read_kernel_elf(kernel->vmlinux, kKernelSymbols);
  if (!kernel_elf)
    return kernel_elf.error();
  summary.profile = kernel->profile;
  summary.kernel_hash = kernel->hash;
  summary.ring0 = kernel_elf->symbols.contains(kCallTable);
  auto manifest = make_manifest(request, *settings, *kernel, summary.program);

  // The program and its libraries bring this machine's links (/lib -> usr/lib); what is added later follows
  // them.
  RootTree tree;
  const auto folders = search_folders(request);
  if (auto added = add_program(tree, *program, request.guest_path, folders, summary); !added)
    return added.error();
  if (auto added = add_files(tree, request.files, folders, summary); !added)
    return added.error();
  if (auto added = add_defaults(tree, settings->hostname, settings->dns, settings->passwd_line); !added)
    return added.error();
  if (auto added = add_init(tree, manifest); !added)
    return added.error();

  std::vector<FileCalls> programs;
  auto payload =
      make_payload(tree, make_rewriter(summary, programs, kernel->vmlinux, request), request.compress);
  if (!payload)
    return payload.error();
  auto calls = call_records(request, programs, summary);
  if (!calls)
    return calls.error();
  manifest.insert(manifest.end(), calls->begin(), calls->end());
  if (auto written = write_image(summary.output, std::move(*kernel_elf), manifest, *payload); !written)
    return written.error();
  summary.payload_size = payload->size();
  std::error_code ignored;
  summary.image_size = fs::file_size(summary.output, ignored);
  summary.files = static_cast<std::size_t>(std::ranges::count(
      tree.entries(), TreeEntry::Type::file, [](const auto& entry) { return entry.second.type; }));
  return summary;
}

} // namespace ukl
