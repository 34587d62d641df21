// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/segment.hpp"

#include "rewrite/join_segments.hpp"
#include "rewrite/numbers.hpp"
#include "rewrite/stub_frames.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace ukl::rewrite {
namespace {

constexpr std::uint64_t kMostPadding = 1 << 20;                         ///< bytes; see place_segment
constexpr std::uint64_t kMostCopied = 64 << 20;                         ///< bytes; see back_by_file
constexpr std::size_t kMostProgramHeaders = kPage / sizeof(Elf64_Phdr); ///< fs/binfmt_elf.c, load_elf_phdrs

// First in the segment, directly before the program headers, where the kernel looks for it. `table` and
// `count` are of Records.
using Mark = ukl_mark;
constexpr std::string_view kMagic = UKL_MARK_MAGIC;

// One site, in the file behind the segment.
struct Record {
  std::uint64_t address;
  std::uint64_t stub; // 0: none
  std::uint8_t treatment, reason;
  std::uint16_t count;
  std::uint32_t numbers[Value::kMost];
  std::uint32_t unused;
};

template <typename T> void store(Bytes& bytes, std::uint64_t offset, const T& value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

// The kernel zeroes the memory of a program interpreter behind the file part of its last segment only
// (Linux 6.1, fs/binfmt_elf.c, load_elf_interp), and ours is the last now. So where the file may be loaded as
// one (it has an entry point, asks for no interpreter, and does not call itself a program), what was zeroed
// memory comes from the file: the segment's contents move to the end of the file, followed by the zeros.
bool may_be_interpreter(const ElfView& view) {
  if (view.header.e_type != ET_DYN || view.header.e_entry == 0 || view.segment(PT_INTERP))
    return false;
  const auto* dynamic = view.segment(PT_DYNAMIC);
  const auto table = dynamic ? view.at(dynamic->p_vaddr) : ByteView{};
  for (std::uint64_t at = 0; dynamic && at < dynamic->p_filesz; at += sizeof(Elf64_Dyn)) {
    const auto entry = load<Elf64_Dyn>(table, at);
    if (!entry || entry->d_tag == DT_NULL)
      break;
    if (entry->d_tag == DT_FLAGS_1 && (entry->d_un.d_val & DF_1_PIE))
      return false;
  }
  return true;
}

bool inside(std::uint64_t offset, std::uint64_t start, std::uint64_t size) {
  return offset >= start && offset - start < size;
}

Result<void> back_by_file(Bytes& elf, const ElfView& view, std::vector<Elf64_Phdr>& segments,
                          const RewriteOptions& options) {
  for (const auto& old : view.segments) {
    if (old.p_type != PT_LOAD || old.p_memsz == old.p_filesz)
      continue;
    if (old.p_memsz > kMostCopied)
      return Error{Failure::rewrite,
                   fmt::format("{}: a program interpreter with {} MiB of zeroed memory", options.name,
                               old.p_memsz >> 20),
                   "pack it with --no-rewrite"};
    const auto lead = old.p_vaddr % kPage; // the mapping begins at a page's start
    const auto offset = page_up(elf.size()) + lead;
    elf.resize(offset + old.p_memsz, 0);
    const auto content = view.bytes.subspan(old.p_offset, old.p_filesz);
    std::copy(content.begin(), content.end(), elf.begin() + static_cast<std::ptrdiff_t>(offset));
    for (auto& segment : segments)
      if (inside(segment.p_offset, old.p_offset, old.p_filesz) &&
          inside(segment.p_vaddr, old.p_vaddr, old.p_memsz)) {
        segment.p_offset = segment.p_offset - old.p_offset + offset;
        if (segment.p_type == PT_LOAD)
          segment.p_filesz = segment.p_memsz;
      }
    for (std::size_t i = 0; i < view.sections.size(); ++i) {
      auto header = view.sections[i].header;
      if (!(header.sh_flags & SHF_ALLOC) || !inside(header.sh_addr, old.p_vaddr, old.p_memsz))
        continue;
      header.sh_offset = offset + (header.sh_addr - old.p_vaddr);
      store(elf, view.header.e_shoff + i * sizeof header, header);
    }
  }
  return {};
}

// Where the segment goes. Its address behind the last one; its place in the file behind everything, and such
// that both are as far apart as they are for the file's first byte: dynamic loaders find their own program
// headers as "base plus e_phoff" (glibc elf/rtld.c; musl ldso/dynlink.c), and Linux before 5.18 those of
// every program. Where zeroed memory is so large that this would blow up the file, they are placed without
// that.
struct Place {
  std::uint64_t address, offset;
};

Place place_segment(const ElfView& view, std::uint64_t file_size) {
  const auto address = page_up(view.memory_end), offset = page_up(file_size);
  for (const auto& segment : view.segments) {
    if (segment.p_type != PT_LOAD || segment.p_offset != 0 || segment.p_vaddr % kPage != 0)
      continue;
    if (address - segment.p_vaddr <= offset)
      return {segment.p_vaddr + offset, offset};
    const auto wanted = address - segment.p_vaddr;
    if (wanted - offset <= kMostPadding)
      return {address, wanted};
    break;
  }
  return {address, offset};
}

void append_table(Bytes& elf, const std::vector<PlannedSite>& sites,
                  const std::vector<std::uint64_t>& stubs) {
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const auto& site = sites[i].site;
    Record record{};
    record.address = site.address;
    record.stub = stubs[i];
    record.treatment = static_cast<std::uint8_t>(site.treatment);
    record.reason = static_cast<std::uint8_t>(site.reason);
    record.count = static_cast<std::uint16_t>(std::min<std::size_t>(site.numbers.size(), Value::kMost));
    std::copy_n(site.numbers.begin(), record.count, record.numbers);
    const auto at = elf.size();
    elf.resize(at + sizeof record);
    store(elf, at, record);
  }
}

bool is_rewritten(const PlannedSite& site) {
  return site.site.treatment != Treatment::left;
}

// What the new segment holds, one behind the other, and where each begins in it.
struct Layout {
  std::uint64_t headers = sizeof(Mark); ///< the mark comes first
  std::uint64_t headers_size = 0, stubs = 0, frames = 0, traps = 0, size = 0;
};

struct NewSegment {
  Place place;
  Layout at;
  Stubs stubs;
  std::vector<std::uint64_t> stub_of_site; ///< addresses; 0: none
  Bytes frames;                            ///< unwind information of the stubs
  Bytes traps;                             ///< the kernel's table
};

// Sites that are too far away become ones that are left alone.
NewSegment make_segment(const ElfView& view, std::size_t segments, std::uint64_t file_size,
                        std::vector<PlannedSite>& sites, std::vector<TrapSite>& traps, std::uint64_t gate) {
  NewSegment made;
  auto& at = made.at;
  made.place = place_segment(view, file_size);
  const auto start = made.place.address;
  at.headers_size = segments * sizeof(Elf64_Phdr);
  at.stubs = (at.headers + at.headers_size + 15) & ~std::uint64_t{15};
  made.stubs = make_stubs(view, sites, start + at.stubs, gate, made.stub_of_site);
  add_copies(view, traps, start + at.stubs, made.stubs);
  made.traps = make_trap_table(view, traps);
  at.frames = (at.stubs + made.stubs.code.size() + 3) & ~std::uint64_t{3};
  made.frames = make_frame_table(view, made.stubs, start + at.frames);
  at.traps = (at.frames + made.frames.size() + 7) & ~std::uint64_t{7};
  at.size = page_up(at.traps + made.traps.size()); // whole pages: nothing behind it is to be zeroed
  return made;
}

// The file's program headers with that of the new segment, to which those that say where the headers
// themselves and the unwind table lie now point.
std::vector<Elf64_Phdr> with_segment(std::vector<Elf64_Phdr> segments, const NewSegment& made) {
  const auto move = [&](Elf64_Phdr& segment, std::uint64_t at, std::uint64_t size) {
    segment.p_offset = made.place.offset + at;
    segment.p_vaddr = segment.p_paddr = made.place.address + at;
    segment.p_filesz = segment.p_memsz = size;
  };
  for (auto& segment : segments)
    if (segment.p_type == PT_PHDR)
      move(segment, made.at.headers, made.at.headers_size);
    else if (segment.p_type == PT_GNU_EH_FRAME && !made.frames.empty())
      move(segment, made.at.frames, made.frames.size());
  Elf64_Phdr ours{};
  ours.p_type = PT_LOAD;
  ours.p_flags = PF_R | PF_X;
  ours.p_align = kPage;
  move(ours, 0, made.at.size);
  const auto last_load = std::find_if(segments.rbegin(), segments.rend(),
                                      [](const Elf64_Phdr& segment) { return segment.p_type == PT_LOAD; });
  segments.insert(last_load.base(), ours);
  return segments;
}

// Appends the segment and makes the file's header point to the program headers in it.
void write_segment(Bytes& elf, const ElfView& view, const std::vector<Elf64_Phdr>& segments,
                   const NewSegment& made, std::size_t sites, std::uint64_t gate) {
  const auto& at = made.at;
  const auto offset = made.place.offset;
  elf.resize(offset + at.size, 0);
  Mark mark{};
  kMagic.copy(mark.magic, sizeof mark.magic);
  mark.table = offset + at.size;
  mark.count = sites;
  mark.stubs = made.place.address + at.stubs;
  mark.stubs_size = made.stubs.code.size();
  mark.gate = gate;
  mark.traps = offset + at.traps;
  mark.trap_count = made.traps.size() / sizeof(ukl_trap);
  store(elf, offset, mark);
  for (std::size_t i = 0; i < segments.size(); ++i)
    store(elf, offset + at.headers + i * sizeof(Elf64_Phdr), segments[i]);
  const auto put = [&](const Bytes& bytes, std::uint64_t where) {
    std::copy(bytes.begin(), bytes.end(), elf.begin() + static_cast<std::ptrdiff_t>(offset + where));
  };
  put(made.stubs.code, at.stubs);
  put(made.frames, at.frames);
  put(made.traps, at.traps);
  auto header = view.header;
  header.e_phoff = offset + at.headers;
  header.e_phnum = static_cast<std::uint16_t>(segments.size());
  store(elf, 0, header);
}

// Whatever of the old bytes is not overwritten by a jump can no longer be reached; a trap would show a
// mistake.
void write_jumps(Bytes& elf, const ElfView& view, const std::vector<PlannedSite>& sites,
                 const std::vector<std::uint64_t>& stub_of_site) {
  constexpr std::uint8_t kTrap = 0xcc, kShortJump = 0xeb, kJump = 0xe9;
  const auto file_offset = [&](std::uint64_t address) {
    return static_cast<std::size_t>(view.text_from(address).data() - view.bytes.data());
  };
  const auto fill = [&](std::uint64_t start, std::uint64_t end) {
    std::fill_n(elf.begin() + static_cast<std::ptrdiff_t>(file_offset(start)), end - start, kTrap);
  };
  // All padding first: several islands share one run of it.
  for (const auto& site : sites)
    if (is_rewritten(site) && site.island.address != 0)
      fill(site.island.padding_start, site.island.padding_end);
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const auto& site = sites[i];
    if (!is_rewritten(site))
      continue;
    fill(site.window, site.site.address);
    auto jump = site.window; // the address of the long jump
    if (site.island.address != 0) {
      jump = site.island.address;
      const auto window = file_offset(site.window);
      elf[window] = kShortJump;
      elf[window + 1] = static_cast<std::uint8_t>(jump - (site.window + 2));
    }
    const auto place_of_jump = file_offset(jump);
    elf[place_of_jump] = kJump;
    store(elf, place_of_jump + 1, static_cast<std::uint32_t>(stub_of_site[i] - (jump + 5)));
  }
}

} // namespace

