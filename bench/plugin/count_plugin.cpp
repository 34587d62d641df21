// SPDX-License-Identifier: GPL-2.0-only
// A plugin of QEMU's that counts all guest instructions into a file that others can map: 8 bytes, native
// order. Only executed instructions count, so a CPU that is halted adds nothing. (An exception in the middle
// of a block leaves the rest of that block counted.)
//     -plugin count_plugin.so,out=FILE
#include "qemu_plugin_api.h"

#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int qemu_plugin_version = 1;

namespace {

std::uint64_t* counter;

void translate(qemu_plugin_id_t, qemu_plugin_tb* tb) {
  qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, counter,
                                           qemu_plugin_tb_n_insns(tb));
}

} // namespace

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t*, int argc, char** argv) {
  const char* path = nullptr;
  for (int i = 0; i < argc; ++i)
    if (std::strncmp(argv[i], "out=", 4) == 0)
      path = argv[i] + 4;
  const int fd = path ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
  if (fd < 0 || ftruncate(fd, sizeof *counter) != 0) {
    qemu_plugin_outs("count_plugin: out=FILE is missing or cannot be written\n");
    return 1;
  }
  void* memory = mmap(nullptr, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (memory == MAP_FAILED)
    return 1;
  counter = static_cast<std::uint64_t*>(memory);
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  return 0;
}
