// SPDX-License-Identifier: GPL-2.0-only
// ukl pack: a finished program becomes an image.
#include "command.hpp"
#include "commands/image_options.hpp"

namespace ukl {
namespace {

void add_pack(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("pack", "Make an image of a finished program and the libraries it needs");
  auto options = std::make_shared<ImageOptions>();
  command
      ->add_option("PROGRAM", options->request.program,
                   "An executable file or a script; a bare name is looked up in PATH")
      ->required();
  command->add_option("ARGUMENTS", options->request.arguments, "The program's arguments, after --");
  add_image_options(*command, *options);
  command->footer(
      "The program lies in the image where it lies on this machine, with its libraries as its dynamic\n"
      "loader would find them. Files that it opens at run time have to be named with --file.\n\n"
      "  ukl pack memcached -- -u root -m 64\n"
      "  ukl pack /usr/sbin/nginx --file ./nginx.conf:/etc/nginx/nginx.conf --file ./site:/srv/www \\\n"
      "      -- -g 'daemon off;'\n"
      "  ukl pack python3 --file /usr/lib/python3.11 --file app.py:/app.py -o app.ukl -- /app.py");
  command->callback([options, &action] { action = [options] { return pack_and_report(*options); }; });
}

RegisterCommand registered{20, add_pack};

} // namespace
} // namespace ukl