Result<Bytes> append_stubs(const ElfView& view, std::vector<PlannedSite>& sites, std::vector<TrapSite>& traps,
                           const RewriteOptions& options) {
  const bool has_records =
      std::any_of(traps.begin(), traps.end(), [](const TrapSite& site) { return site.trap.kind != 0; });
  const bool needs_segment = has_records || std::any_of(sites.begin(), sites.end(), is_rewritten);
  if (!needs_segment && traps.empty())
    return Bytes();
  Bytes result(view.bytes.begin(), view.bytes.end());
  if (!needs_segment) {
    write_traps(result, view, traps);
    return result;
  }
  if (view.segments.size() + 1 > kMostProgramHeaders)
    return Error{Failure::rewrite, fmt::format("{} has too many program headers", options.name),
                 "pack it with --no-rewrite"};

  auto segments = view.segments;
  join_headers_and_text(segments);
  if (may_be_interpreter(view))
    TRY(back_by_file(result, view, segments, options));
  const auto made = make_segment(view, segments.size() + 1, result.size(), sites, traps, options.gate);
  if (!has_records && std::none_of(sites.begin(), sites.end(), is_rewritten))
    return Bytes();
  if (made.place.address >= kUserAddresses - made.at.size)
    return Error{Failure::rewrite, fmt::format("{} leaves no addresses for the stubs", options.name),
                 "pack it with --no-rewrite"};
  write_segment(result, view, with_segment(std::move(segments), made), made, sites.size(), options.gate);
  write_traps(result, view, traps);
  write_jumps(result, view, sites, made.stub_of_site);
  append_table(result, sites, made.stub_of_site);
  return result;
}

