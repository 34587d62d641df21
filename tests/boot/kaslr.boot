# SPDX-License-Identifier: GPL-2.0-only
# The kernel's address: another one at each start, told to nobody who may only read files.

NAME kaslr-new-address-at-each-start
TIMEOUT 120
PROGRAM address programs/kernel_address.cpp
PACK {build}/address --sysctl kernel.kptr_restrict=1
COMMAND for i in 1 2 3 4; do {ukl} run {image} --timeout 100 || exit; done | tee {build}/starts
EXPECT_RE kallsyms says ffffffff[89a-f]
COMMAND echo "addresses: $(grep -o 'kallsyms says f.*' {build}/starts | sort -u | wc -l)"
EXPECT_RE addresses: [234]
COMMAND {ukl} inspect {image}
EXPECT_RE one of (4[89]|50)[0-9] addresses

# Loaders that know nothing of it, and QEMU's other machine types.
NAME kaslr-other-loaders
TIMEOUT 180
PROGRAM address programs/kernel_address.cpp
PACK {build}/address
COMMAND for i in 1 2 3; do timeout 80 qemu-system-x86_64 -M q35 -cpu max -nographic -no-reboot -kernel {image} || exit; done \
  | tee {build}/starts
COMMAND echo "addresses: $(grep -ao 'gate page says f.*' {build}/starts | sort -u | wc -l)"
EXPECT_RE addresses: [23]
COMMAND for i in 1 2 3; do {ukl} run {image} --machine microvm --timeout 80 || exit; done | tee {build}/starts
COMMAND echo "addresses: $(grep -ao 'gate page says f.*' {build}/starts | sort -u | wc -l)"
EXPECT_RE addresses: [23]

# For debuggers: where System.map says.
NAME kaslr-switched-off
TIMEOUT 120
PROGRAM address programs/kernel_address.cpp
PACK {build}/address --sysctl kernel.kptr_restrict=1
COMMAND {ukl} run {image} --append nokaslr --timeout 80
EXPECT gate page says ffffffff80200000
EXPECT kallsyms says ffffffff80200000
# A longer word is another one.
COMMAND for i in 1 2 3; do {ukl} run {image} --append nokaslrs --timeout 80 || exit; done | tee {build}/starts
COMMAND echo "addresses: $(grep -o 'kallsyms says f.*' {build}/starts | sort -u | wc -l)"
EXPECT_RE addresses: [23]

NAME kaslr-addresses-are-hidden
PROGRAM address programs/kernel_address.cpp
PACK {build}/address
RUN
EXPECT kallsyms says 0000000000000000

# Two packs of one program are the same bytes: what changes is chosen when the machine starts.
NAME kaslr-packs-are-reproducible
PROGRAM address programs/kernel_address.cpp
PACK {build}/address
COMMAND cp {image} {build}/first && {ukl} pack {build}/address --profile {profile} -o {image} && cmp {image} {build}/first && echo same
EXPECT same

# A program's calls of kernel functions, and the report of its crash, follow the kernel.
NAME kaslr-kernel-functions
TIMEOUT 120
PROGRAM functions programs/kernel_functions.cpp -I {source}/../../include
PACK {build}/functions
RUN --cpus 2
EXPECT kernel functions work
RUN
EXPECT kernel functions work

# Without its relocations a kernel stays where it was linked, and both tools say so.
NAME kaslr-kernel-without-relocations
PROGRAM address programs/kernel_address.cpp
PACK {build}/address
COMMAND objcopy --remove-relocations='*' "$({ukl} kernel path)" {build}/vmlinux && \
  {ukl} pack {build}/address --kernel {build}/vmlinux --sysctl kernel.kptr_restrict=1 -o {build}/fixed.ukl
EXPECT the kernel is at the same address at each start
COMMAND {ukl} inspect {build}/fixed.ukl
EXPECT the same address at each start
COMMAND {ukl} run {build}/fixed.ukl --timeout 50
EXPECT kallsyms says ffffffff80200000
# Nor does it take a block with the run's settings: they go as words, and what cannot is refused.
COMMAND {ukl} run {build}/fixed.ukl --env A=b --timeout 50 && {ukl} run {build}/fixed.ukl --secret k={build}/vmlinux; echo status $?
EXPECT status 2
COMMAND echo x > {work}/k; {ukl} run {build}/fixed.ukl --secret k={work}/k; echo status $?
EXPECT cannot carry
EXPECT status 2
