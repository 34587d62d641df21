// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as an image: an error, or a payload that lies in the file and behind the kernel. Seeds: any
// image.
#include "image.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto info = ukl::parse_image({data, size}, size, "input");
  if (!info)
    return 0;
  if (info->payload_size == 0 || info->payload_offset > size ||
      info->payload_size > size - info->payload_offset)
    __builtin_trap();
  if (info->memory_end <= info->payload_address || info->manifest.empty())
    __builtin_trap();
  return 0;
}
