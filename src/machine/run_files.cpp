// SPDX-License-Identifier: GPL-2.0-only
#include "machine/run_files.hpp"

#include "support/files.hpp"
#include "ukl/run_settings.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <sys/stat.h>

namespace ukl {
namespace {

// A whole block is in the machine's memory; larger files belong into a volume.
constexpr std::uintmax_t kLargestFile = 16 << 20;

Result<std::string> contents_of(const std::filesystem::path& file, const char* option) {
  std::error_code failure;
  const auto size = std::filesystem::file_size(file, failure);
  if (failure)
    return file_error(file, "read", failure.value());
  if (size > kLargestFile)
    return Error{Failure::usage,
                 fmt::format("{} is too large for {}: {} MiB", file.string(), option, size >> 20),
                 "at most 16 MiB; let the program see it with --volume"};
  return read_text(file);
}

} // namespace

Result<std::string> read_variable(const std::string& text, const Environment& here) {
  const auto equals = text.find('=');
  if (text.empty() || equals == 0)
    return Error{Failure::usage, fmt::format("'{}' sets no variable", text),
                 "write --env NAME=VALUE, or --env NAME for the value that it has here"};
  if (equals != std::string::npos)
    return text;
  const auto value = here(text);
  if (!value)
    return Error{Failure::usage, fmt::format("the variable {} is not set here", text),
                 fmt::format("write --env {}=VALUE", text)};
  return text + "=" + *value;
}

Result<std::vector<std::string>> read_variables(const std::filesystem::path& file, const Environment& here) {
  auto text = contents_of(file, "--env-file");
  if (!text)
    return text.error();
  std::vector<std::string> variables;
  std::size_t number = 0;
  for (std::size_t start = 0; start < text->size();) {
    const auto end = std::min(text->find('\n', start), text->size());
    auto line = text->substr(start, end - start);
    start = end + 1;
    ++number;
    if (line.ends_with('\r'))
      line.pop_back();
    if (line.empty() || line.starts_with('#'))
      continue;
    auto variable = read_variable(line, here);
    if (!variable)
      return Error{variable.error().failure,
                   fmt::format("{}, line {}: {}", file.string(), number, variable.error().message),
                   "write NAME=VALUE, or NAME for the value that it has here"};
    variables.push_back(std::move(*variable));
  }
  return variables;
}

Result<std::pair<std::string, std::string>> read_config(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 >= text.size() || text[colon + 1] != '/' ||
      text.ends_with('/'))
    return Error{Failure::usage, fmt::format("--config {} is not understood", text),
                 "expected: HOST:GUEST, a file here and an absolute path for it there"};
  const std::filesystem::path file = text.substr(0, colon);
  struct stat status = {};
  if (stat(file.c_str(), &status) != 0)
    return file_error(file, "read", errno);
  if (!S_ISREG(status.st_mode))
    return Error{Failure::usage, fmt::format("--config {}: it is not a file", file.string()),
                 "a folder is a volume: --volume HOST:GUEST:ro"};
  auto contents = contents_of(file, "--config");
  if (!contents)
    return contents.error();
  const auto guest = std::filesystem::path(text.substr(colon + 1)).lexically_normal().string();
  std::string value = fmt::format("{:o} {}", status.st_mode & 0777, guest);
  value += '\0';
  return std::pair(std::string(key::file), value + *contents);
}

Result<std::pair<std::string, std::string>> read_secret(const std::string& text, const Environment& here) {
  const auto equals = text.find('=');
  const auto name = text.substr(0, equals);
  if (name.empty() || name.find('/') != std::string::npos || name == "." || name == "..")
    return Error{Failure::usage, fmt::format("--secret {} is not understood", name),
                 "expected: NAME=FILE, NAME=$VARIABLE, or NAME for the value of that variable here"};
  std::string value = name;
  value += '\0';
  const auto from = equals == std::string::npos ? "$" + name : text.substr(equals + 1);
  if (from.starts_with('$')) {
    const auto secret = here(from.substr(1));
    if (!secret)
      return Error{Failure::usage, fmt::format("the variable {} is not set here", from.substr(1)),
                   fmt::format("write --secret {}=FILE", name)};
    return std::pair(std::string(key::secret), value + *secret);
  }
  auto secret = contents_of(from, "--secret");
  if (!secret)
    return secret.error();
  return std::pair(std::string(key::secret), value + *secret);
}

} // namespace ukl
