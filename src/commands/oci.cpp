// SPDX-License-Identifier: GPL-2.0-only
// `ukl oci …`: the command line of an OCI runtime, as podman and containerd call it.
#include "commands/command.hpp"
#include "lifecycle/container_network.hpp"
#include "lifecycle/machine_terminal.hpp"
#include "lifecycle/oci_bundle.hpp"
#include "lifecycle/oci_container.hpp"
#include "lifecycle/oci_features.hpp"
#include "lifecycle/record.hpp"
#include "support/environment.hpp"
#include "support/packets.hpp"
#include "support/places.hpp"
#include "support/process.hpp"
#include "support/signal_name.hpp"
#include "support/standard_streams.hpp"
#include "support/terminal.hpp"
#include "ukl/wait_status.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kKilled{10000}, kBooted{60000}, kLookAgain{10};

struct Options {
  std::string root, log, log_format = "text";
  std::string id, bundle = ".", pid_file, console_socket, signal = "TERM";
  std::string process, user, directory, format = "table", unused_value;
  std::vector<std::string> command, environment;
  bool force = false, detach = false, terminal = false, quiet = false, unused = false;
  bool own_terminal = false; // where none is to be sent anywhere, the streams are ours
};

fs::path root_of(const Options& options) {
  std::error_code ignored;
  if (!options.root.empty())
    return fs::absolute(options.root, ignored);
  return fs::path(variable_or("XDG_RUNTIME_DIR", "/run")) / "ukl-oci";
}

// The other side of the container's terminal, as the specification's users wait for it.
Result<void> send_terminal(const std::string& socket_path, int master) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path)
    return Error{Failure::usage, fmt::format("{} is too long for a socket", socket_path), ""};
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  const FileDescriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return file_error(socket_path, "write", errno);
  if (!send_with_descriptor(fd.get(), "/dev/ptmx", master))
    return file_error(socket_path, "write", errno);
  return {};
}

// The terminal that a process gets, if it is to have one: our side of it is sent to whoever waits for it.
Result<MachineTerminal> open_terminal(const Options& options, bool wanted) {
  if (options.own_terminal && options.console_socket.empty())
    return MachineTerminal();
  if (wanted == options.console_socket.empty())
    return Error{Failure::usage,
                 wanted ? "a process with a terminal needs --console-socket"
                        : "--console-socket is for processes with a terminal",
                 ""};
  if (!wanted)
    return MachineTerminal();
  TRY_LET(auto terminal, MachineTerminal::create("24 80"));
  fcntl(terminal.master.get(), F_SETFL, O_RDWR);
  TRY(send_terminal(options.console_socket, terminal.master.get()));
  return terminal;
}

// In the new process.
bool enter_terminal(const MachineTerminal& terminal) {
  if (!terminal.slave)
    return true;
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (dup2(terminal.slave.get(), standard) < 0)
      return false;
  return ioctl(STDIN_FILENO, TIOCSCTTY, 0) == 0;
}

// QEMU's user network is then one process more in there.
bool enter_network(const std::string& name_space) {
  if (name_space.empty())
    return true;
  const FileDescriptor space(open(name_space.c_str(), O_RDONLY | O_CLOEXEC));
  return space && setns(space.get(), CLONE_NEWNET) == 0;
}

// Of a child, once it has ended.
int status_of(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return exit_status(status);
}

std::string own_path() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).string();
}

Result<void> tell_pid(const Options& options, pid_t pid) {
  return options.pid_file.empty() ? Result<void>() : write_text(options.pid_file, fmt::format("{}", pid));
}

// The engine's network, if there is one with an interface; or QEMU's user network in it, as good as that can.
Result<ContainerNetwork> connect(const OciBundle& bundle) {
  if (bundle.network_namespace.empty())
    return ContainerNetwork();
  if (bundle.only_holds_namespaces)
    return ContainerNetwork{{"--network", "none"}, {}, {}};
  auto network = take_interfaces(bundle.network_namespace);
  if (network || network.error().failure == Failure::machine_runs)
    return network;
  return ContainerNetwork{
      {}, {}, {fmt::format("the container's address is not the machine's: {}", network.error().message)}};
}

