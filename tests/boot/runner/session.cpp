// SPDX-License-Identifier: GPL-2.0-only
#include "session.hpp"
#include "support/interrupt.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace boot {

using namespace std::chrono_literals;

ukl::Result<Session> Session::start(const std::vector<std::string>& argv, const std::string& directory,
                                    const std::vector<std::string>& environment) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return ukl::file_error("pipe", "create", errno);
  ukl::FileDescriptor reader(ends[0]), writer(ends[1]);
  fcntl(reader.get(), F_SETFL, O_NONBLOCK);
  ukl::ProcessOptions options;
  options.directory = directory;
  options.environment = environment;
  options.standard_output = options.standard_error = writer.get();
  auto process = ukl::Process::start(argv, options);
  if (!process)
    return process.error();
  return Session(std::move(*process), std::move(reader));
}

bool Session::pump(std::chrono::milliseconds time) {
  pollfd wait[2] = {{reader_.get(), POLLIN, 0}, {ukl::interrupt_descriptor(), POLLIN, 0}};
  if (!status_)
    poll(wait, 2, static_cast<int>(time.count()));
  const auto drain = [&] {
    char buffer[65536];
    for (ssize_t got; (got = read(reader_.get(), buffer, sizeof buffer)) > 0;)
      output_.append(buffer, static_cast<std::size_t>(got));
  };
  drain();
  if (wait[0].revents & POLLHUP && !status_)
    status_ = process_.wait_for(time);
  else if (!status_)
    status_ = process_.wait_for(0ms);
  if (status_)
    drain();
  return status_.has_value() || ukl::interrupted() != 0;
}

bool Session::wait_for_text(const std::string& text, Clock::time_point deadline) {
  std::size_t looked = 0;
  while (true) {
    const bool ended = pump(20ms);
    if (output_.find(text, looked) != std::string::npos)
      return true;
    looked = output_.size() > text.size() ? output_.size() - text.size() : 0;
    if (ended || Clock::now() > deadline)
      return false;
  }
}

std::optional<int> Session::wait_for_end(Clock::time_point deadline) {
  while (!pump(20ms))
    if (Clock::now() > deadline)
      return std::nullopt;
  return status_;
}

ukl::Result<ukl::Output> run_limited(const std::vector<std::string>& argv, const std::string& directory,
                                     const std::vector<std::string>& environment,
                                     std::chrono::seconds limit) {
  auto session = Session::start(argv, directory, environment);
  if (!session)
    return session.error();
  const auto status = session->wait_for_end(Clock::now() + limit);
  return ukl::Output{status.value_or(124), session->output()};
}

ukl::Result<ukl::Output> run_bash(const std::string& command, const std::string& directory,
                                  const std::vector<std::string>& environment, std::chrono::seconds limit) {
  return run_limited({"bash", "-c", command}, directory, environment, limit);
}

} // namespace boot
