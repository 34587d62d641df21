// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/store.hpp"
#include "kernel/cache.hpp"
#include "support/files.hpp"
#include "support/places.hpp"
#include "support/process.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

Result<void> copy_one(const fs::path& from, const fs::path& to) {
  std::error_code failure;
  fs::copy_file(from, to, failure);
  if (failure)
    return file_error(to, "write", failure.value());
  return {};
}

// Copies an ELF file without what `options` names.
Result<void> copy_stripped(const std::vector<std::string>& options, const fs::path& from,
                           const fs::path& to) {
  std::vector<std::string> command = {"env", "LC_ALL=C", "objcopy"};
  command.insert(command.end(), options.begin(), options.end());
  command.insert(command.end(), {from, to});
  TRY_LET(auto output, run_command(command));
  if (output.status == 0)
    return {};
  const bool full = output.text.find("No space left on device") != std::string::npos;
  return Error{full ? Failure::disk_full : Failure::kernel_build,
               fmt::format("cannot copy {} to {}: {}", from.string(), to.string(), output.text),
               full ? "free some space and run the command again" : ""};
}

// Linux compiles its real-mode code with debugging sections, whatever the configuration says. They name the
// build's folder and do not get into the kernel, so they are left out of the hash.
Result<std::string> hash_object(const fs::path& path, const fs::path& scratch) {
  TRY_LET(auto bytes, read_file(path));
  const std::string_view debug = ".debug_";
  // A linker script names such sections too, but is text.
  if (path.extension() != ".o" ||
      std::search(bytes.begin(), bytes.end(), debug.begin(), debug.end()) == bytes.end())
    return sha256_hex(bytes);
  if (auto copied = copy_stripped({"--strip-debug"}, path, scratch); !copied)
    return copied.error();
  auto stripped = read_file(scratch);
  std::error_code ignored;
  fs::remove(scratch, ignored);
  if (!stripped)
    return stripped.error();
  return sha256_hex(*stripped);
}

Result<std::string> hash_objects(const fs::path& objects, const fs::path& scratch) {
  std::string list;
  for (const auto& path : object_files(objects)) {
    TRY_LET(auto hash, hash_object(objects / path, scratch));
    list += fmt::format("{}  {}\n", hash, path.string());
  }
  return list;
}

Result<void> fill(const KernelInputs& inputs, const fs::path& objects, const fs::path& log,
                  const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure)
    return file_error(folder, "create", failure.value());
  // Its relocations stay: images need them to move the kernel (kernel_relocations.hpp).
  if (auto copied = copy_stripped({"--strip-debug"}, objects / "vmlinux", folder / "vmlinux"); !copied)
    return copied;
  for (const auto& [from, to] :
       {std::pair(objects / ".config", "config"), {objects / "System.map", "System.map"}, {log, "build.log"}})
    TRY(copy_one(from, folder / to));
  // Only a kernel with modules has the one, and only one that UEFI starts the other.
  for (const auto& [from, to] :
       {std::pair("Module.symvers", "Module.symvers"), {"arch/x86/boot/bzImage", "bzImage"}})
    if (fs::exists(objects / from, failure))
      TRY(copy_one(objects / from, folder / to));
  TRY_LET(auto hashes, hash_objects(objects, folder / "scratch.o"));
  TRY(write_text(folder / "objects.sha256", hashes));
  return write_text(folder / "inputs", inputs.description);
}

} // namespace

std::vector<fs::path> object_files(const fs::path& objects) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (fs::recursive_directory_iterator entry(objects, ignored), end; entry != end;
       entry.increment(ignored)) {
    const fs::path path = entry->path().lexically_relative(objects);
    const std::string name = path.filename();
    const bool of_the_host = path == "scripts" || path == "tools" || path == "arch/x86/tools";
    if (entry->is_directory(ignored)) {
      if (of_the_host)
        entry.disable_recursion_pending();
    } else if (path.extension() == ".lds" ||
               (path.extension() == ".o" && name != "vmlinux.o" && !name.starts_with(".tmp_"))) {
      files.push_back(path);
    }
  }
  std::ranges::sort(files);
  return files;
}

Result<Kernel> store_kernel(const KernelInputs& inputs, const fs::path& objects, const fs::path& log) {
  const fs::path folder = cache_folder() / "kernels" / (inputs.profile + "-" + inputs.hash);
  const fs::path unfinished = folder.string() + ".new";
  std::error_code failure;
  fs::remove_all(unfinished, failure);
  if (auto filled = fill(inputs, objects, log, unfinished); !filled) {
    fs::remove_all(unfinished, failure);
    return filled.error();
  }
  fs::rename(unfinished, folder, failure);
  if (failure)
    return file_error(folder, "write", failure.value());
  return kernel_in(folder, inputs.profile, inputs.hash);
}

} // namespace ukl
