// SPDX-License-Identifier: GPL-2.0-only
// A plugin of QEMU's that counts how often each guest instruction runs between marks, and writes
// `ADDRESS COUNT` lines (hexadecimal, decimal) when QEMU ends. The guest program sets the marks
// (bench/guest/marks.h); a server that knows nothing of them is counted while the file WINDOW exists, which
// is looked at whenever the CPU has been idle.
//     -plugin profile_plugin.so,out=FILE[,window=WINDOW]
#include "../guest/marks.h"
#include "qemu_plugin_api.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <unistd.h>

int qemu_plugin_version = 1;

namespace {

struct Counter {
  std::uint64_t runs = 0;     // since QEMU began; QEMU's translated code adds to it
  std::uint64_t at_begin = 0; // its value when the last begin mark ran
  std::uint64_t between = 0;  // sum over all pairs of marks
};

// Never destroyed: QEMU calls write_counts after the destructors of a plugin's own objects have run.
std::mutex& mutex = *new std::mutex;
std::map<std::uint64_t, Counter>& counters =
    *new std::map<std::uint64_t, Counter>; // by guest virtual address
std::string& output = *new std::string;
std::string& window = *new std::string;
bool window_is_open = false;

void begin(unsigned, void*) {
  const std::lock_guard lock(mutex);
  for (auto& [address, counter] : counters)
    counter.at_begin = counter.runs;
}

void end(unsigned, void*) {
  const std::lock_guard lock(mutex);
  for (auto& [address, counter] : counters) {
    counter.between += counter.runs - counter.at_begin;
    counter.at_begin = counter.runs;
  }
}

// The CPU goes on after HLT. One CPU: benchmarks have no more.
void look_at_window(qemu_plugin_id_t, unsigned) {
  const bool open = access(window.c_str(), F_OK) == 0;
  if (open == window_is_open)
    return;
  window_is_open = open;
  (open ? begin : end)(0, nullptr);
}

// A mark is a long no-operation with a displacement of ours: 0f 1f 80 MARK.
std::uint32_t mark_of(const qemu_plugin_insn* instruction) {
  const auto* bytes = static_cast<const unsigned char*>(qemu_plugin_insn_data(instruction));
  if (qemu_plugin_insn_size(instruction) != 7 || std::memcmp(bytes, "\x0f\x1f\x80", 3) != 0)
    return 0;
  std::uint32_t mark;
  std::memcpy(&mark, bytes + 3, sizeof mark);
  return mark;
}

void translate(qemu_plugin_id_t, qemu_plugin_tb* tb) {
  const std::lock_guard lock(mutex);
  for (std::size_t i = 0; i < qemu_plugin_tb_n_insns(tb); ++i) {
    auto* instruction = qemu_plugin_tb_get_insn(tb, i);
    const auto mark = mark_of(instruction);
    if (mark == UKL_BENCH_MARK_BEGIN)
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, begin, QEMU_PLUGIN_CB_NO_REGS, nullptr);
    else if (mark == UKL_BENCH_MARK_END)
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, end, QEMU_PLUGIN_CB_NO_REGS, nullptr);
    else
      qemu_plugin_register_vcpu_insn_exec_inline(instruction, QEMU_PLUGIN_INLINE_ADD_U64,
                                                 &counters[qemu_plugin_insn_vaddr(instruction)].runs, 1);
  }
}

void write_counts(qemu_plugin_id_t, void*) {
  if (window_is_open)
    end(0, nullptr);
  std::FILE* file = std::fopen(output.c_str(), "w");
  if (!file) {
    qemu_plugin_outs("profile_plugin: the output cannot be written\n");
    return;
  }
  for (const auto& [address, counter] : counters)
    if (counter.between)
      std::fprintf(file, "%" PRIx64 " %" PRIu64 "\n", address, counter.between);
  std::fclose(file);
}

} // namespace

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t*, int argc, char** argv) {
  for (int i = 0; i < argc; ++i) {
    if (std::strncmp(argv[i], "out=", 4) == 0)
      output = argv[i] + 4;
    if (std::strncmp(argv[i], "window=", 7) == 0)
      window = argv[i] + 7;
  }
  if (output.empty()) {
    qemu_plugin_outs("profile_plugin: out=FILE is missing\n");
    return 1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  if (!window.empty())
    qemu_plugin_register_vcpu_resume_cb(id, look_at_window);
  qemu_plugin_register_atexit_cb(id, write_counts, nullptr);
  return 0;
}
