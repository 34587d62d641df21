// SPDX-License-Identifier: GPL-2.0-only
// Stacks that were seen, added up: as a table of functions, and as a picture whose boxes are as wide as the
// share of time that a function and all that it calls took.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ukl {

struct Call {
  std::string name;
  bool kernel = false;
  auto operator<=>(const Call&) const = default; // NOLINT(modernize-use-nullptr): clang-tidy 14 sees a 0
};

/// A call and those that it made, with how often each was seen.
struct CallTree {
  std::uint64_t seen = 0;
  std::map<Call, CallTree> calls;

  /// `stack`: the outermost call first.
  void add(const std::vector<Call>& stack);
};

struct FunctionShare {
  Call call;
  double own = 0; ///< of all samples, those in which it ran itself
  double all = 0; ///< and those in which it or what it had called ran
};

/// By `own`, the largest first.
std::vector<FunctionShare> function_shares(const CallTree& tree);
/// The first `most` rows of it, for a terminal.
std::string function_table(const CallTree& tree, std::size_t most);
/// An SVG. Boxes have their whole name and share as a tooltip.
std::string flame_graph(const CallTree& tree, const std::string& title);

} // namespace ukl
