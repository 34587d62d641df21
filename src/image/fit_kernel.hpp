// SPDX-License-Identifier: GPL-2.0-only
// The kernel profile that fits an image: the smallest that has all that the image asks for.
#pragma once

#include "calls/chosen_calls.hpp"
#include "image/image_kernel.hpp"
#include "kernel/lacks.hpp"

namespace ukl {

/// The profile of which every image can be, and those for images that ask for little, the smallest first.
inline constexpr const char* kGeneralProfile = "general";
inline constexpr const char* kSmallProfiles[] = {"nano", "micro"};

/// What decides about an image's kernel.
struct KernelWishes {
  std::string profile;           ///< the user's; empty: whichever fits
  std::filesystem::path vmlinux; ///< the user's; empty: a profile's
  Manifest settings;             ///< of the image
};

struct FittedKernel {
  ImageKernel kernel;
  std::vector<std::string> lacks; ///< words of its missing features, for the manifest
  std::string reason;             ///< why it is this one, where the tool chose; one line
  std::vector<std::string> notes; ///< what the user should know
};

/// What there is to begin with, before it is known what the image asks for: the user's choice, else the
/// general profile, else, where that is not built, the largest of the small ones. Errors: those of
/// find_image_kernel.
Result<ImageKernel> first_kernel(const std::string& profile, const std::filesystem::path& vmlinux);

/// The kernel that fits, given the first one. Errors: kernel_lacks (the user's profile does not fit),
/// no_kernel (the one that would is not built), those of find_image_kernel.
Result<FittedKernel> fit_kernel(ImageKernel first, const KernelWishes& wishes, const ChosenCalls& calls);

} // namespace ukl
