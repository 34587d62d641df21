// SPDX-License-Identifier: GPL-2.0-only
#include "support/overwriting.hpp"
#include "support/files.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

namespace ukl {

namespace fs = std::filesystem;

Result<void> refuse_overwriting(const fs::path& output, const std::vector<fs::path>& inputs) {
  struct stat written = {};
  if (stat(output.c_str(), &written) != 0)
    return {};
  for (const auto& input : inputs) {
    struct stat read = {};
    if (stat(input.c_str(), &read) == 0 && read.st_dev == written.st_dev && read.st_ino == written.st_ino)
      return Error{Failure::usage,
                   input == output ? fmt::format("{} is an input and the output", output.string())
                                   : fmt::format("the output {} is the same file as the input {}",
                                                 output.string(), input.string()),
                   "choose another output with -o"};
  }
  return {};
}

std::vector<fs::path> possible_inputs(const std::vector<std::string>& arguments) {
  std::vector<fs::path> inputs;
  for (const auto& argument : arguments) {
    inputs.emplace_back(argument);
    if (argument.starts_with('@'))
      inputs.emplace_back(argument.substr(1));
    for (const char divider : {'=', ','})
      if (const auto at = argument.rfind(divider); at != std::string::npos)
        inputs.emplace_back(argument.substr(at + 1));
  }
  return inputs;
}

std::vector<fs::path> read_dependencies(const fs::path& rules) {
  auto text = read_text(rules);
  if (!text)
    return {};
  std::vector<fs::path> files;
  std::string word;
  const auto end_word = [&] {
    // "main.o:" is a target.
    if (!word.empty() && !word.ends_with(':'))
      files.emplace_back(word);
    word.clear();
  };
  for (std::size_t i = 0; i < text->size(); ++i) {
    const char letter = (*text)[i];
    const char next = i + 1 < text->size() ? (*text)[i + 1] : '\0';
    if (letter == '\\' && next == '\n') {
      end_word();
      ++i;
    } else if ((letter == '\\' && (next == ' ' || next == '#' || next == '\\')) ||
               (letter == '$' && next == '$')) {
      word += next;
      ++i;
    } else if (letter == ' ' || letter == '\n' || letter == '\t') {
      end_word();
    } else {
      word += letter;
    }
  }
  end_word();
  return files;
}

} // namespace ukl
