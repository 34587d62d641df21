// SPDX-License-Identifier: GPL-2.0-only
// What the bytes of an image's file are, and those of the least memory that it runs in.
#pragma once

#include "image/memory.hpp"

namespace ukl {

/// A part with its name and bytes; those of its own parts are among them.
struct Part {
  std::string name;
  std::uint64_t bytes = 0;
  std::vector<Part> parts;
};

/// The file, and the memory while Linux unpacks the payload, which is when most of it is taken. Files of the
/// root tree are by name, the small ones together. Errors: those of read_payload.
Result<std::pair<Part, Part>> image_makeup(const std::filesystem::path& image, const ImageInfo& info);

} // namespace ukl
