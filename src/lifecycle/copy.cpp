// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/copy.hpp"
#include "lifecycle/exec_client.hpp"
#include "support/interrupt.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// Of a file that is read into our memory.
constexpr std::size_t kMostText = 16 << 20;

Error interrupted_while(const std::string& what) {
  return {Failure::interrupted, fmt::format("interrupted while copying {}", what), ""};
}

// Gives all output to `take` until the end; a status that is not 0 is an error.
template <typename Take> Result<void> receive_all(ExecClient& client, const std::string& what, Take take) {
  while (true) {
    pollfd events[] = {{client.descriptor(), POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}};
    poll(events, 2, -1);
    if (interrupted())
      return interrupted_while(what);
    if (!events[0].revents)
      continue;
    TRY_LET(const auto packet, client.receive());
    if (packet.kind == exec::kEnd)
      return {};
    if (packet.kind == exec::kOutput) {
      TRY(take(packet.bytes));
      client.taken(packet.bytes.size());
    }
  }
}

// `TYPE MODE SIZE PATH`
struct Listed {
  char type = 0;
  unsigned mode = 0;
  std::string path;
};

Result<std::vector<Listed>> list(const KnownMachine& machine, const std::string& path) {
  TRY_LET(auto client, ExecClient::start(machine, {{"list", path}}));
  std::string text;
  TRY(receive_all(client, path, [&](const std::string& bytes) -> Result<void> {
    text += bytes;
    return {};
  }));
  std::vector<Listed> found;
  for (std::size_t start = 0, end; (end = text.find('\0', start)) != std::string::npos; start = end + 1) {
    const auto record = text.substr(start, end - start);
    char* after = nullptr;
    Listed one{record[0], static_cast<unsigned>(std::strtoul(record.c_str() + 1, &after, 8)) & 0777, ""};
    std::strtoull(after, &after, 10);
    if (*after != ' ')
      continue;
    one.path = after + 1;
    found.push_back(std::move(one));
  }
  return found;
}

Result<void> get(const KnownMachine& machine, const std::string& from, const fs::path& to, unsigned mode) {
  TRY_LET(auto client, ExecClient::start(machine, {{"get", from}}));
  TRY_LET(auto file, AtomicFile::create(to, mode));
  TRY(receive_all(client, from, [&](const std::string& bytes) {
    return file.write({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  }));
  return file.commit();
}

Result<void> put(const KnownMachine& machine, const fs::path& from, const std::string& to, unsigned mode) {
  const FileDescriptor file(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return file_error(from, "read", errno);
  TRY_LET(auto client, ExecClient::start(machine, {{"put", to}, {"mode", fmt::format("{:o}", mode)}}));
  bool more = true;
  while (true) {
    pollfd events[] = {{client.descriptor(), POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}};
    poll(events, 2, more && client.may_send() ? 0 : -1);
    if (interrupted())
      return interrupted_while(from.string());
    if (events[0].revents) {
      TRY_LET(const auto packet, client.receive());
      if (packet.kind == exec::kEnd)
        return {};
      continue;
    }
    if (!more || !client.may_send())
      continue;
    char buffer[exec::kMostBytes];
    const ssize_t got = read(file.get(), buffer, sizeof buffer);
    if (got < 0)
      return file_error(from, "read", errno);
    more = got > 0;
    if (more)
      client.send_input(std::string_view(buffer, static_cast<std::size_t>(got)));
    else
      client.send(exec::kInputEnd);
  }
}

// The path below the folder that was asked for, if it is one that stays below it.
std::optional<fs::path> below(const std::string& path, const std::string& root) {
  if (!path.starts_with(root))
    return std::nullopt;
  const fs::path relative = fs::path(path.substr(root.size())).relative_path().lexically_normal();
  if (std::ranges::find(relative, "..") != relative.end())
    return std::nullopt;
  return relative;
}

std::string last_name(const std::string& path) {
  const auto normal = fs::path(path + "/").lexically_normal().parent_path();
  return normal.filename().empty() ? "root" : normal.filename().string();
}

} // namespace

Result<void> copy_from(const KnownMachine& machine, const std::string& from, const fs::path& to) {
  TRY_LET(const auto files, list(machine, from));
  if (files.empty())
    return Error{Failure::not_found, fmt::format("{} has no file {}", machine.plan.name, from), ""};
  std::error_code error;
  const auto target = fs::is_directory(to, error) ? to / last_name(from) : to;
  if (files[0].type != 'd')
    return get(machine, files[0].path, target, files[0].mode);
  for (const auto& file : files) {
    const auto relative = below(file.path, files[0].path);
    // A hostile machine may list what it likes.
    if (!relative)
      continue;
    const auto place = *relative == "." || relative->empty() ? target : target / *relative;
    if (file.type == 'd') {
      fs::create_directory(place, error);
      if (error)
        return file_error(place, "write", error.value());
      fs::permissions(place, static_cast<fs::perms>(file.mode | 0700), error);
    } else if (auto copied = get(machine, file.path, place, file.mode); !copied) {
      // A link to a folder, or to nowhere.
      if (file.type != 'l' || copied.error().failure != Failure::not_found)
        return copied;
    }
  }
  return {};
}

Result<void> copy_to(const KnownMachine& machine, const fs::path& from, const std::string& to) {
  struct stat info = {};
  if (stat(from.c_str(), &info) != 0)
    return file_error(from, "read", errno);
  std::string target = to;
  // Into a folder by its own name, as cp does it.
  const auto there = list(machine, to);
  if (there && !there->empty() && (*there)[0].type == 'd')
    target = (to == "/" ? "" : to) + "/" + last_name(fs::absolute(from).string());
  if (!S_ISDIR(info.st_mode))
    return put(machine, from, target, info.st_mode & 0777);
  const auto make = [&](const std::string& path, unsigned mode) -> Result<void> {
    TRY_LET(auto client, ExecClient::start(machine, {{"folder", path}, {"mode", fmt::format("{:o}", mode)}}));
    return receive_all(client, path, [](const std::string&) { return Result<void>(); });
  };
  TRY(make(target, info.st_mode & 0777));
  std::error_code error;
  for (fs::recursive_directory_iterator entry(from, error), end; !error && entry != end;
       entry.increment(error)) {
    if (interrupted())
      return interrupted_while(from.string());
    const auto place = target + "/" + fs::relative(entry->path(), from, error).string();
    if (stat(entry->path().c_str(), &info) != 0)
      continue; // a link to nowhere
    if (entry->is_directory(error) && !entry->is_symlink(error)) {
      TRY(make(place, info.st_mode & 0777));
    } else if (S_ISREG(info.st_mode)) {
      TRY(put(machine, entry->path(), place, info.st_mode & 0777));
    }
  }
  if (error)
    return file_error(from, "read", error.value());
  return {};
}

Result<std::string> read_from(const KnownMachine& machine, const std::string& path) {
  TRY_LET(auto client, ExecClient::start(machine, {{"get", path}}));
  std::string text;
  TRY(receive_all(client, path, [&](const std::string& bytes) -> Result<void> {
    text += bytes;
    if (text.size() > kMostText)
      return Error{Failure::machine, fmt::format("{} of {} has no end", path, machine.plan.name), ""};
    return {};
  }));
  return text;
}

} // namespace ukl