Result<void> fork_machine(OciContainer& container, const Options& options, const fs::path& folder,
                          const OciBundle& bundle, const ContainerNetwork& network) {
  std::vector<std::string> run = {own_path(), "run", "--name", container.machine()};
  run.insert(run.end(), bundle.run.begin(), bundle.run.end());
  run.insert(run.end(), network.run.begin(), network.run.end());
  if (!network.interfaces.empty())
    run.insert(run.end(), bundle.network_files.begin(), bundle.network_files.end());
  run.push_back(container.image().string());
  TRY_LET(const auto terminal, open_terminal(options, bundle.terminal));
  TRY(container.fork_process(
      run, [&] { return enter_terminal(terminal) && enter_network(bundle.network_namespace); }));
  TRY_LET(const auto places, read_places());
  TRY(container.write(
      {folder.string(), bundle.notes, places.machines, bundle.network_namespace, network.interfaces}));
  return tell_pid(options, container.pid());
}

Result<void> create_in(OciContainer& container, const Options& options) {
  std::error_code ignored;
  const auto folder = fs::absolute(options.bundle, ignored).lexically_normal();
  TRY_LET(const auto bundle, read_oci_bundle(folder));
  std::vector<std::string> pack = {own_path(), "pack", "-o", container.image().string()};
  pack.insert(pack.end(), bundle.pack.begin(), bundle.pack.end());
  TRY_LET(const auto packed, run_command(pack));
  if (packed.status != 0)
    return Error{static_cast<Failure>(packed.status), packed.text.substr(0, packed.text.find('\n')), ""};
  TRY_LET(const auto network, connect(bundle));
  for (const auto* sentences : {&bundle.left_out, &network.left_out})
    for (const auto& sentence : *sentences)
      print_note(sentence);
  const auto forked = fork_machine(container, options, folder, bundle, network);
  if (!forked)
    give_back_interfaces(bundle.network_namespace, network.interfaces);
  return forked;
}

Result<int> create(const Options& options) {
  TRY_LET(auto container, OciContainer::create(root_of(options), options.id));
  const auto created = create_in(container, options);
  if (created)
    return 0;
  if (container.pid() > 0)
    ::kill(container.pid(), SIGKILL);
  container.remove();
  return created.error();
}

// What --process says, or else the words of the command line.
Result<OciProcess> further_process(const Options& options) {
  if (!options.process.empty())
    return read_oci_process(options.process);
  if (options.command.empty())
    return Error{Failure::usage, "exec needs a command, or --process", ""};
  OciProcess process{{}, options.command, options.terminal};
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty())
      process.options.insert(process.options.end(), {option, value});
  };
  add("--user", options.user);
  add("--workdir", options.directory);
  for (const auto& variable : options.environment)
    add("--env", variable);
  return process;
}

Result<int> execute(const Options& asked) {
  auto options = asked;
  options.own_terminal = options.process.empty() && !options.detach;
  TRY_LET(const auto container, OciContainer::open(root_of(options), options.id));
  if (container.status() != "running")
    return Error{Failure::no_such_machine, fmt::format("{} is {}", options.id, container.status()), ""};
  TRY_LET(const auto process, further_process(options));
  TRY_LET(const auto terminal, open_terminal(options, process.terminal));
  std::vector<std::string> command = {own_path(), "exec", process.terminal ? "-it" : "-i"};
  command.insert(command.end(), process.options.begin(), process.options.end());
  command.insert(command.end(), {container.machine(), "--"});
  command.insert(command.end(), process.command.begin(), process.command.end());
  const auto state = container.facts().machines.parent_path().string();
  TRY_LET(const auto pid, OciContainer::fork_another(command, [&] {
            return setenv("UKL_STATE", state.c_str(), 1) == 0 && enter_terminal(terminal);
          }));
  TRY(tell_pid(options, pid));
  if (options.detach)
    return 0;
  return status_of(pid);
}

Result<int> start(const Options& options) {
  TRY_LET(const auto container, OciContainer::open(root_of(options), options.id));
  TRY(container.start());
  // Who has started a container may have something executed in it.
  for (milliseconds waited{0}; waited < kBooted && container.status() == "running"; waited += kLookAgain) {
    const auto machine = known_machine(container.facts().machines, container.machine());
    if (machine && machine->phase() == "running")
      break;
    std::this_thread::sleep_for(kLookAgain);
  }
  return 0;
}

