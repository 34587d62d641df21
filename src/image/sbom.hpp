// SPDX-License-Identifier: GPL-2.0-only
// The software bill of materials of an image, as CycloneDX 1.5 has it (cyclonedx.org, ECMA-424): packages
// with their licences and files, files of no package, the kernel and ukl's own parts.
//
// CycloneDX and not SPDX 2.3, because it asks for no time and for no SHA-1 of each file, so that what it says
// depends on the image alone; and because what looks for known weaknesses reads package URLs, which are its
// own.
#pragma once

#include "image/write.hpp"

#include <map>

namespace ukl {

/// All of it as JSON text, the same for the same image wherever it lies. Errors: those of read_bill and
/// read_payload.
Result<std::string> make_sbom(const std::filesystem::path& image, const ImageInfo& info);

/// Names and versions of what is in the image, sorted, by their licences. Errors: those of read_bill.
Result<std::map<std::string, std::vector<std::string>>> image_licences(const std::filesystem::path& image,
                                                                       const ImageInfo& info);

} // namespace ukl
