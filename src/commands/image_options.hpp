// SPDX-License-Identifier: GPL-2.0-only
// The options that `ukl pack` and `ukl build` share.
#pragma once

#include "commands/old_call_options.hpp"
#include "image/pack.hpp"

#include <CLI/CLI.hpp>

namespace ukl {

/// What the options fill in.
struct ImageOptions {
  PackRequest request;
  std::vector<std::string> files; ///< --file, not yet split
  std::string calls = "auto";     ///< --calls
  std::vector<std::string> call;  ///< --call, in order
  OldCallOptions old_calls;
  std::string find_files; ///< --find-files: add, or another word to list them; empty: no
  bool json = false;
};

/// Adds -o, --file, --env and all others that describe the image.
void add_image_options(CLI::App& command, ImageOptions& options);

/// Packs as the options say and prints a summary, as text on standard error or as JSON on standard output.
Result<int> pack_and_report(const ImageOptions& options);

} // namespace ukl
