// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as what a machine's surroundings say: cloud-init's files, an HTTP answer, a DHCP message. The
// first byte chooses. NOLINTBEGIN(bugprone-suspicious-include): init is a program of its own
#include "../../init/cloud_config.cpp"
#include "../../init/dhcp_message.cpp"
#include "../../init/http_get.cpp"
#include "../../init/plain_yaml.cpp"
// NOLINTEND(bugprone-suspicious-include)

#include <cstddef>
#include <cstdint>

using namespace ukl::init;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  CloudSettings said;
  DhcpLease lease;
  switch (data[0] % 5) {
  case 0:
    add_user_data("#cloud-config\n" + std::string(text), said);
    break;
  case 1:
    add_network_config(text, said);
    break;
  case 2:
    add_meta_data(text, said);
    break;
  case 3:
    (void)http_body(text);
    break;
  default:
    // A message whose head is right, so that its options are read.
    std::string message(240, '\0');
    message[0] = 2;
    message.replace(236, 4, "\x63\x82\x53\x63");
    if (parse_dhcp(message + std::string(text), {}, lease) != DhcpAnswer::none &&
        (lease.prefix < 0 || lease.prefix > 32))
      __builtin_trap();
  }
  return 0;
}
