// SPDX-License-Identifier: GPL-2.0-only
// What a run brings with it from this machine: variables, configuration files and secrets.
#pragma once

#include "support/result.hpp"
#include "ukl/manifest.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ukl {

/// A variable of this machine's environment; nothing if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// `NAME=VALUE`, or `NAME` for the value that it has here. Returns NAME=VALUE. Error: usage (no name, or not
/// set here).
Result<std::string> read_variable(const std::string& text, const Environment& here);

/// A file of such lines; empty ones and those that begin with # are left out. Errors: not_found, unreadable,
/// usage (with the line's number).
Result<std::vector<std::string>> read_variables(const std::filesystem::path& file, const Environment& here);

/// `HOST:GUEST`: the record of one file (key::file), with its permissions. Errors: usage, not_found,
/// unreadable.
Result<std::pair<std::string, std::string>> read_config(const std::string& text);

/// `NAME=FILE`, `NAME=$VARIABLE`, or `NAME` for the value of that variable here: the record of a secret
/// (key::secret). Errors: usage, not_found, unreadable. No message holds a secret.
Result<std::pair<std::string, std::string>> read_secret(const std::string& text, const Environment& here);

} // namespace ukl
