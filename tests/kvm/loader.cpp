// SPDX-License-Identifier: GPL-2.0-only
// A machine monitor in small, which starts an image by the rules of Firecracker's loader (its
// src/vmm/src/arch/x86_64: layout.rs, regs.rs, mptable.rs): segments of an ELF file at their physical
// addresses, and no firmware; the PVH entry, or the 64-bit entry with a page of boot parameters; an MP table
// for the CPUs; a serial port, and the keyboard controller's reset as the machine's end. For tests of what
// images need of such a machine, nothing more.
//
//   loader pvh|linux CPUS IMAGE [PARAMETER…]     # exits with 0 when the machine was reset
#include <asm/bootparam.h>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <iterator>
#include <linux/kvm.h>
#include <mutex>
#include <string>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::uint64_t kMemory = 256 << 20, kGdt = 0x500, kStartInfo = 0x6000, kMemoryMap = 0x6100,
                        kZeroPage = 0x7000, kStack = 0x8ff0, kPageTables = 0x9000, kCommandLine = 0x20000,
                        kMpTable = 0x9fc00, kLowEnd = 0x9fc00, kHigh = 0x100000;

std::uint8_t* memory = nullptr;
int machine = -1;

[[noreturn]] void give_up(const char* what) {
  perror(what);
  exit(1);
}

int control(int descriptor, unsigned long request, void* argument, const char* what) {
  const int result = ioctl(descriptor, request, argument);
  if (result < 0)
    give_up(what);
  return result;
}

template <typename T> void put(std::uint64_t at, const T& value) {
  memcpy(memory + at, &value, sizeof value);
}

// struct kvm_cpuid2 has an empty member, which takes a byte in C++: it would be larger than the kernel's, and
// the requests, which have its size in them, unknown ones.
struct Leaves {
  std::uint32_t count, unused;
  kvm_cpuid_entry2 entries[255];
};
constexpr unsigned long kGetSupportedCpuid = _IOWR(KVMIO, 0x05, std::uint64_t),
                        kSetCpuid = _IOW(KVMIO, 0x90, std::uint64_t);

struct Entries {
  std::uint64_t linux_entry = 0, pvh = 0;
};

Entries load(const char* path) {
  FILE* file = fopen(path, "rb");
  Elf64_Ehdr header;
  if (!file || fread(&header, sizeof header, 1, file) != 1)
    give_up(path);
  Entries entries{header.e_entry, 0};
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (fseek(file, static_cast<long>(header.e_phoff + i * sizeof segment), SEEK_SET) != 0 ||
        fread(&segment, sizeof segment, 1, file) != 1 ||
        fseek(file, static_cast<long>(segment.p_offset), SEEK_SET) != 0)
      give_up(path);
    if (segment.p_type == PT_LOAD) {
      if (segment.p_paddr + segment.p_memsz > kMemory ||
          fread(memory + segment.p_paddr, 1, segment.p_filesz, file) != segment.p_filesz)
        give_up("a segment");
    } else if (segment.p_type == PT_NOTE) {
      std::vector<char> notes(segment.p_filesz);
      if (fread(notes.data(), 1, notes.size(), file) != notes.size())
        give_up("a note");
      for (std::size_t at = 0; at + sizeof(Elf64_Nhdr) <= notes.size();) {
        Elf64_Nhdr note;
        memcpy(&note, &notes[at], sizeof note);
        const auto name = at + sizeof note, description = name + (note.n_namesz + 3) / 4 * 4;
        if (note.n_type == 18 && strncmp(&notes[name], "Xen", 4) == 0)
          memcpy(&entries.pvh, &notes[description], note.n_descsz);
        at = description + (note.n_descsz + 3) / 4 * 4;
      }
    }
  }
  fclose(file);
  return entries;
}

std::uint8_t sum(std::uint64_t at, std::size_t size) {
  std::uint8_t total = 0;
  for (std::size_t i = 0; i < size; ++i)
    total = static_cast<std::uint8_t>(total + memory[at + i]);
  return static_cast<std::uint8_t>(-total);
}