Result<std::optional<std::vector<Site>>> find_mark(const ElfView& view, const std::string& name) {
  for (const auto& segment : view.segments) {
    if (segment.p_type != PT_LOAD)
      continue;
    const auto mark = load<Mark>(view.bytes, segment.p_offset);
    if (!mark || std::string_view(mark->magic, sizeof mark->magic) != kMagic)
      continue;
    std::vector<Site> sites;
    if (mark->table > view.bytes.size() || mark->count > (view.bytes.size() - mark->table) / sizeof(Record))
      return Error{Failure::not_elf, fmt::format("{}: the table of rewritten system calls is damaged", name),
                   "start again from the original file"};
    for (std::uint64_t i = 0; i < mark->count; ++i) {
      const auto record = *load<Record>(view.bytes, mark->table + i * sizeof(Record));
      Site site;
      site.address = record.address;
      site.treatment = static_cast<Treatment>(std::min<unsigned>(record.treatment, 2));
      site.reason = static_cast<Reason>(std::min<unsigned>(record.reason, 12));
      site.numbers.assign(record.numbers, record.numbers + std::min<unsigned>(record.count, Value::kMost));
      sites.push_back(std::move(site));
    }
    return std::optional(std::move(sites));
  }
  return std::optional<std::vector<Site>>{};
}

} // namespace ukl::rewrite
