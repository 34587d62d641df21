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
constexpr std::uint64_t kUserAddresses = 1ULL << 47;

constexpr std::array<char, 8> kMagic = {'U', 'K', 'L', 'S', 'T', 'U', 'B', '1'};

// First in the segment.
struct Mark {
  std::array<char, 8> magic;
  std::uint64_t table;      // offset in the file of the first Record
  std::uint64_t count;      // of Records
  std::uint64_t stubs;      // address
  std::uint64_t stubs_size; // bytes
  std::uint64_t gate;       // address
  std::uint64_t unused[2];
};

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

} // namespace

Result<void> append_stubs(Bytes& elf, const ElfView& view, std::vector<PlannedSite>& sites,
                          const RewriteOptions& options) {
  const auto is_rewritten = [](const PlannedSite& site) { return site.site.treatment != Treatment::left; };
  if (std::none_of(sites.begin(), sites.end(), is_rewritten))
    return {};
  if (view.segments.size() + 1 > kMostProgramHeaders)
    return Error{Failure::rewrite, fmt::format("{} has too many program headers", options.name),
                 "pack it with --no-rewrite"};

  Bytes result = elf;
  auto segments = view.segments;
  join_headers_and_text(segments);
  if (may_be_interpreter(view))
    if (auto done = back_by_file(result, view, segments, options); !done)
      return done.error();
  const auto place = place_segment(view, result.size());

  // In the segment: the mark, the program headers, the stubs, their unwind information.
  const std::uint64_t headers = sizeof(Mark);
  const std::uint64_t headers_size = (segments.size() + 1) * sizeof(Elf64_Phdr);
  const std::uint64_t stubs_at = (headers + headers_size + 15) & ~std::uint64_t{15};
  std::vector<std::uint64_t> stub_of_site;
  const auto stubs = make_stubs(view, sites, place.address + stubs_at, options.gate, stub_of_site);
  if (stubs.code.empty())
    return {};
  const std::uint64_t frames_at = (stubs_at + stubs.code.size() + 3) & ~std::uint64_t{3};
  const auto frames = make_frame_table(view, stubs, place.address + frames_at);
  const auto size = page_up(frames_at + frames.size()); // whole pages: nothing behind it is to be zeroed
  if (place.address >= kUserAddresses - size)
    return Error{Failure::rewrite, fmt::format("{} leaves no addresses for the stubs", options.name),
                 "pack it with --no-rewrite"};

  Elf64_Phdr ours{};
  ours.p_type = PT_LOAD;
  ours.p_flags = PF_R | PF_X;
  ours.p_offset = place.offset;
  ours.p_vaddr = ours.p_paddr = place.address;
  ours.p_filesz = ours.p_memsz = size;
  ours.p_align = kPage;
  for (auto& segment : segments) {
    if (segment.p_type == PT_PHDR) {
      segment.p_offset = place.offset + headers;
      segment.p_vaddr = segment.p_paddr = place.address + headers;
      segment.p_filesz = segment.p_memsz = headers_size;
    } else if (segment.p_type == PT_GNU_EH_FRAME && !frames.empty()) {
      segment.p_offset = place.offset + frames_at;
      segment.p_vaddr = segment.p_paddr = place.address + frames_at;
      segment.p_filesz = segment.p_memsz = frames.size();
    }
  }
  const auto last_load = std::find_if(segments.rbegin(), segments.rend(),
                                      [](const Elf64_Phdr& segment) { return segment.p_type == PT_LOAD; });
  segments.insert(last_load.base(), ours);

  result.resize(place.offset + size, 0);
  Mark mark{};
  mark.magic = kMagic;
  mark.table = place.offset + size;
  mark.count = sites.size();
  mark.stubs = place.address + stubs_at;
  mark.stubs_size = stubs.code.size();
  mark.gate = options.gate;
  store(result, place.offset, mark);
  for (std::size_t i = 0; i < segments.size(); ++i)
    store(result, place.offset + headers + i * sizeof(Elf64_Phdr), segments[i]);
  const auto begin = result.begin() + static_cast<std::ptrdiff_t>(place.offset);
  std::copy(stubs.code.begin(), stubs.code.end(), begin + static_cast<std::ptrdiff_t>(stubs_at));
  std::copy(frames.begin(), frames.end(), begin + static_cast<std::ptrdiff_t>(frames_at));

  auto header = view.header;
  header.e_phoff = place.offset + headers;
  header.e_phnum = static_cast<std::uint16_t>(segments.size());
  store(result, 0, header);

  // Whatever of the old bytes is not overwritten by a jump can no longer be reached; a trap would show a
  // mistake.
  const auto file_offset = [&](std::uint64_t address) {
    return static_cast<std::size_t>(view.text_from(address).data() - view.bytes.data());
  };
  for (const auto& site : sites)
    if (is_rewritten(site) && site.island.address != 0)
      std::fill_n(result.begin() + static_cast<std::ptrdiff_t>(file_offset(site.island.padding_start)),
                  site.island.padding_end - site.island.padding_start, std::uint8_t{0xcc});
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const auto& site = sites[i];
    if (!is_rewritten(site))
      continue;
    const auto window = file_offset(site.window);
    const auto length = static_cast<std::size_t>(site.site.address - site.window);
    std::fill_n(result.begin() + static_cast<std::ptrdiff_t>(window), length, std::uint8_t{0xcc});
    auto jump = site.window; // the address of the long jump
    if (site.island.address != 0) {
      jump = site.island.address;
      result[window] = 0xeb;
      result[window + 1] = static_cast<std::uint8_t>(jump - (site.window + 2));
    }
    const auto place_of_jump = file_offset(jump);
    result[place_of_jump] = 0xe9;
    store(result, place_of_jump + 1, static_cast<std::uint32_t>(stub_of_site[i] - (jump + 5)));
  }
  append_table(result, sites, stub_of_site);
  elf = std::move(result);
  return {};
}

Result<std::optional<std::vector<Site>>> find_mark(const ElfView& view, const std::string& name) {
  for (const auto& segment : view.segments) {
    if (segment.p_type != PT_LOAD)
      continue;
    const auto mark = load<Mark>(view.bytes, segment.p_offset);
    if (!mark || mark->magic != kMagic)
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
      site.reason = static_cast<Reason>(std::min<unsigned>(record.reason, 10));
      site.numbers.assign(record.numbers, record.numbers + std::min<unsigned>(record.count, Value::kMost));
      sites.push_back(std::move(site));
    }
    return std::optional(std::move(sites));
  }
  return std::optional<std::vector<Site>>{};
}

} // namespace ukl::rewrite