// Intel's MultiProcessor Specification 1.4: the pointer, and behind it the table with the processors, an ISA
// bus, the I/O APIC, 16 lines from that bus to it, and two for the local APICs.
void write_mp_table(int cpus) {
  const std::uint64_t table = kMpTable + 16;
  std::uint64_t at = table + 44;
  std::uint16_t entries = 0;
  const auto add = [&](std::initializer_list<int> bytes, std::size_t size) {
    for (const int byte : bytes)
      memory[at++] = static_cast<std::uint8_t>(byte);
    at += size - bytes.size();
    ++entries;
  };
  for (int cpu = 0; cpu < cpus; ++cpu)
    add({0, cpu, 0x14, cpu == 0 ? 3 : 1, 0, 6, 0, 0, 1, 2}, 20);
  add({1, 0, 'I', 'S', 'A', ' ', ' ', ' '}, 8);
  add({2, cpus, 0x11, 1, 0x00, 0x00, 0xc0, 0xfe}, 8);
  for (int line = 0; line < 16; ++line)
    add({3, 0, 0, 0, 0, line, cpus, line}, 8);
  add({4, 3, 0, 0, 0, 0, 0, 0}, 8);
  add({4, 1, 0, 0, 0, 0, 255, 1}, 8);
  memcpy(memory + table, "PCMP", 4);
  put<std::uint16_t>(table + 4, static_cast<std::uint16_t>(at - table));
  memory[table + 6] = 4;
  memcpy(memory + table + 8, "UKLTEST LOADER      ", 20);
  put<std::uint16_t>(table + 34, entries);
  put<std::uint32_t>(table + 36, 0xfee00000);
  memory[table + 7] = sum(table, at - table);
  memcpy(memory + kMpTable, "_MP_", 4);
  put<std::uint32_t>(kMpTable + 4, static_cast<std::uint32_t>(table));
  memory[kMpTable + 8] = 1;
  memory[kMpTable + 9] = 4;
  memory[kMpTable + 10] = sum(kMpTable, 16);
}

void write_start_info() {
  // Xen: public/arch-x86/hvm/start_info.h
  const std::uint64_t map[] = {0, kLowEnd, 1, kHigh, kMemory - kHigh, 1};
  memcpy(memory + kMemoryMap, map, sizeof map);
  put<std::uint32_t>(kStartInfo, 0x336ec578);
  put<std::uint32_t>(kStartInfo + 4, 1);
  put<std::uint64_t>(kStartInfo + 24, kCommandLine);
  put<std::uint64_t>(kStartInfo + 40, kMemoryMap);
  put<std::uint32_t>(kStartInfo + 48, 2);
}

void write_boot_parameters(std::size_t length) {
  boot_params parameters = {};
  parameters.hdr.type_of_loader = 0xff;
  parameters.hdr.boot_flag = 0xaa55;
  parameters.hdr.header = 0x53726448;
  parameters.hdr.cmd_line_ptr = kCommandLine;
  parameters.hdr.cmdline_size = static_cast<std::uint32_t>(length);
  parameters.hdr.kernel_alignment = 0x1000000;
  parameters.e820_entries = 2;
  parameters.e820_table[0] = {0, kLowEnd, 1};
  parameters.e820_table[1] = {kHigh, kMemory - kHigh, 1};
  put(kZeroPage, parameters);
  put<std::uint64_t>(kPageTables, (kPageTables + 0x1000) | 3);
  put<std::uint64_t>(kPageTables + 0x1000, (kPageTables + 0x2000) | 3);
  for (std::uint64_t i = 0; i < 512; ++i)
    put<std::uint64_t>(kPageTables + 0x2000 + 8 * i, i << 21 | 0x83);
}

