// SPDX-License-Identifier: GPL-2.0-only
// ukl pack: a finished program becomes an image.
#include "commands/command.hpp"
#include "commands/image_options.hpp"

namespace ukl {
namespace {

void add_pack(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("pack", "Make an image of a finished program and the libraries it needs");
  auto options = std::make_shared<ImageOptions>();
  command
      ->add_option(
          "PROGRAM", options->request.program,
          "An executable file or a script; a bare name is looked up in PATH, then in /usr/sbin. Or a "
          "source (see below), whose program and files are taken")
      ->required();
  command->add_option("ARGUMENTS", options->request.arguments, "The program's arguments, after --");
  command->add_option(
      "--entrypoint", options->request.entrypoint,
      "Of a source: the program to start in place of the one that it says, also one that --file "
      "adds; its arguments are those after --");
  add_image_options(*command, *options);
  command->footer(
      "The program lies in the image where it lies on this machine, with its libraries as its dynamic\n"
      "loader would find them. Files that it opens at run time have to be named with --file.\n\n"
      "A source brings all of its files, its program, variables, user and working directory; options and\n"
      "arguments after -- go over what it says:\n"
      "  deb:NAME[=VERSION]         a Debian package with all that it needs, and what its unit starts;\n"
      "                             deb:./FILE.deb for one of your own\n"
      "  oci:FOLDER[:TAG]           a container image in OCI's layout; the folder begins with . or /\n"
      "  oci-archive:FILE[:TAG]     the same as a tar archive\n"
      "  docker-archive:FILE[:TAG]  what docker save writes\n"
      "  oci:NAME[:TAG]             a container image of a registry, fetched with skopeo\n"
      "  docker-daemon:NAME[:TAG], containers-storage:NAME[:TAG]\n"
      "                             one that Docker or Podman has, also with skopeo\n"
      "  dir:FOLDER                 a root folder; arguments after -- begin with the program\n\n"
      "  ukl pack deb:memcached\n"
      "  ukl pack oci:./layout\n"
      "  ukl pack memcached -- -u root -m 64\n"
      "  ukl pack nginx --file ./nginx.conf:/etc/nginx/nginx.conf --file ./site:/srv/www \\\n"
      "      -- -g 'daemon off;'\n"
      "  ukl pack python3 --file /usr/lib/python3.11 --file app.py:/app.py -o app.ukl -- /app.py");
  command->callback([options, &action] { action = [options] { return pack_and_report(*options); }; });
}

RegisterCommand registered{20, add_pack};

} // namespace
} // namespace ukl
