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
PACK --syscall all:full
RUN --cpus 4 -m 512M

NAME masked-call
PROGRAM masked programs/masked_call.cpp
PACK {build}/masked --syscall getpriority:masked
RUN
EXPECT masked as asked for
EXPECT ukl: masked system call 140 by masked
EXPECT answered with ENOSYS (2 so far)

NAME tcp-shortcut
PROGRAM sockets programs/sockets.cpp
PACK {build}/sockets --shortcut-tcp --poll-network 50
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
