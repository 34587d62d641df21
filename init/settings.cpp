// SPDX-License-Identifier: GPL-2.0-only
#include "settings.hpp"

#include "command_line.hpp"
#include "ending.hpp"

#include <fcntl.h>
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

Manifest read_settings() {
  const std::string text = read_whole(kManifestPath);
  if (text.empty())
    fail(std::string("cannot read ") + kManifestPath + reason());
  Manifest manifest = decode_manifest(text);
  const std::string format = value_of(manifest, key::format);
  if (format != kImageFormat)
    fail("the image has format '" + format + "', and its init knows '" + kImageFormat + "'");
  add_command_line(manifest, read_whole("/proc/cmdline"));
  return manifest;
}

} // namespace ukl::init
