// SPDX-License-Identifier: GPL-2.0-only
// Where programs come from that are not this machine's: container images, packages, folders. A source is a
// tree of files and what is to be started in it; each kind is a file of this room, chosen by its scheme.
#pragma once

#include "contents/root_tree.hpp"
#include "support/reporter.hpp"

namespace ukl {

/// What a source gives. All of it are defaults, which the command line replaces.
struct Source {
  RootTree tree;                       ///< entries point to files of the cache, or of a folder of the user's
  std::string name;                    ///< for the image's file and the machine
  std::vector<std::string> entrypoint; ///< the program and what it is always started with; may be empty
  std::vector<std::string> arguments; ///< further ones, which others replace; without entrypoint: the program
  std::vector<std::string> environment; ///< NAME=value
  std::string user;                     ///< UID:GID; empty: root
  std::vector<std::string> groups;      ///< further ones of that user, as numbers
  std::string directory;                ///< absolute; empty: /
  std::vector<std::string> ports;       ///< on which the program listens: PORT[/tcp|/udp]
  std::string stop_signal;              ///< what asks it to end; empty: SIGTERM
  std::vector<std::string> labels;      ///< NAME=VALUE: what it says of itself
  std::string health;                   ///< its Healthcheck as JSON; empty: none
  bool background = false;              ///< the program ends, and what it leaves goes on
  bool low_ports = false;               ///< who is not root may listen on ports below 1024, too
  /// What of this machine may stand in for what the tree lacks (os-release, the locale C.UTF-8): they are of
  /// the same system.
  bool of_this_system = false;
  std::vector<std::string> notes;           ///< what the user should know of the files, in sentences
  std::vector<std::string> command_notes;   ///< and of the command, if it is what is started
  std::vector<std::filesystem::path> files; ///< of the user's, that were read: no output may replace them
  std::filesystem::path folder;             ///< of the user's, that is the tree (dir:); empty: of the cache
  std::string no_program;                   ///< what to do where there is no command: a hint
};

/// True if `text` names a source: one of the schemes below, and a colon.
bool names_source(const std::string& text);

/// Opens what `names` names, all as one: each one's files lie over those before it, and the first one's
/// command counts. Errors: those of its kind, and usage for a scheme that is none.
Result<Source> open_sources(const std::vector<std::string>& names, Reporter& reporter);

/// oci:DIR[:TAG] (a path) or oci:IMAGE (from a registry).
Result<Source> open_oci(const std::string& text, Reporter& reporter);
/// oci-archive:FILE[:TAG].
Result<Source> open_oci_archive(const std::string& text, Reporter& reporter);
/// docker-archive:FILE[:IMAGE].
Result<Source> open_docker_archive(const std::string& text, Reporter& reporter);
/// docker-daemon:IMAGE and containers-storage:IMAGE, through skopeo.
Result<Source> open_through_skopeo(const std::string& transport, const std::string& text, Reporter& reporter);
/// dir:FOLDER.
Result<Source> open_folder(const std::string& text, Reporter& reporter);

} // namespace ukl
