# SPDX-License-Identifier: GPL-2.0-only
# System calls as function calls: under fire, masked, by shortcuts; and the kernel's own functions.

NAME gate-torture
TIMEOUT 240
ONLY short
CHECK gate_torture programs/gate_torture.cpp : 40
SECONDS 200
RUN --cpus 4 -m 512M

NAME gate-torture-long
TIMEOUT 1800
ONLY long
CHECK gate_torture programs/gate_torture.cpp : 1000
SECONDS 1700
RUN --cpus 4 -m 512M

# The same by the SYSCALL instruction and by full entries.
NAME gate-torture-instruction
TIMEOUT 240
CHECK gate_torture programs/gate_torture.cpp : 10
SECONDS 200
PACK --no-rewrite
RUN --cpus 4 -m 512M

NAME gate-torture-full
TIMEOUT 240
CHECK gate_torture programs/gate_torture.cpp : 10
SECONDS 200
PACK --call all=full
RUN --cpus 4 -m 512M

NAME masked-call
PROGRAM masked programs/masked_call.cpp
PACK {build}/masked --call getpriority=masked
RUN
EXPECT masked as asked for
EXPECT ukl: masked system call 140 by masked
EXPECT answered with ENOSYS (2 so far)

# What the code of the image's program does not call is masked without a word from the user. A list from a trace masks
# all but what was traced.
NAME masked-by-default
PROGRAM calls programs/one_more_call.cpp -static
PACK {build}/calls
RUN
EXPECT one more call: ENOSYS
EXPECT ukl: masked system call 140 by calls
RUN --trace-calls {work}/calls -- more
EXPECT one more call: 0
COMMAND cat {work}/calls && {ukl} pack {build}/calls -o {work}/only.ukl --calls @{work}/calls && \
  {ukl} run {work}/only.ukl -- more && {ukl} pack {build}/calls -o {work}/all.ukl --calls all && {ukl} run {work}/all.ukl && \
  {ukl} pack {build}/calls -o {work}/allow.ukl --call getpriority=default && {ukl} run {work}/allow.ukl
EXPECT getpriority
EXPECT exit_group
EXPECT one more call: 0
REJECT one more call: ENOSYS
REJECT mount

NAME tcp-shortcut
PROGRAM sockets programs/sockets.cpp
PACK {build}/sockets --call all=shortcut --poll-network 50
RUN --cpus 2

NAME kernel-functions
PROGRAM functions programs/kernel_functions.cpp -I {source}/../../include
PACK {build}/functions
RUN --cpus 2
EXPECT kernel functions work

NAME kernel-function-missing
PROGRAM hello programs/hello.c
PROGRAM missing programs/missing_function.cpp -I {source}/../../include
PACK {build}/hello
COMMAND {ukl} pack {build}/missing -o {work}/missing.ukl
STATUS 37
EXPECT no_such_function_in_linux
