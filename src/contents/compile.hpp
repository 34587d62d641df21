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

/// Compiles and links `call` to `output`, whose folder is a temporary one of ours. C sources are compiled as
/// C and all others as C++, also mixed. The compiler's messages go to standard error. Errors: missing_tool
/// (no compiler), compile, usage (`image`, which is to be written in the end, is one of the files that the
/// compiler reads), interrupted.
Result<void> compile(const CompilerCall& call, const std::filesystem::path& output,
                     const std::filesystem::path& image);

/// Adds `-o OUTPUT` to a command line of the compiler and runs it. Its own temporary files go into that
/// folder too, so that they are gone with it however this ends. Errors as compile.
Result<void> run_compiler(std::vector<std::string> command, const std::filesystem::path& output,
                          const std::filesystem::path& image);

} // namespace ukl