void set_registers(int cpu, bool pvh, const Entries& entries) {
  kvm_sregs system;
  control(cpu, KVM_GET_SREGS, &system, "KVM_GET_SREGS");
  const std::uint64_t descriptors[] = {0, pvh ? 0xcf9b000000ffffull : 0xaf9b000000ffffull,
                                       0xcf93000000ffffull, 0x8f8b000000ffffull};
  memcpy(memory + kGdt, descriptors, sizeof descriptors);
  system.gdt = {kGdt, sizeof descriptors - 1, {}};
  const auto segment = [&](int index, std::uint8_t type, bool code) {
    kvm_segment made = {};
    made.limit = 0xffffffff;
    made.selector = static_cast<std::uint16_t>(8 * index);
    made.type = type;
    made.present = made.g = made.s = 1;
    made.db = code && !pvh ? 0 : 1;
    made.l = code && !pvh ? 1 : 0;
    return made;
  };
  system.cs = segment(1, 11, true);
  system.ds = system.es = system.fs = system.gs = system.ss = segment(2, 3, false);
  system.tr = segment(3, 11, false);
  system.tr.s = system.tr.db = 0;
  system.cr0 |= 1;
  if (!pvh) {
    system.cr0 |= 1u << 31;
    system.cr3 = kPageTables;
    system.cr4 |= 1u << 5;
    system.efer |= 1u << 8 | 1u << 10;
  }
  control(cpu, KVM_SET_SREGS, &system, "KVM_SET_SREGS");
  kvm_regs registers = {};
  registers.rflags = 2;
  registers.rip = pvh ? entries.pvh : entries.linux_entry;
  registers.rbx = pvh ? kStartInfo : 0;
  registers.rsi = pvh ? 0 : kZeroPage;
  registers.rsp = registers.rbp = pvh ? 0 : kStack;
  control(cpu, KVM_SET_REGS, &registers, "KVM_SET_REGS");
}

// An 8250 without a receiver.
class Serial {
public:
  void write(std::uint16_t port, std::uint8_t value) {
    const std::lock_guard lock(mutex_);
    if (port == 0 && !(line_ & 0x80)) {
      putchar(value);
      fflush(stdout);
      empty_ = true;
    } else if (port == 1 && !(line_ & 0x80)) {
      empty_ = empty_ || (value & 2 & ~enabled_);
      enabled_ = value;
    } else if (port == 3) {
      line_ = value;
    } else if (port == 4) {
      modem_ = value;
    } else if (port == 7) {
      scratch_ = value;
    }
    interrupt();
  }
  std::uint8_t read(std::uint16_t port) {
    const std::lock_guard lock(mutex_);
    switch (port) {
    case 1:
      return line_ & 0x80 ? 0 : enabled_;
    case 2: {
      const bool pending = empty_ && (enabled_ & 2);
      if (pending)
        empty_ = false;
      interrupt();
      return pending ? 2 : 1;
    }
    case 3:
      return line_;
    case 4:
      return modem_;
    case 5:
      return 0x60;
    case 6:
      return modem_ & 0x10
                 ? static_cast<std::uint8_t>((modem_ & 2) << 3 | (modem_ & 1) << 5 | (modem_ & 0xc) << 4)
                 : 0xb0;
    case 7:
      return scratch_;
    default:
      return 0;
    }
  }

private:
  void interrupt() {
    kvm_irq_level level = {{4}, empty_ && (enabled_ & 2) ? 1u : 0u};
    control(machine, KVM_IRQ_LINE, &level, "KVM_IRQ_LINE");
  }
  std::mutex mutex_;
  bool empty_ = false;
  std::uint8_t enabled_ = 0, line_ = 0, modem_ = 0, scratch_ = 0;
} serial;

