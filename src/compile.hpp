// SPDX-License-Identifier: GPL-2.0-only
// Calling the user's compiler, for `ukl build` and for the drivers ukl-cc and ukl-c++.
#pragma once

#include "support/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ukl {

enum class Language { c, cpp };

/// The compiler to call: $UKL_CC or gcc, $UKL_CXX or g++.
std::string compiler_of(Language language);

/// The options that every program gets: where <ukl/…> headers are found.
std::vector<std::string> common_options();

/// What a compiler's command line asks for, read as gcc(1) does.
struct CompilerCall {
  std::vector<std::string> arguments; ///< without the output
  std::filesystem::path output;       ///< -o; empty: the compiler's default
  std::vector<std::string> sources;   ///< arguments that are no options: sources, objects, libraries
  bool links = true;                  ///< makes a program (neither -c, -S, -E nor the like is given)
  bool optimises = false;             ///< an -O option is given
};
CompilerCall read_compiler_call(const std::vector<std::string>& arguments);

/// Compiles and links `call` to `output`. C sources are compiled as C and all others as C++, also mixed. The
/// compiler's messages go to standard error. Errors: missing_tool (no compiler), compile.
Result<void> compile(const CompilerCall& call, const std::filesystem::path& output);

/// Runs one finished command line. Errors as compile.
Result<void> run_compiler(const std::vector<std::string>& command);

} // namespace ukl
