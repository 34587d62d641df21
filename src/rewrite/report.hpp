// SPDX-License-Identifier: GPL-2.0-only
// What `ukl inspect --syscalls` shows.
#pragma once

#include "rewrite/rewriter.hpp"

#include <nlohmann/json_fwd.hpp>

namespace ukl {

/// "jump-by-number", "jump-indexed" or "left".
std::string_view treatment_name(Treatment treatment);

/// Why a site was left alone, as part of a sentence; empty for Reason::none.
std::string_view reason_text(Reason reason);

/// A table of one file's sites for people, each line ended by a newline.
std::string report_text(const RewriteReport& report);

/// The same for programs: {"file", "already_rewritten", "kept" (why the whole file
/// stays as it is, or empty), "unknown_numbers", "known": [{"number", "name"}],
/// "counts": {treatment: n}, "sites": [{"address", "function", "numbers", "treatment", "reason"}]}.
nlohmann::json report_json(const RewriteReport& report);

} // namespace ukl
