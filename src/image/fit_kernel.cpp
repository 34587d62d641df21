// SPDX-License-Identifier: GPL-2.0-only
#include "image/fit_kernel.hpp"
#include "target/syscall_names.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>

namespace ukl {
namespace {

// Sentences about what an image asks for and a kernel lacks.
std::vector<std::string> missing_parts(const KernelLacks& lacks, const Manifest& settings,
                                       const std::vector<std::string>& calls) {
  std::vector<std::string> missing;
  for (const auto& word : needed_features(settings))
    if (std::ranges::find(lacks.features, word) != lacks.features.end())
      missing.emplace_back(feature_meaning(word));
  if (!calls.empty())
    missing.push_back(
        fmt::format("the system call{} {}", calls.size() == 1 ? "" : "s", fmt::join(calls, ", ")));
  return missing;
}

bool known(const ChosenCalls& calls) {
  return calls.doubts.empty();
}

std::vector<std::string> answered_of(const ChosenCalls& calls, const std::set<std::uint32_t>& among) {
  std::vector<std::string> names;
  for (const auto number : among)
    if (calls.table[number] != CallKind::masked)
      names.emplace_back(syscall_name(number));
  return names;
}

// With one of these answered there may be something for a second CPU to do.
std::vector<std::string> calls_that_fork(const ChosenCalls& calls) {
  std::set<std::uint32_t> forks;
  for (const auto* name : {"clone", "clone3", "fork", "vfork"})
    forks.insert(*syscall_number(name));
  return answered_of(calls, forks);
}

// Why the small profile is not tried, or nothing.
std::string too_much_for_small(const ChosenCalls& calls) {
  if (!known(calls))
    return "it is not known which system calls the image makes";
  if (const auto forks = calls_that_fork(calls); !forks.empty())
    return fmt::format("it may start threads or processes ({})", fmt::join(forks, ", "));
  return {};
}

bool is_small(const std::string& profile) {
  return std::ranges::find(kSmallProfiles, profile) != std::end(kSmallProfiles);
}

// The user's own choice: what it lacks and `general` does not is an error where the image is known to ask for
// it.
Result<FittedKernel> check_choice(ImageKernel first, const Manifest& settings, const ChosenCalls& calls) {
  TRY_LET(auto lacks, kernel_lacks(first.kernel));
  const auto profile = first.kernel.profile;
  if (const auto general = find_kernel(profile_name(kGeneralProfile, parse_profile(profile).release))) {
    TRY_LET(const auto everywhere, kernel_lacks(*general));
    for (const auto number : everywhere.calls)
      lacks.calls.erase(number);
  }
  const auto called = answered_of(calls, lacks.calls);
  const auto missing = missing_parts(lacks, settings, known(calls) ? called : std::vector<std::string>());
  if (!missing.empty())
    return Error{Failure::kernel_lacks,
                 fmt::format("the image asks for {}, which the kernel profile {} lacks",
                             fmt::join(missing, " and "), profile),
                 fmt::format("take --profile {}, or mask a call that is not needed: --call NAME=masked",
                             kGeneralProfile)};
  FittedKernel fitted{std::move(first), lacks.features, {}, {}};
  if (!called.empty())
    fitted.notes.push_back(
        fmt::format("which system calls the image makes is not known, and profile {} lacks {}", profile,
                    fmt::join(called, ", ")));
  return fitted;
}

// The smallest profile that has all that the image asks for; or nothing, and why.
Result<std::optional<Kernel>> smallest(const KernelWishes& wishes, const ChosenCalls& calls,
                                       std::string& reason) {
  reason = too_much_for_small(calls);
  if (!reason.empty())
    return std::optional<Kernel>();
  for (const auto* profile : kSmallProfiles) {
    const auto kernel = find_kernel(profile);
    if (!kernel) {
      reason = fmt::format("{}, which is smaller, is not built", profile);
      continue;
    }
    TRY_LET(const auto lacks, kernel_lacks(*kernel));
    const auto missing = missing_parts(lacks, wishes.settings, answered_of(calls, lacks.calls));
    if (missing.empty())
      return std::optional(*kernel);
    reason = fmt::format("it asks for {}", fmt::join(missing, " and "));
  }
  return std::optional<Kernel>();
}

} // namespace

Result<ImageKernel> first_kernel(const std::string& profile, const std::filesystem::path& vmlinux) {
  if (!profile.empty() || !vmlinux.empty() || find_kernel(kGeneralProfile))
    return find_image_kernel(profile.empty() ? kGeneralProfile : profile, vmlinux);
  for (const auto* small : kSmallProfiles)
    if (find_kernel(small))
      return find_image_kernel(small, {});
  return find_image_kernel(kGeneralProfile, {});
}

Result<FittedKernel> fit_kernel(ImageKernel first, const KernelWishes& wishes, const ChosenCalls& calls) {
  if (!wishes.profile.empty() || !wishes.vmlinux.empty())
    return check_choice(std::move(first), wishes.settings, calls);
  std::string reason;
  TRY_LET(const auto small, smallest(wishes, calls, reason));
  if (small) {
    if (small->profile != first.kernel.profile) {
      TRY_LET(first, find_image_kernel(small->profile, {}));
    }
    reason = "it has all that the image asks for";
  } else if (is_small(first.kernel.profile)) {
    return Error{
        Failure::no_kernel,
        fmt::format("the image needs the kernel profile {}, which is not built: {}", kGeneralProfile, reason),
        "ukl kernel build"};
  }
  TRY_LET(const auto lacks, kernel_lacks(first.kernel));
  return FittedKernel{std::move(first), lacks.features, reason, {}};
}

} // namespace ukl
