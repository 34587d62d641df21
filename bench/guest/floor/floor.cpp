// SPDX-License-Identifier: GPL-2.0-only
// What no kernel can go below: started by QEMU at its PVH entry (32-bit, no paging, interrupts off, no
// stack), prints "hello" and 16 hexadecimal digits of the time-stamp counter on the first serial port, and
// ends the machine by a triple fault.
asm(R"(
.section .note.pvh, "a", @note
  .long 4, 4, 18 # XEN_ELFNOTE_PHYS32_ENTRY (Linux: include/xen/interface/elfnote.h)
  .asciz "Xen"
  .long _start

.text
.code32
.globl _start
_start:
  rdtsc
  mov %eax, %ebp
  mov %edx, %ebx
  mov $text, %esi
  mov $0x3f8, %edx
1:lodsb
  test %al, %al
  jz 2f
  out %al, %dx
  jmp 1b
2:mov $16, %ecx
3:mov %ebx, %eax # the highest digit of EBX:EBP
  shr $28, %eax
  cmp $10, %al
  jb 4f
  add $39, %al # 'a' - '0' - 10
4:add $48, %al
  out %al, %dx
  shld $4, %ebp, %ebx
  shl $4, %ebp
  loop 3b
  mov $10, %al
  out %al, %dx
  lidt nothing
  int3
text: .asciz "hello "
nothing: .word 0
  .long 0
)");