Result<int> list(const Options& options) {
  auto json = nlohmann::ordered_json::array();
  std::string table =
                  fmt::format("{:<32} {:>8} {:<8} {:<25} {}\n", "ID", "PID", "STATUS", "CREATED", "BUNDLE"),
              ids;
  for (const auto& container : OciContainer::all(root_of(options))) {
    const auto status = container.status();
    const int pid = status == "stopped" ? 0 : container.pid();
    const auto& bundle = container.facts().bundle;
    ids += container.id() + "\n";
    table += fmt::format("{:<32} {:>8} {:<8} {:<25} {}\n", container.id(), pid, status, container.created(),
                         bundle);
    json.push_back({{"ociVersion", "1.0.2"},
                    {"id", container.id()},
                    {"pid", pid},
                    {"status", status},
                    {"bundle", bundle},
                    {"created", container.created()},
                    {"annotations", container.facts().annotations}});
  }
  print_output(options.quiet ? ids
               : options.format == "json"
                   ? json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
                   : table);
  return 0;
}

Result<int> features(const Options&) {
  print_output(oci_features());
  return 0;
}

Result<int> state(const Options& options) {
  TRY_LET(const auto container, OciContainer::open(root_of(options), options.id));
  print_output(container.state());
  return 0;
}

Result<int> send_signal(const Options& options) {
  TRY_LET(const auto container, OciContainer::open(root_of(options), options.id));
  TRY_LET(const int signal, parse_signal(options.signal));
  if (container.kill(signal))
    return 0;
  return Error{Failure::no_such_machine, fmt::format("{} does not run", options.id), ""};
}

Result<int> remove(const Options& options) {
  const auto container = OciContainer::open(root_of(options), options.id);
  if (!container && options.force)
    return 0; // as runc does
  if (!container)
    return container.error();
  if (container->status() != "stopped") {
    if (!options.force)
      return Error{Failure::machine_runs, fmt::format("{} is {}", options.id, container->status()),
                   "ukl oci kill ends it, and delete --force both"};
    container->kill(SIGKILL);
    container->wait(kKilled);
  }
  // One that was killed could not do that itself.
  if (const auto machine = known_machine(container->facts().machines, container->machine());
      machine && !machine->alive)
    TRY(remove_record(*machine));
  give_back_interfaces(container->facts().network_namespace, container->facts().interfaces);
  container->remove();
  return 0;
}

// create, start and, unless it is to stay, delete.
Result<int> run(const Options& asked) {
  auto options = asked;
  options.own_terminal = !options.detach;
  TRY(create(options));
  const auto started = start(options);
  if (!started || options.detach)
    return started;
  TRY_LET(const auto container, OciContainer::open(root_of(options), options.id));
  const int status = status_of(container.pid());
  TRY(remove(options));
  return status;
}

