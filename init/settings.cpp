// SPDX-License-Identifier: GPL-2.0-only
#include "settings.hpp"

#include "command_line.hpp"
#include "ending.hpp"
#include "ukl/run_settings.hpp"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ukl::init {

std::string read_whole(const char* path) {
  std::string text;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return text;
  char buffer[4096];
  ssize_t got;
  while ((got = read(fd, buffer, sizeof buffer)) > 0)
    text.append(buffer, static_cast<std::size_t>(got));
  close(fd);
  return text;
}

namespace {

// The block that the loader gave, without its header; empty if there is none.
std::string read_block() {
  char path[64];
  for (int node = 0;; ++node) {
    snprintf(path, sizeof path, "%s/%d/type", kSetupDataFolder, node);
    const std::string type = read_whole(path);
    if (type.empty())
      return {};
    if (strtoul(type.c_str(), nullptr, 16) != kRunSettingsType)
      continue;
    snprintf(path, sizeof path, "%s/%d/data", kSetupDataFolder, node);
    if (chmod(path, 0400) != 0)
      fail(std::string("cannot protect ") + path + reason());
    return read_whole(path);
  }
}

Manifest read_additions() {
  auto settings = decode_run_settings(read_block());
  if (!settings)
    fail("the settings of this run are damaged");
  for (auto& word : command_line_words(read_whole("/proc/cmdline")))
    settings->push_back(std::move(word));
  return std::move(*settings);
}

Manifest& run_settings() {
  static Manifest settings = read_additions();
  return settings;
}

Manifest& cloud_settings() {
  static Manifest settings;
  return settings;
}

} // namespace

const Manifest& read_run_settings() {
  return run_settings();
}

Manifest take_run_settings(const Manifest& more) {
  add_run_settings(run_settings(), more);
  return read_settings();
}

Manifest take_cloud_settings(const Manifest& said) {
  add_run_settings(cloud_settings(), said);
  return read_settings();
}

Manifest read_settings() {
  const std::string text = read_whole(kManifestPath);
  if (text.empty())
    fail(std::string("cannot read ") + kManifestPath + reason());
  Manifest manifest = decode_manifest(text);
  const std::string format = value_of(manifest, key::format);
  if (format != kImageFormat)
    fail("the image has format '" + format + "', and its init knows '" + kImageFormat + "'");
  add_run_settings(manifest, cloud_settings());
  add_run_settings(manifest, read_run_settings());
  return manifest;
}

} // namespace ukl::init
