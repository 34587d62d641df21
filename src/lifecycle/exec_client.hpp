// SPDX-License-Identifier: GPL-2.0-only
// Our end of a program, or of a file, that a machine's init handles for us (ukl/exec.hpp).
#pragma once

#include "lifecycle/record.hpp"
#include "support/packets.hpp"
#include "ukl/exec.hpp"
#include "ukl/manifest.hpp"

namespace ukl {

class ExecClient {
public:
  /// Asks for what `wanted` says (exec::kStart). Errors: no_such_machine (it does not run, or not yet its
  /// program), usage (an image whose init does not know of this).
  static Result<ExecClient> start(const KnownMachine& machine, const Manifest& wanted);

  /// For poll(2): readable when receive() has something.
  int descriptor() const { return socket_.get(); }
  /// What comes next, without waiting for ever for anything but that. Of kind kOutput or kError: bytes that
  /// are to be given to taken() once they are where they belong. Error: machine (it has ended), not_found,
  /// usage (it was refused; the guest's own words).
  struct Packet {
    char kind = 0;
    std::string bytes;
  };
  Result<Packet> receive();
  void taken(std::size_t bytes);
  /// Whether input may be sent; if not, receive() has to be called first.
  bool may_send() const { return untaken_ < exec::kMostUntaken; }
  void send_input(std::string_view bytes);
  void send(char kind, std::string_view bytes = {});
  /// exec::kRefused's status, if that was why receive() failed; else 0.
  int refused_with() const { return refused_with_; }

private:
  ExecClient(std::string name, FileDescriptor socket) : name_(std::move(name)), socket_(std::move(socket)) {}
  std::string name_;
  FileDescriptor socket_;
  std::size_t untaken_ = 0;
  int refused_with_ = 0;
};

} // namespace ukl
