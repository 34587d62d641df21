# SPDX-License-Identifier: GPL-2.0-only
# Every ordinary Linux meaning that a program in ring 0 must find: small programs, many in one boot, 4 virtual CPUs.

NAME features
TIMEOUT 300
LIBRARY tls_library.so programs/tls_library.cpp
LIBRARY exceptions_library.so programs/exceptions_library.cpp
LIBRARY constructors_library.so programs/constructors_library.cpp
CHECK ring programs/ring.cpp : {ring}
HOST no
CHECK initial_state programs/initial_state.cpp
CHECK threads programs/threads.cpp
CHECK openmp programs/openmp.cpp -fopenmp
CHECK tls programs/tls.cpp : {checks}/tls_library.so
CHECK tls_static programs/tls.cpp -static -Wno-error
CHECK exceptions programs/exceptions.cpp -fnon-call-exceptions -DWITH_LIBRARY {build}/exceptions_library.so
CHECK exceptions_static programs/exceptions.cpp -fnon-call-exceptions -static
CHECK ifunc programs/ifunc.cpp
CHECK ifunc_static programs/ifunc.cpp -static
CHECK constructors programs/constructors.cpp -DWITH_LIBRARY {build}/constructors_library.so
CHECK constructors_static programs/constructors.cpp -static
CHECK processes programs/processes.cpp
CHECK pipes programs/pipes.cpp
CHECK sockets programs/sockets.cpp
CHECK signals programs/signals.cpp
CHECK timers programs/timers.cpp
CHECK faults programs/faults.cpp
CHECK stack programs/stack.cpp
CHECK float_state programs/float_state.cpp
CHECK memory programs/memory.cpp
CHECK futexes programs/futexes.cpp
CHECK ptrace programs/ptrace.cpp
CHECK proc programs/proc.cpp
CHECK cpus programs/cpus.cpp
CHECK kernel_protection programs/kernel_protection.cpp
CHECK red_zone programs/red_zone.cpp : 6
CHECK registers programs/registers.cpp
RUN --cpus 4 -m 1G

# The same on one CPU: nothing may need a second one.
NAME features-one-cpu
TIMEOUT 200
CHECK ring programs/ring.cpp : {ring}
HOST no
CHECK threads programs/threads.cpp
CHECK processes programs/processes.cpp
CHECK signals programs/signals.cpp
CHECK futexes programs/futexes.cpp
CHECK float_state programs/float_state.cpp
CHECK stack programs/stack.cpp
CHECK red_zone programs/red_zone.cpp : 3
CHECK cpus programs/cpus.cpp : 1
HOST no
RUN --cpus 1 -m 512M

# The profile with our option off runs the same programs in ring 3, so that a difference is ours.
NAME features-classic
PROFILE classic
TIMEOUT 200
CHECK ring programs/ring.cpp : 3
CHECK signals programs/signals.cpp
CHECK faults programs/faults.cpp
CHECK ptrace programs/ptrace.cpp
CHECK kernel_protection programs/kernel_protection.cpp
CHECK registers programs/registers.cpp
RUN --cpus 2 -m 512M
