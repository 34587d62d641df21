// SPDX-License-Identifier: GPL-2.0-only
#include "calls/file_calls.hpp"

#include "calls/known_libraries.hpp"
#include "rewrite/called_pointers.hpp"
#include "rewrite/go_functions.hpp"
#include "rewrite/no_return.hpp"
#include "rewrite/numbers.hpp"
#include "rewrite/plan.hpp"

#include <algorithm>
#include <asm/unistd_64.h>
#include <iterator>
#include <utility>

namespace ukl {
namespace {

using namespace rewrite;

constexpr std::uint64_t kLargestNode = 8 << 20; ///< bytes
constexpr std::uint8_t kRdi = 7;                ///< the first argument (System V ABI)
// Go makes every thread repeat a call that syscall.runtime_doAllThreadsSyscall has made first, with the
// number that its callers gave that (runtime/os_linux.go).
constexpr std::string_view kGoRepeats = "runtime.runPerThreadSyscall";

void sort_unique(std::vector<std::uint32_t>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

// Some functions make a call whose number their caller gives them: syscall(2), musl's cancellable calls. What
// their callers give is looked up there, and in the callers' callers where they only pass it on.
struct Forwarder {
  std::uint64_t address;        ///< of the function, or of the pointer through which it is called
  std::uint8_t register_number; ///< that holds the number
  bool operator<(const Forwarder& other) const {
    return std::pair(address, register_number) < std::pair(other.address, other.register_number);
  }
};

class Builder {
public:
  Builder(const ElfView& elf, const FilePlan& plan, FileCalls& file)
      : elf_(elf), map_(*plan.map), sites_(plan.before ? plan_sites(elf, *plan.map) : plan.sites),
        file_(file) {}

  void build() {
    add_nodes();
    for (std::uint32_t index = 0; index < file_.nodes.size(); ++index)
      add_references(index);
    add_sites();
    follow_forwarders();
    resolve_by_knowledge();
    add_roots();
    for (auto& node : file_.nodes) {
      sort_unique(node.numbers);
      sort_unique(node.leads_to);
    }
  }

private:
  void add_nodes() {
    for (const auto& region : elf_.executable)
      for (auto at = region.address; at < region.end();) {
        const auto function = map_.find(at);
        functions_.push_back(function);
        CallNode node;
        node.start = at;
        node.end = function.end;
        file_.nodes.push_back(std::move(node));
        at = function.end;
      }
  }

  void add_references(std::uint32_t index) {
    const auto& function = functions_[index];
    const auto code = elf_.text_from(function.start).first(function.size());
    auto& node = file_.nodes[index];
    if (code.size() > kLargestNode) {
      node.unknown = true;
      return;
    }
    const auto found = code_references(code, function.start);
    for (const auto& reference : found.list) {
      const auto slot = file_.links.slots.find(reference.target);
      if (slot != file_.links.slots.end()) {
        // An entry of a procedure linkage table is the function that it stands for; it may begin with
        // endbr64.
        if (in_linkage_table(reference.source))
          stubs_.emplace(slot->first, stub_start(reference.source));
        else
          references_.push_back({reference.target, index, reference.enters});
        continue;
      }
      const auto to = file_.node_at(reference.target);
      if (!to || *to == index)
        continue;
      references_.push_back({reference.target, index, reference.enters});
      node.leads_to.push_back(*to);
      if (reference.enters)
        entered_.insert(*to);
    }
    if (found.falls_out && index + 1 < file_.nodes.size()) {
      node.leads_to.push_back(index + 1);
      entered_.insert(index + 1);
    }
  }

  // Tables among the code, as cryptographic libraries have them: no unwind table and no symbol knows the
  // place, it does not decode, no code goes there, and no data points there. Two of their bytes may look like
  // a `syscall`.
  bool is_data(std::uint32_t index) const {
    const auto& function = functions_[index];
    const auto in_it = [&](std::uint64_t address) {
      return address >= function.start && address < function.end;
    };
    return !function.known && !entered_.contains(index) &&
           std::none_of(file_.links.pointers.begin(), file_.links.pointers.end(), in_it) &&
           std::none_of(file_.links.exports.begin(), file_.links.exports.end(),
                        [&](const auto& symbol) { return in_it(symbol.second); }) &&
           !decode(elf_.text_from(function.start).first(function.size()), function.start);
  }

  bool in_linkage_table(std::uint64_t address) const {
    for (const auto& section : elf_.sections)
      if (section.name.substr(0, 4) == ".plt" && address - section.header.sh_addr < section.bytes.size())
        return true;
    return false;
  }

  std::uint64_t stub_start(std::uint64_t jump) const {
    constexpr std::uint8_t kEndbr[] = {0xf3, 0x0f, 0x1e, 0xfa};
    const auto before = elf_.text_from(jump - sizeof kEndbr);
    return before.size() > sizeof kEndbr && std::equal(std::begin(kEndbr), std::end(kEndbr), before.begin())
               ? jump - sizeof kEndbr
               : jump;
  }

  void add_sites() {
    for (const auto& site : sites_) {
      const auto index = file_.node_at(site.site.address);
      if (!index)
        continue;
      auto& node = file_.nodes[*index];
      node.numbers.insert(node.numbers.end(), site.site.numbers.begin(), site.site.numbers.end());
      if (!site.site.numbers.empty() || is_data(*index))
        continue;
      if (site.argument_register)
        add_forwarder({functions_[*index].start, *site.argument_register});
      else
        node.unknown = true;
    }
  }

  void add_forwarder(Forwarder forwarder) {
    if (forwarders_.insert(forwarder).second)
      open_.push_back(forwarder);
  }

  void follow_forwarders() {
    std::sort(references_.begin(), references_.end(),
              [](const Reference& a, const Reference& b) { return a.target < b.target; });
    for (const auto& [place, name] : file_.links.slots)
      if (name == "syscall") {
        add_forwarder({place, kRdi});
        const auto [first, last] = stubs_.equal_range(place);
        for (auto stub = first; stub != last; ++stub)
          add_forwarder({stub->second, kRdi});
      }
    while (!open_.empty()) {
      std::map<std::uint32_t, std::vector<Forwarder>> callers;
      for (const auto& forwarder : std::exchange(open_, {}))
        find_callers(forwarder, callers);
      // One search through the file for all of them.
      std::vector<Function> called;
      for (const auto& [caller, forwarders] : callers)
        called.push_back(functions_[caller]);
      const auto outside = outside_references(elf_, called);
      for (const auto& [caller, forwarders] : callers)
        ask(caller, forwarders, outside);
    }
  }

  void find_callers(const Forwarder& forwarder, std::map<std::uint32_t, std::vector<Forwarder>>& callers) {
    // Whoever holds its address as data can give it any number.
    if (std::binary_search(file_.links.pointers.begin(), file_.links.pointers.end(), forwarder.address))
      if (const auto node = file_.node_at(forwarder.address))
        file_.nodes[*node].unknown = true;
    for (const auto& [name, address] : file_.links.exports)
      if (address == forwarder.address)
        file_.forwarders.insert(name);
    auto at =
        std::lower_bound(references_.begin(), references_.end(), forwarder.address,
                         [](const Reference& entry, std::uint64_t value) { return entry.target < value; });
    const bool pointer = file_.links.slots.contains(forwarder.address);
    for (; at != references_.end() && at->target == forwarder.address; ++at) {
      auto& asked = callers[at->node];
      if (!at->enters && !pointer)
        file_.nodes[at->node].unknown = true;
      else if (asked.empty() || forwarder < asked.back() || asked.back() < forwarder)
        asked.push_back(forwarder);
    }
  }

  // Go's libraries keep one number in a variable, because it is another on 32-bit machines: fcntl64Syscall in
  // syscall and golang.org/x/sys/unix, which nothing ever writes. A load of such a variable is a constant.
  void resolve_variables(std::vector<Instruction>& code) {
    if (!map_.is_go())
      return;
    for (auto& instruction : code) {
      if (instruction.effect != Effect::load || instruction.reference == 0 ||
          instruction.rip_displacement == 0)
        continue;
      const auto word = load<std::uint64_t>(elf_.at(instruction.reference), 0);
      if (word != std::uint64_t{__NR_fcntl})
        continue;
      const auto [known, fresh] = only_loaded_.try_emplace(instruction.reference, false);
      if (fresh)
        known->second = is_only_loaded(elf_, instruction.reference);
      if (!known->second)
        continue;
      instruction.effect = Effect::set;
      instruction.value = *word;
    }
  }

  // The numbers that one function gives to forwarders.
  void ask(std::uint32_t caller, const std::vector<Forwarder>& forwarders,
           const std::vector<std::uint64_t>& outside) {
    auto& node = file_.nodes[caller];
    const auto& function = functions_[caller];
    auto code = decode(elf_.text_from(function.start).first(function.size()), function.start);
    if (!code || !function.known) {
      node.unknown = true;
      return;
    }
    resolve_variables(*code);
    std::vector<Question> questions;
    for (const auto& forwarder : forwarders)
      for (std::size_t i = 0; i < code->size(); ++i)
        if (const auto& instruction = (*code)[i]; goes_to(instruction, forwarder.address)) {
          const bool on_stack = forwarder.register_number == kStackArgument;
          questions.push_back(
              {i, on_stack && instruction.flow == Flow::call ? kStackTop : forwarder.register_number});
        }
    const auto entries = find_entries(elf_, map_, function, *code, outside);
    for (const auto& forwarder : forwarders)
      if (file_.links.slots.contains(forwarder.address)) {
        const auto calls = calls_through(*code, entries, forwarder.address, !map_.is_go());
        if (!calls) {
          node.unknown = true;
          return;
        }
        for (const auto call : *calls)
          questions.push_back({call, forwarder.register_number});
      }
    if ((entries.unresolved_jump && !entries.pointer_jumps) || entries.overlapping ||
        entries.unreadable_exceptions) {
      node.unknown = true;
      return;
    }
    auto answers = follow_numbers(*code, entries, questions, !map_.is_go());
    const auto unknown = [](const SiteValues& answer) { return !answer.number.is_known(); };
    if (std::any_of(answers.begin(), answers.end(), unknown) && end_calls_without_return(elf_, map_, *code))
      answers = follow_numbers(*code, entries, questions, !map_.is_go());
    for (const auto& answer : answers) {
      if (answer.number.is_known())
        for (const auto number : answer.number.numbers())
          node.numbers.push_back(static_cast<std::uint32_t>(number));
      else if (const auto argument = answer.number.argument_register())
        add_forwarder({function.start, *argument});
      else
        node.unknown = true;
    }
  }

  static bool goes_to(const Instruction& instruction, std::uint64_t address) {
    const bool enters = instruction.flow == Flow::call || instruction.flow == Flow::jump ||
                        instruction.flow == Flow::branch || instruction.flow == Flow::indirect_jump;
    return enters &&
           (instruction.target == address || (instruction.target == 0 && instruction.reference == address));
  }

  // What no analysis of one function can tell, and its source does.
  void resolve_by_knowledge() {
    const auto* numbers = known_library_calls(file_.links.soname);
    for (auto& node : file_.nodes) {
      if (!node.unknown)
        continue;
      if (numbers) {
        node.numbers.insert(node.numbers.end(), numbers->begin(), numbers->end());
        node.unknown = false;
      } else if (map_.is_go() && go_function_name(elf_, node.start) == kGoRepeats) {
        node.unknown = false;
      }
    }
  }

  void add_roots() {
    auto& roots = file_.roots;
    if (file_.program)
      if (const auto node = file_.node_at(elf_.header.e_entry))
        roots.push_back(*node);
    for (const auto pointer : file_.links.pointers)
      if (const auto node = file_.node_at(pointer))
        roots.push_back(*node);
    // Go finds methods by distances from the start of the text, which are no pointers; its linker has left
    // out what nothing leads to.
    if (map_.is_go())
      for (std::uint32_t index = 0; index < file_.nodes.size(); ++index)
        roots.push_back(index);
    sort_unique(roots);
  }

  struct Reference {
    std::uint64_t target;
    std::uint32_t node;
    bool enters; ///< a call or jump, and not an address that is taken
  };
  const ElfView& elf_;
  const FunctionMap& map_;
  const std::vector<PlannedSite> sites_;
  FileCalls& file_;
  std::vector<Function> functions_; ///< of the nodes
  std::set<std::uint32_t> entered_; ///< nodes that code calls, jumps to or falls into
  std::vector<Reference> references_;
  std::multimap<std::uint64_t, std::uint64_t> stubs_; ///< of the linkage table, by the pointer that they use
  std::set<Forwarder> forwarders_;
  std::map<std::uint64_t, bool> only_loaded_; ///< variables, by address
  std::vector<Forwarder> open_;
};

} // namespace

namespace {

// A string of that name. The end of a longer one counts if something refers to it, since linkers let both
// share their bytes. Names of dynamic symbols are none.
bool holds_string(const ElfView& elf, std::string_view name) {
  const auto* dynamic = elf.section(".dynstr");
  const std::string wanted = std::string(name) + '\0';
  for (const auto& region : elf.loaded) {
    const std::string_view text(reinterpret_cast<const char*>(region.bytes.data()), region.bytes.size());
    for (auto at = text.find(wanted); at != std::string_view::npos; at = text.find(wanted, at + 1)) {
      const auto address = region.address + at;
      if (dynamic && address - dynamic->header.sh_addr < dynamic->bytes.size())
        continue;
      if (at == 0 || text[at - 1] == '\0' || is_referred_to(elf, address))
        return true;
    }
  }
  return false;
}

} // namespace

std::optional<std::uint32_t> FileCalls::node_at(std::uint64_t address) const {
  if (nodes.empty() || address < nodes.front().start)
    return std::nullopt;
  const auto after = std::upper_bound(nodes.begin(), nodes.end(), address,
                                      [](std::uint64_t at, const CallNode& node) { return at < node.start; });
  const auto& node = *std::prev(after);
  if (address >= node.end)
    return std::nullopt;
  return static_cast<std::uint32_t>(&node - nodes.data());
}

FileCalls find_file_calls(const ElfView& elf, const FilePlan& plan, const std::string& name) {
  FileCalls file;
  file.name = name;
  file.links = dynamic_links(elf);
  file.program = elf.header.e_entry != 0;
  file.says_syscall = holds_string(elf, "syscall");
  Builder(elf, plan, file).build();
  return file;
}

Result<FileCalls> find_file_calls(rewrite::ByteView bytes, const std::string& name) {
  TRY_LET(const auto elf, ElfView::parse(bytes, name));
  TRY_LET(const auto plan, plan_file(elf, name));
  return find_file_calls(elf, plan, name);
}

} // namespace ukl
