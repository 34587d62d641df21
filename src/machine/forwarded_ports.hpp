// SPDX-License-Identifier: GPL-2.0-only
// TCP ports of this machine that lead to the program. QEMU listens on them from its start; but a connection
// that its user network passes on to a guest without a network is lost and comes again after 6 s, and one
// that comes before the program listens is reset.
#pragma once

#include "machine/early_clients.hpp"
#include "machine/options.hpp"
#include "machine/qemu_monitor.hpp"

#include <chrono>
#include <netinet/in.h>

namespace ukl {

/// Until the program listens, clients go to a socket of ours on the same port, and wait. Both sockets listen
/// all the time, in one group (SO_REUSEPORT, socket(7)), in which a filter of ours decides who gets the next
/// client: so there is no moment at which one is refused. Clients that had waited are then served through us;
/// later ones are QEMU's own. When the program has not listened for ten seconds, its port is closed until it
/// does, as on a machine where nobody listens.
class ForwardedPorts {
public:
  using Time = std::chrono::steady_clock::time_point;

  /// Takes the TCP ports among `forwards`, without listening. Errors: those of take_port (checks.hpp).
  static Result<ForwardedPorts> hold(const std::vector<Forward>& forwards);

  /// On those ports on which QEMU, our child `pid`, listens now, clients come to us from now on, and so do
  /// those that QEMU has not accepted yet. Where listening_sockets() is not allowed they go on to QEMU.
  void take_clients(pid_t pid);
  /// QEMU listens on none of them, and is asked to do so by open(): until then clients wait at our sockets.
  void keep_clients();
  /// Whether there are ports that were not taken yet. QEMU begins to listen some milliseconds before it
  /// accepts clients and greets: who takes them first loses none.
  bool has_untaken() const;
  /// The program's ports that are waited for.
  std::vector<std::uint16_t> awaited() const;
  /// The program listens on its port: QEMU gets the next clients. `guest_address` is the program's. Returns
  /// what went wrong, in sentences: clients that had waited are lost.
  std::vector<std::string> open(std::uint16_t guest_port, const std::string& guest_address,
                                QemuMonitor& monitor);
  /// Looks for QEMU's answers about ports that were closed and opened again. Returns what went wrong, in
  /// sentences; `opened` says whether QEMU listens on another port now.
  std::vector<std::string> take_answers(QemuMonitor& monitor, bool& opened);
  /// The program runs since `now`.
  void on_start(Time now);
  /// When to call refuse_clients(), if ever.
  std::optional<Time> next_time() const;
  /// From now on, nobody waits any more for a program that does not listen.
  void refuse_clients(QemuMonitor& monitor);

private:
  enum class State {
    held,    // QEMU has the clients, or nobody
    waiting, // we have them
    kept,    // we have them, and QEMU does not listen
    refused, // nobody listens
    opening, // QEMU was asked to listen again
    open,    // QEMU has them, and it is of use
  };
  struct Port {
    Forward forward;
    FileDescriptor socket;
    State state = State::held;
    std::vector<FileDescriptor> clients = {}; // that came before we had them
  };

  static std::string id_of(const Forward& forward);
  Result<void> serve_early_clients(Port& port, FileDescriptor listener);

  std::vector<Port> ports_;
  std::vector<EarlyClients> early_;
  std::optional<Time> refuse_at_;
};

} // namespace ukl
