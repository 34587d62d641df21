# SPDX-License-Identifier: GPL-2.0-only
# What a program finds in its machine on each of QEMU's machine types: limits, processors, time, the network.

# Soft 1024 and hard as much as Linux allows, as on Debian; and what the image asks for instead.
NAME machine-open-files
TIMEOUT 120
PROGRAM environment programs/environment.cpp
PACK {build}/environment
RUN -- limits
EXPECT nofile 1024 1048576
COMMAND {ukl} pack {build}/environment -o {build}/other.ukl --profile {profile} --limit nofile=2000:70000 && \
  timeout 100 {ukl} run {build}/other.ukl -- limits
EXPECT nofile 2000 70000

# The zone of TZ and the locale C.UTF-8 are in the image; a zone that is only named when it is started cannot be.
NAME machine-time-zone-and-locale
TIMEOUT 120
PROGRAM environment programs/environment.cpp
PACK {build}/environment --env TZ=Europe/Berlin
RUN -- zone locale
EXPECT 1753000000 is 10:26 CEST
EXPECT locale C.UTF-8
RUN --env TZ=Asia/Tokyo -- zone
EXPECT the image has no /usr/share/zoneinfo/Asia/Tokyo
RUN --env TZ=JST-9 -- zone
EXPECT 1753000000 is 17:26 JST
REJECT the image has no

# A group that is joined is announced (IGMP), so that a router passes its packets on.
NAME machine-multicast
TIMEOUT 120
PROGRAM environment programs/environment.cpp
PACK {build}/environment
RUN -- multicast
EXPECT joined 239.1.2.3 on eth0

# With ACPI and without: every CPU that was asked for, and the clock goes.
NAME machine-microvm-processors
TIMEOUT 120
PROGRAM environment programs/environment.cpp
PACK {build}/environment
RUN --accel tcg --machine microvm --cpus 2 -- processors
EXPECT 2 processors
RUN --accel tcg --machine microvm,acpi=on --cpus 2 -- processors
EXPECT 2 processors

# What would hang, or give less than was asked for, is refused before it starts.
NAME machine-refusals
TIMEOUT 120
PROGRAM environment programs/environment.cpp
PACK {build}/environment
RUN --machine pc-i440fx-3.1 -- processors
STATUS 2
EXPECT 'pc-i440fx-3.1' does not boot an image
RUN --qemu-arg=-M --qemu-arg=pc-q35-2.4 -- processors
STATUS 2
EXPECT 'pc-q35-2.4' does not boot an image
RUN --machine pc --cpus 65 -- processors
STATUS 2
EXPECT at most 255, the kernel 64
# Linux brings up fewer than are there: the program is not started.
COMMAND timeout 100 {ukl} run {image} --cpus 2 --append maxcpus=1 -- processors
STATUS 125
EXPECT Linux has brought up 1 of 2 CPUs
REJECT processors

# The clock is the host's when the program starts, and soon after a pause of the whole machine.
NAME machine-clock
TIMEOUT 120
PROGRAM clock programs/clock.cpp
PACK {build}/clock -- 0
RUN --accel tcg -p {port}:7000
READY READY
CLIENT {source}/clients/clock {port} error 50 && {source}/clients/clock {port} pause {image} 8 && sleep 1 && \
  {source}/clients/clock {port} error 50
STOP TERM
EXPECT ms off
STATUS 143

# Who sets the clock keeps it.
NAME machine-clock-of-the-program
TIMEOUT 120
PROGRAM clock programs/clock.cpp
PACK {build}/clock -- set
RUN --accel tcg -p {port}:7000
READY READY
CLIENT {source}/clients/clock {port} pause {image} 1 && sleep 1 && ! {source}/clients/clock {port} error 80000000
STOP TERM
EXPECT ms off
STATUS 143

# A client that is there before the program listens, and before the guest has a network, is answered at once then.
NAME machine-early-client
TIMEOUT 120
PROGRAM clock programs/clock.cpp
PACK {build}/clock -- 1
RUN --accel tcg -p {port}:7000
CLIENT {source}/clients/clock {port} answer 1500
STOP TERM
EXPECT ms after the program listened
STATUS 143

# Timers whose speed Linux is told, and not left to measure: on every machine type the clock goes as the host's and
# sleeps end in time on each CPU, with ACPI too.
NAME machine-timers
TIMEOUT 180
PROGRAM timers_keep_time programs/timers_keep_time.cpp
PACK {build}/timers_keep_time
COMMAND for machine in q35 pc microvm q35,acpi=on; do {source}/clients/timers {ukl} {image} 1 --machine $machine || exit 1; done
EXPECT cpu 0 late
COMMAND for machine in q35 pc microvm; do {source}/clients/timers {ukl} {image} 4 --machine $machine || exit 1; done
EXPECT cpu 3 late
# With a device of the user's own, ACPI stays.
COMMAND {source}/clients/timers {ukl} {image} 2 --qemu-arg=-device --qemu-arg=virtio-balloon-pci
EXPECT cpu 1 late

# A tap device of the host's: the program is reached at its own address, and two machines differ.
NAME tap-network
TIMEOUT 120
PROGRAM server programs/server.cpp
PACK {build}/server
COMMAND export UKL_STATE={work}/state; ip tuntap add ukl-test mode tap 2>/dev/null || { echo no tap devices here; exit 0; }; \
  trap '{ukl} rm -f tapped; ip link del ukl-test' EXIT; ip addr add 10.9.8.1/24 dev ukl-test && ip link set ukl-test up; \
  {ukl} run -d --name tapped --network tap:ukl-test --address 10.9.8.2/24 --mac 52:54:00:aa:bb:cc --wait-ready tcp:7000 {image} || exit 1; \
  exec 3<>/dev/tcp/10.9.8.2/7000 && echo 'add 2 3' >&3 && read -r line <&3 && echo "the answer is $line"; ip neigh show dev ukl-test; \
  {ukl} run --network tap:ukl-test {image}; echo status $?; {ukl} run --network tap:ukl-test -p 1:1 {image}; echo status $?; {ukl} run --network tap:nowhere {image}; echo status $?
EXPECT_RE the answer is 5\n(.|\n)*52:54:00:aa:bb:cc|no tap devices here
EXPECT_RE another machine has the tap device ukl-test(.|\n)*status 32|no tap devices here
EXPECT_RE status 20|no tap devices here
