// SPDX-License-Identifier: GPL-2.0-only
// What an image keeps of where its files came from, so that it can be listed later (image/sbom.hpp):
// packages, and which file is of which. It lies in the image's file right before the payload and in none of
// its segments, so no machine ever loads it. Names and hashes of files are not in it: the payload has them.
#pragma once

#include "contents/root_tree.hpp"
#include "image/image_kernel.hpp"
#include "image/write.hpp"

namespace ukl {

struct Bill {
  /// Where a file is from: one of these, or kFirstPackage and the index of a package.
  static constexpr std::uint64_t kNobody = 0, kUkl = 1, kFirstPackage = 2;

  std::string tool;                 ///< version of ukl
  std::optional<std::int64_t> time; ///< SOURCE_DATE_EPOCH, if that was set: seconds since 1970
  std::string linux_version;        ///< 6.1.140; empty: not known
  std::string linux_source;         ///< SHA-256 of the archive of Linux's source; empty: not known
  std::vector<Package> packages;
  std::vector<std::uint64_t> owners; ///< of each regular file, sorted by their paths
  std::vector<bool> changed;         ///< likewise: ukl changed its contents (system calls became jumps)
};

/// The bill of a tree as it will be packed. Files that no source says a package of are looked up in this
/// machine's own database. `newest` as in Places.
Bill make_bill(const RootTree& tree, const ImageKernel& kernel, std::int64_t newest);

/// As text, the same for the same bill.
std::string encode_bill(const Bill& bill);

/// Nothing if it is not one, or damaged.
std::optional<Bill> decode_bill(const std::string& text);

/// Bytes that an image's takes; 0 if it has none, or says something else than a number.
std::uint64_t bill_size(const ImageInfo& info);

/// Reads an image's. Errors: other_version (it has none), not_an_image (damaged), not_found, unreadable.
Result<Bill> read_bill(const std::filesystem::path& image, const ImageInfo& info);

} // namespace ukl