// Where engines look for what went wrong.
Result<int> logged(const Options& options, Result<int> (*work)(const Options&)) {
  auto done = work(options);
  if (done || options.log.empty())
    return done;
  const nlohmann::ordered_json line = {
      {"level", "error"}, {"msg", done.error().message}, {"time", describe(now())}};
  const FileDescriptor log(open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  write_all(log.get(), (options.log_format == "json"
                            ? line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                            : done.error().message) +
                           "\n");
  return done;
}

CLI::App* add_any(CLI::App& oci, const std::shared_ptr<Options>& options, Action& action, const char* name,
                  const char* help, Result<int> (*work)(const Options&)) {
  auto* command = oci.add_subcommand(name, help);
  command->callback(
      [options, &action, work] { action = [options, work] { return logged(*options, work); }; });
  return command;
}

CLI::App* add_one(CLI::App& oci, const std::shared_ptr<Options>& options, Action& action, const char* name,
                  const char* help, Result<int> (*work)(const Options&)) {
  auto* command = add_any(oci, options, action, name, help, work);
  command->add_option("ID", options->id, "The container's ID")->required();
  return command;
}

// Of those that make a container.
void add_making(CLI::App& command, const std::shared_ptr<Options>& options) {
  command.add_option("-b,--bundle", options->bundle, "The folder of config.json (default: this one)")
      ->type_name("FOLDER");
  command.add_option("--pid-file", options->pid_file, "Write the number of the container's process")
      ->type_name("FILE");
  command.add_option("--console-socket", options->console_socket, "Send its terminal to this socket")
      ->type_name("SOCKET");
  command
      .add_flag("--no-pivot,--no-new-keyring,--no-subreaper", options->unused, "Taken, and without effect")
      ->group("");
  command.add_option("--preserve-fds", options->unused_value, "Taken, and without effect")->group("");
}

void add_oci(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* oci =
      app.add_subcommand("oci", "Run containers as machines: an OCI runtime for podman and containerd");
  oci->require_subcommand(1);
  oci->footer("A container's process is ukl run: it has the streams, the signals and the exit status. Of "
              "config.json\n"
              "those parts count that have a meaning for a machine (docs/oci.md); ukl-oci in the same folder "
              "as ukl is\n"
              "for engines that want a program by name:\n"
              "    podman --runtime /usr/local/bin/ukl-oci run --rm --network host alpine echo hello");
  oci->add_option("--root", options->root, "Where containers are kept (default: /run/ukl-oci)")
      ->type_name("FOLDER");
  oci->add_option("--log", options->log, "Add errors to this file, too")->type_name("FILE");
  oci->add_option("--log-format", options->log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  oci->add_flag("--systemd-cgroup,--debug", options->unused, "Taken, and without effect")->group("");
  oci->add_option("--rootless,--cgroup-manager,--criu", options->unused_value, "Taken, and without effect")
      ->group("");
  auto* made =
      add_one(*oci, options, action, "create", "Make an image of a bundle, and wait for start", create);
  add_making(*made, options);
  auto* whole = add_one(*oci, options, action, "run", "Create, start, wait for the end, and delete", run);
  add_making(*whole, options);
  whole->add_flag("-d,--detach", options->detach, "Do not wait for its end");
  add_one(*oci, options, action, "start", "Start what was created", start);
  auto* further = add_one(*oci, options, action, "exec", "Run a further program of the container", execute);
  further->add_option("-p,--process", options->process, "A file with what config.json calls process")
      ->type_name("FILE");
  further->prefix_command(); // what stands behind the ID is the program's
  further->parse_complete_callback([options, further] { options->command = further->remaining(); });
  further->add_option("-e,--env", options->environment, "A variable of it")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  further->add_option("-u,--user", options->user, "Who it runs as")->type_name("UID[:GID]");
  further->add_option("--cwd", options->directory, "Its working directory")->type_name("PATH");
  further->add_flag("-t,--tty", options->terminal, "With a terminal, which --console-socket gets");
  further->add_option("--pid-file", options->pid_file, "Write the number of the process")->type_name("FILE");
  further->add_option("--console-socket", options->console_socket, "Send its terminal to this socket")
      ->type_name("SOCKET");
  further->add_flag("-d,--detach", options->detach, "Do not wait for its end");
  further->add_flag("--no-new-privs", options->unused, "Taken, and without effect")->group("");
  further->add_option("--preserve-fds", options->unused_value, "Taken, and without effect")->group("");
  add_one(*oci, options, action, "state", "Print the container's state as JSON", state);
  auto* killed =
      add_one(*oci, options, action, "kill", "Send the program a signal; KILL ends the machine", send_signal);
  killed->add_option("SIGNAL", options->signal, "Its name or number")->capture_default_str();
  killed->add_flag("-a,--all", options->unused, "Taken, and without effect")->group("");
  auto* gone = add_one(*oci, options, action, "delete", "Forget a container that has ended", remove);
  gone->add_flag("-f,--force", options->force, "Kill one that runs");
  auto* listed = add_any(*oci, options, action, "list", "List the containers", list);
  listed->add_option("-f,--format", options->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  listed->add_flag("-q,--quiet", options->quiet, "Print their IDs only");
  add_any(*oci, options, action, "features", "Print as JSON what this runtime knows", features);
}

const RegisterCommand registration{49, add_oci};

} // namespace
} // namespace ukl
