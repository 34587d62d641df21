# SPDX-License-Identifier: GPL-2.0-only
# strace around a program whose calls are jumps.
NAME trace
PROGRAM hello programs/hello.c
PACK {build}/hello
COMMAND {ukl} trace {image} < /dev/null; echo status $?
EXPECT execve("{build}/hello"
EXPECT write(1, "Hello from C
EXPECT +++ exited with 0 +++
EXPECT status 0
COMMAND {ukl} trace -e %process -o {work}/calls {image} < /dev/null; echo in the file:; cat {work}/calls
EXPECT_RE Hello from C\n(.*\n)*in the file:\nexecve\(
REJECT write(1,
COMMAND {ukl} trace -c {image} < /dev/null
EXPECT_RE % time +seconds +usecs/call +calls +errors syscall
EXPECT_RE \d+ +write
# Children, and a status of the program's own.
NAME trace-children
PACK /bin/busybox --user 65534:65534 -- sh -c 'id -u; (exit 3); exit 4'
COMMAND {ukl} trace -f -e trace=exit_group {image} < /dev/null; echo status $?; PATH=/nowhere {ukl} trace {image} < /dev/null; echo status $?
EXPECT exit_group(3)
EXPECT exit_group(4)
EXPECT status 4
EXPECT strace is not installed on this machine
