// SPDX-License-Identifier: GPL-2.0-only
// The recipe of an image: it goes one way, each pass takes values and gives values.
#include "image/pack.hpp"
#include "image/bill.hpp"
#include "image/decide_calls.hpp"
#include "image/fit_kernel.hpp"
#include "image/gather.hpp"
#include "image/payload.hpp"
#include "image/sbom.hpp"
#include "image/sourced_request.hpp"
#include "support/overwriting.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// Files that the request names itself.
std::vector<fs::path> named_inputs(const PackRequest& request, const Program& program,
                                   const std::optional<Source>& source) {
  std::vector<fs::path> inputs = {request.kernel, program.file};
  if (source)
    inputs.insert(inputs.end(), source->files.begin(), source->files.end());
  for (const auto& file : request.files)
    inputs.push_back(file.host);
  inputs.insert(inputs.end(), request.calls.lists.begin(), request.calls.lists.end());
  return inputs;
}

Manifest make_manifest(const PackRequest& request, const Manifest& settings, const FittedKernel& fitted,
                       const std::string& program, const CallTable& calls) {
  Manifest manifest;
  manifest.emplace_back(key::format, kImageFormat);
  manifest.emplace_back(key::profile, fitted.kernel.kernel.profile);
  if (!fitted.reason.empty())
    manifest.emplace_back(key::fit, fitted.reason);
  for (const auto& word : fitted.lacks)
    manifest.emplace_back(key::lacks, word);
  manifest.emplace_back(key::kernel, fitted.kernel.kernel.hash);
  manifest.emplace_back(key::argument, program);
  for (const auto& argument : request.arguments)
    manifest.emplace_back(key::argument, argument);
  if (request.entry != 1)
    manifest.emplace_back(key::entry, std::to_string(request.entry));
  manifest.insert(manifest.end(), settings.begin(), settings.end());
  const auto records = call_records(calls);
  manifest.insert(manifest.end(), records.begin(), records.end());
  return manifest;
}

// Also what a container's engine sets for it, which a kernel without a network does not have.
void leave_network_out(Manifest& settings) {
  for (const auto name : {key::address, key::gateway, key::route, key::dns})
    remove_values(settings, name, 0);
  std::erase_if(settings, [](const auto& record) {
    return record.first == key::sysctl && record.second.starts_with(kFirstFreePort);
  });
}

// What the archive cannot carry, and what a container image says to people and tools.
void add_attributes(const RootTree& tree, const SourcedRequest& sourced, Manifest& manifest) {
  for (const auto& [path, entry] : tree.entries())
    if (!entry.capability.empty())
      manifest.emplace_back(key::capability, fmt::format("{}:{}", entry.capability, path));
  if (!sourced.source || !sourced.program_in_source)
    return;
  for (const auto& label : sourced.source->labels)
    manifest.emplace_back(key::label, label);
  if (sourced.source->background)
    manifest.emplace_back(key::background, "1");
  if (!sourced.source->health.empty())
    manifest.emplace_back(key::health, sourced.source->health);
}

bool asks_for_network(const GuestSettings& settings) {
  return !settings.addresses.empty() || !settings.gateways.empty() || !settings.routes.empty() ||
         !settings.dns.empty() || !settings.ports.empty();
}

PayloadKind kind_of_payload(const PackRequest& request, const KernelElf& kernel) {
  if (request.compress)
    return PayloadKind::compressed;
  return kernel.symbols.contains(kImageFiles) ? PayloadKind::in_place : PayloadKind::archive;
}

std::size_t count_files(const RootTree& tree) {
  return static_cast<std::size_t>(std::ranges::count(tree.entries(), TreeEntry::Type::file,
                                                     [](const auto& entry) { return entry.second.type; }));
}

// Neither has to be there.
bool is_same_place(const fs::path& one, const fs::path& other) {
  std::error_code ignored;
  return !one.empty() && fs::weakly_canonical(one, ignored) == fs::weakly_canonical(other, ignored);
}

} // namespace

