// SPDX-License-Identifier: GPL-2.0-only
#include "machine/host_cards.hpp"

#include "machine/plan.hpp"

#include <cerrno>
#include <unistd.h>

namespace ukl {

Result<HostCards> HostCards::start(MachineOptions& options, const Manifest& settings) {
  HostCards cards;
  TRY(cards.connect(options.network, card_settings(options, settings, 0), options.private_networks,
                    options.forwards));
  for (std::size_t index = 0; index < options.more_networks.size(); ++index) {
    std::vector<Forward> none;
    TRY(cards.connect(options.more_networks[index], card_settings(options, settings, index + 1),
                      options.private_networks, none));
  }
  TRY_LET(cards.ipv6_, Ipv6Ports::serve(options.forwards));
  return cards;
}

Result<void> HostCards::connect(const HostNetwork& network, const Manifest& settings,
                                const std::filesystem::path& private_networks,
                                std::vector<Forward>& forwards) {
  using Kind = HostNetwork::Kind;
  descriptors_.emplace_back();
  // An image without a network has no first card.
  if (network.kind == Kind::passt && !settings.empty()) {
    TRY_LET(auto passt, Passt::start(settings, forwards));
    descriptors_.back().push_back(passt.socket.get());
    passts_.push_back(std::move(passt));
    forwards.clear();
  }
  if ((network.kind == Kind::bridge || network.kind == Kind::named) && !settings.empty()) {
    TRY_LET(auto port, join_bridge(network.bridge(), network.queues));
    if (!port)
      return {};
    for (const auto& queue : port->queues)
      descriptors_.back().push_back(queue.get());
    ports_.push_back(std::move(*port));
  }
  if (network.kind == Kind::machines && !settings.empty()) {
    TRY_LET(auto port, PrivatePort::join(private_networks / network.name, network.mac));
    descriptors_.back().push_back(port.qemus_end());
    private_ports_.push_back(std::move(port));
  }
  return {};
}

void HostCards::close_far_ends() {
  for (auto& passt : passts_)
    passt.socket = FileDescriptor();
  ports_.clear();
  for (auto& port : private_ports_)
    port.close_far_end();
}

std::vector<int> HostCards::watched() const {
  std::vector<int> descriptors;
  for (const auto& passt : passts_)
    if (passt.errors)
      descriptors.push_back(passt.errors.get());
  return descriptors;
}

std::optional<Error> HostCards::look() {
  for (auto& passt : passts_)
    while (passt.errors) {
      char drained[4096];
      const ssize_t got = read(passt.errors.get(), drained, sizeof drained);
      if (got < 0 && errno == EAGAIN)
        break;
      if (got > 0 || (got < 0 && errno == EINTR))
        continue;
      passt.errors = FileDescriptor();
      return Error{Failure::machine, "stopped the machine: passt, which was its network, has ended",
                   "see who ended passt: the system's log, or memory that ran out"};
    }
  return std::nullopt;
}

} // namespace ukl
