// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/report.hpp"

#include "target/syscall_names.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ukl {
namespace {

constexpr std::array kTreatments = {Treatment::jump_by_number, Treatment::jump_indexed, Treatment::left};

std::string call_text(std::uint32_t number) {
  const auto name = syscall_name(number);
  return name.empty() ? fmt::format("{}", static_cast<std::int32_t>(number))
                      : fmt::format("{}({})", name, number);
}

std::string numbers_text(const std::vector<std::uint32_t>& numbers) {
  if (numbers.empty())
    return "unknown";
  std::string text;
  for (const auto number : numbers)
    text += (text.empty() ? "" : " or ") + call_text(number);
  return text;
}

// Symbols are any bytes; JSON and terminals want text.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char letter) { return letter < ' ' || letter > '~'; }, '?');
  return text;
}

std::size_t count(const RewriteReport& report, Treatment treatment) {
  return static_cast<std::size_t>(
      std::count_if(report.sites.begin(), report.sites.end(),
                    [&](const Site& site) { return site.treatment == treatment; }));
}

} // namespace

std::string_view treatment_name(Treatment treatment) {
  switch (treatment) {
  case Treatment::jump_by_number:
    return "jump-by-number";
  case Treatment::jump_indexed:
    return "jump-indexed";
  case Treatment::left:
    break;
  }
  return "left";
}

std::string_view reason_text(Reason reason) {
  switch (reason) {
  case Reason::none:
    break;
  case Reason::signal_return:
    return "the signal-return trampoline, which unwinders know by its bytes";
  case Reason::cancellation_range:
    return "a thread-cancellation point, which the C library knows by its address";
  case Reason::no_room:
    return "too few bytes before it that can be moved";
  case Reason::jump_target:
    return "a jump goes between the instructions before it";
  case Reason::indirect_jump:
    return "a computed jump in its function may go anywhere in it";
  case Reason::overlapping_code:
    return "a jump into the middle of an instruction in its function";
  case Reason::undecodable:
    return "the code around it cannot be told from data";
  case Reason::text_relocation:
    return "the dynamic loader writes into this code";
  case Reason::too_far:
    return "more than 2 GiB away from the stubs";
  case Reason::prefixed:
    return "the instruction has prefixes";
  case Reason::appended_data:
    return "data of its own follows in the file, which would move";
  case Reason::packed:
    return "a packed program, which unpacks itself out of its own file";
  }
  return "";
}

std::string report_text(const RewriteReport& report) {
  auto text = fmt::format("{}: {} system-call sites", report.file, report.sites.size());
  if (report.kept != Reason::none && !report.sites.empty())
    text += fmt::format(", all left as they are ({})", reason_text(report.kept));
  for (const auto treatment : kTreatments)
    text += fmt::format(", {} {}", count(report, treatment), treatment_name(treatment));
  text += fmt::format("; {} calls known{}\n", report.known.size(),
                      report.unknown_numbers ? ", and sites of unknown number" : "");
  for (const auto& site : report.sites) {
    text += fmt::format("  {:#10x}  {:<14}  {:<24} {}", site.address, treatment_name(site.treatment),
                        numbers_text(site.numbers), site.function.empty() ? "-" : printable(site.function));
    if (site.reason != Reason::none && site.reason != report.kept)
      text += fmt::format("  ({})", reason_text(site.reason));
    text += '\n';
  }
  return text;
}

nlohmann::json report_json(const RewriteReport& report) {
  auto json = nlohmann::json{{"file", report.file},
                             {"already_rewritten", report.already_rewritten},
                             {"kept", reason_text(report.kept)},
                             {"unknown_numbers", report.unknown_numbers},
                             {"known", nlohmann::json::array()},
                             {"sites", nlohmann::json::array()}};
  for (const auto number : report.known)
    json["known"].push_back({{"number", number}, {"name", syscall_name(number)}});
  for (const auto treatment : kTreatments)
    json["counts"][std::string(treatment_name(treatment))] = count(report, treatment);
  for (const auto& site : report.sites)
    json["sites"].push_back({{"address", site.address},
                             {"function", printable(site.function)},
                             {"numbers", site.numbers},
                             {"treatment", treatment_name(site.treatment)},
                             {"reason", reason_text(site.reason)}});
  return json;
}

} // namespace ukl
