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

# The program of a machine that runs; it goes on when nobody looks any more. What an image masks is missed.
NAME trace-running
TIMEOUT 180
PACK /bin/busybox --calls all -- sh -c 'while :; do sleep 0.2; done'
COMMAND export UKL_STATE={work}/state; trap '{ukl} rm -f a 2> /dev/null' EXIT; {ukl} run -d --name a {image} || exit 1; \
  timeout -s INT 30 {ukl} trace a -e trace=wait4,fork,vfork,clone -o {work}/calls; head -n 3 {work}/calls; {ukl} ps; \
  {ukl} trace a -m 512M; echo status $?
EXPECT_RE (wait4|fork|clone)\(
EXPECT_RE a +image.ukl +Up
EXPECT --memory is for a machine that is started
EXPECT status 2