Result<PackSummary> pack(const PackRequest& asked) {
  // What comes from elsewhere than this machine, and what it says of itself.
  TRY_LET(const auto sourced, read_sources(asked));
  const auto& request = sourced.request;

  // What the user means by PROGRAM: the image, the machine and its first argument are named after it.
  // Of this and of all that follows each ELF file is read once.
  ElfFiles elf_files;
  RootTree program_tree;
  if (sourced.program_in_source) {
    TRY_LET(program_tree, tree_of_program(sourced));
  }
  const auto view = sourced.program_in_source ? view_of_tree(program_tree) : view_of_machine();
  TRY_LET(const auto program, find_program(request.program, sourced.search_path, elf_files, *view));
  const auto name = sourced.name.empty() ? program.path.filename().string() : sourced.name;
  const auto output = request.output.empty() ? fs::path(name + ".ukl") : request.output;

  // What the user says, before any work is done for it.
  const auto inputs = named_inputs(request, program, sourced.source);
  TRY(refuse_overwriting(output, inputs));
  TRY(refuse_overwriting(request.sbom, inputs));
  if (is_same_place(request.sbom, output))
    return Error{Failure::usage, fmt::format("--sbom {} is the image itself", request.sbom.string()),
                 "give it a name of its own"};
  TRY_LET(const auto settings, check_settings(request.settings, name));

  // The kernel, because nothing is of use without one, and because it says whether there is a gate.
  TRY_LET(auto first, first_kernel(request.profile, request.kernel));

  // Every file of the image under its name there: what the program's loader will open, what the user adds,
  // and what every image has. Only the manifest comes later, because what it says of system calls depends on
  // them.
  TRY_LET(auto files, gather(sourced, program, settings, output, elf_files));

  // The code among them, each file with a plan of its system-call sites, which the next two passes need.
  const bool rewrite = first.gate && request.rewrite;
  const bool planned = rewrite || (first.gate && decides_by_programs(request.calls));
  TRY_LET(auto elves, read_elves(files.tree, std::move(elf_files), planned));

  // Which system calls are answered, and how: while the code still is as its compiler left it.
  const auto calls = decide_calls(request.calls, elves, files.tree, first.gate);

  // Without a network where nobody can ask for one, unless the user does.
  auto surroundings = settings.manifest;
  if (!asks_for_network(request.settings) && !may_open_sockets(calls))
    leave_network_out(surroundings);

  // A kernel that has all of this, and no more than it must.
  const KernelWishes wishes{request.profile, request.kernel, surroundings};
  TRY_LET(auto fitted, fit_kernel(std::move(first), wishes, calls));
  auto& kernel = fitted.kernel;

  // Where the kernel functions are that programs call by name: from here on the image is for this kernel
  // alone.
  TRY_LET(elves, link_kernel_functions(std::move(elves), kernel.kernel.vmlinux));

  // Jumps through the gate in place of system calls. The tree now has the code as it will run.
  TRY_LET(const auto rewritten, change_elves(files.tree, std::move(elves), rewrite));

  // What init and `ukl run` have to know, complete before anybody writes it.
  const auto guest_path = request.guest_path.empty() ? program.path.string() : request.guest_path;
  auto manifest = make_manifest(request, surroundings, fitted, guest_path, calls.table);
  add_attributes(files.tree, sourced, manifest);
  TRY(files.tree.add(kManifestPath, text_entry(encode_manifest(manifest), 0600)));

  // Where all of this came from.
  const auto bill = encode_bill(make_bill(files.tree, kernel, request.places.newest));

  // All files: an archive, which Linux unpacks, and behind it those that need not be copied.
  TRY_LET(const auto payload,
          make_payload(files.tree, kind_of_payload(request, kernel.elf), request.places.newest));

  // One file that boots. Its note repeats the manifest, for whoever does not unpack the archive, and says
  // of that what cannot stand within it.
  manifest.emplace_back(key::tree, encode_tree_size(payload.size));
  manifest.emplace_back(key::bill, std::to_string(bill.size()));
  manifest.emplace_back(key::archive, fmt::format("{}:{}", payload.archive_size, payload.in_place));
  TRY(write_image(
      output, std::move(kernel.elf), manifest, calls.table, payload.bytes,
      {files.mode, request.compress, payload.archive_size, payload.in_place, request.reporter, bill}));

  TRY_LET(const auto image, read_image(output));
  if (!request.sbom.empty()) {
    TRY_LET(const auto sbom, make_sbom(output, image));
    TRY(write_text(request.sbom, sbom, files.mode));
  }
  PackSummary summary;
  summary.output = output;
  summary.program = guest_path;
  summary.profile = kernel.kernel.profile;
  summary.fit = fitted.reason;
  summary.kernel_hash = kernel.kernel.hash;
  summary.image_size = image.file_size;
  summary.payload_size = payload.bytes.size();
  summary.files = count_files(files.tree);
  summary.libraries = std::move(files.libraries);
  summary.skipped = std::move(files.skipped);
  summary.missing = std::move(files.missing);
  summary.notes = std::move(files.notes);
  summary.notes.insert(summary.notes.end(), fitted.notes.begin(), fitted.notes.end());
  summary.memory = memory_need(image, payload.size);
  summary.ring0 = kernel.gate;
  summary.sites = rewritten.sites;
  summary.sites_left = rewritten.left;
  summary.kept = rewritten.kept;
  summary.kernel_positions = kernel.positions;
  summary.kernel_obstacle = kernel.obstacle;
  summary.answered = calls.answered;
  summary.doubts = calls.doubts;
  summary.calls = calls.by_file;
  return summary;
}

} // namespace ukl
