// SPDX-License-Identifier: GPL-2.0-only
// What a machine's streams said, a line each, in the form of Kubernetes' container logs (CRI), which log
// shippers know: `TIME STREAM F TEXT`, TIME in UTC with milliseconds, STREAM stdout or stderr, and P in place
// of F for a piece of a line that the next entry of the stream goes on with. The files `log` and, older,
// `log.1` are of the same size at most, so that what is kept is bounded.
#pragma once

#include "lifecycle/bounded_file.hpp"
#include "lifecycle/record.hpp"

#include <array>
#include <functional>

namespace ukl {

/// Which of a machine's two streams.
enum class LogStream { output, error };

/// Writes it. Nothing that the disk does stops the machine: what it does not take is lost, and counted.
class MachineLog {
public:
  /// In a machine's folder; keeps at most `most` bytes in all. Errors: unwritable, disk_full.
  static Result<MachineLog> open(const std::filesystem::path& folder, std::uint64_t most);

  void add(LogStream stream, std::string_view bytes, Moment moment);
  /// What has no end of line yet is written, too.
  void finish(Moment moment);
  bool is_incomplete() const { return lost_; }

private:
  void write_entry(LogStream stream, std::string_view text, bool whole, Moment moment);

  explicit MachineLog(BoundedFile file) : file_(std::move(file)) {}
  BoundedFile file_;
  std::array<std::string, 2> begun_; // lines without an end
  bool lost_ = false;
};

/// An entry as it was written.
struct LogEntry {
  std::string time; ///< 2026-11-26T10:20:30.123Z: sorts as text
  LogStream stream = LogStream::output;
  bool whole = true; ///< the line ends here
  std::string_view text;
};

/// Nothing if it is none.
std::optional<LogEntry> parse_log_entry(std::string_view line);

/// What of a log is wanted.
struct LogRequest {
  std::optional<std::size_t> last; ///< only so many lines
  std::string since;               ///< as LogEntry::time; empty: from the beginning
  bool follow = false;             ///< go on until the machine ends, or an interrupt
};

/// Gives each entry to `take`, oldest first. Error: unreadable.
Result<void> read_log(const KnownMachine& machine, const LogRequest& request,
                      const std::function<void(const LogEntry&)>& take);

/// `10m`, `1h30m`, `45` (seconds), or a time as describe() writes it, as LogRequest::since. Error: usage.
Result<std::string> parse_since(const std::string& text, Moment now);

} // namespace ukl