void run(int cpu, int size) {
  auto* state = static_cast<kvm_run*>(
      mmap(nullptr, static_cast<std::size_t>(size), PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0));
  while (true) {
    if (ioctl(cpu, KVM_RUN, nullptr) < 0 && errno != EINTR && errno != EAGAIN)
      give_up("KVM_RUN");
    if (state->exit_reason == KVM_EXIT_SHUTDOWN)
      _exit(0); // a triple fault is a reset
    if (state->exit_reason == KVM_EXIT_FAIL_ENTRY || state->exit_reason == KVM_EXIT_INTERNAL_ERROR) {
      fprintf(stderr, "loader: KVM gave up (%u)\n", state->exit_reason);
      _exit(1);
    }
    if (state->exit_reason == KVM_EXIT_MMIO && !state->mmio.is_write)
      memset(state->mmio.data, 0xff, sizeof state->mmio.data);
    if (state->exit_reason != KVM_EXIT_IO)
      continue;
    auto* data = reinterpret_cast<std::uint8_t*>(state) + state->io.data_offset;
    const auto port = state->io.port;
    const bool is_serial = port >= 0x3f8 && port < 0x400 && state->io.size == 1;
    for (std::uint32_t i = 0; i < state->io.count; ++i, data += state->io.size) {
      if (state->io.direction == KVM_EXIT_IO_IN)
        memset(data,
               is_serial      ? serial.read(static_cast<std::uint16_t>(port - 0x3f8))
               : port == 0x64 ? 0
                              : 0xff,
               state->io.size);
      else if (is_serial)
        serial.write(static_cast<std::uint16_t>(port - 0x3f8), *data);
      else if (port == 0x64 && *data == 0xfe)
        _exit(0);
    }
  }
}

} // namespace

int main(int count, char** arguments) {
  if (count < 4)
    return 2;
  const bool pvh = strcmp(arguments[1], "pvh") == 0;
  const int cpus = atoi(arguments[2]);
  const int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (kvm < 0)
    give_up("/dev/kvm");
  machine = control(kvm, KVM_CREATE_VM, nullptr, "KVM_CREATE_VM");
  control(machine, KVM_SET_TSS_ADDR, reinterpret_cast<void*>(0xfffbd000), "KVM_SET_TSS_ADDR");
  control(machine, KVM_CREATE_IRQCHIP, nullptr, "KVM_CREATE_IRQCHIP");
  kvm_pit_config timer = {};
  timer.flags = KVM_PIT_SPEAKER_DUMMY;
  control(machine, KVM_CREATE_PIT2, &timer, "KVM_CREATE_PIT2");
  memory = static_cast<std::uint8_t*>(
      mmap(nullptr, kMemory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  kvm_userspace_memory_region region = {0, 0, 0, kMemory, reinterpret_cast<std::uint64_t>(memory)};
  control(machine, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");

  const Entries entries = load(arguments[3]);
  std::string words = "console=ttyS0 reboot=k panic=1 pci=off";
  for (int i = 4; i < count; ++i)
    words += std::string(" ") + arguments[i];
  memcpy(memory + kCommandLine, words.c_str(), words.size() + 1);
  write_mp_table(cpus);
  if (pvh)
    write_start_info();
  else
    write_boot_parameters(words.size() + 1);

  Leaves leaves = {};
  leaves.count = std::size(leaves.entries);
  control(kvm, kGetSupportedCpuid, &leaves, "KVM_GET_SUPPORTED_CPUID");
  const int size = control(kvm, KVM_GET_VCPU_MMAP_SIZE, nullptr, "KVM_GET_VCPU_MMAP_SIZE");
  std::vector<std::thread> threads;
  for (int number = 0; number < cpus; ++number) {
    const int cpu = ioctl(machine, KVM_CREATE_VCPU, number);
    if (cpu < 0)
      give_up("KVM_CREATE_VCPU");
    for (std::uint32_t i = 0; i < leaves.count; ++i) {
      auto& leaf = leaves.entries[i];
      if (leaf.function == 1)
        leaf.ebx = (leaf.ebx & 0xff00) | static_cast<std::uint32_t>(cpus) << 16 |
                   static_cast<std::uint32_t>(number) << 24;
      if (leaf.function == 0xb || leaf.function == 0x1f)
        leaf.edx = static_cast<std::uint32_t>(number);
    }
    control(cpu, kSetCpuid, &leaves, "KVM_SET_CPUID2");
    if (number == 0)
      set_registers(cpu, pvh, entries);
    threads.emplace_back(run, cpu, size);
  }
  for (auto& thread : threads)
    thread.join();
  return 1;
}
