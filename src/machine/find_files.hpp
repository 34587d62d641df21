// SPDX-License-Identifier: GPL-2.0-only
// `ukl pack --find-files`: what an image lacks of this machine's files, found by running it once.
#pragma once

#include "support/reporter.hpp"
#include "support/result.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace ukl {

/// What one run of an image looked for in vain.
struct FoundFiles {
  std::vector<std::filesystem::path> here;    ///< this machine has it, and it may be added whole
  std::vector<std::filesystem::path> large;   ///< this machine has it, but as a folder of too many files
  std::vector<std::filesystem::path> nowhere; ///< folders in which the program wanted to make something
};

/// Runs the image, without network ports and volumes and with the program's output discarded, until it ends
/// or for `limit`. Errors: those of fit_machine and run_machine.
Result<FoundFiles> find_files(const std::filesystem::path& image, std::chrono::milliseconds limit,
                              Reporter& reporter);

/// Which of these paths (MachineSupervisor::missing) are worth telling.
FoundFiles sort_missing(const std::vector<std::string>& missing);

} // namespace ukl
