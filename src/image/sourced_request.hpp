// SPDX-License-Identifier: GPL-2.0-only
// What a source of programs says, and what the command line says over it, become one request.
#pragma once

#include "image/pack.hpp"
#include "sources/source.hpp"

#include <optional>

namespace ukl {

/// From which port on whoever is not root may listen: containers' engines set 0.
inline constexpr const char* kFirstFreePort = "net.ipv4.ip_unprivileged_port_start";

struct SourcedRequest {
  PackRequest request;            ///< `program` and `arguments` are those that are started
  std::optional<Source> source;   ///< of PROGRAM, --with, or both
  bool program_in_source = false; ///< PROGRAM names a source
  std::string name;               ///< of the image's file and the machine; empty: the program's
  std::string search_path;        ///< where a bare name is looked up, as $PATH
};

/// Where PROGRAM is looked for if it names a source: the source's files, and over them those of --file.
/// Errors: those of RootTree::add_copy.
Result<RootTree> tree_of_program(const SourcedRequest& sourced);

/// Opens what the request names. Errors: those of open_sources, usage (nothing to start, --entrypoint without
/// a source, a user that the source does not have).
Result<SourcedRequest> read_sources(const PackRequest& asked);

} // namespace ukl
