# SPDX-License-Identifier: GPL-2.0-only
# Machines that outlive whoever started them.

NAME lifecycle
TIMEOUT 240
PROGRAM server programs/server.cpp
PACK {build}/server
COMMAND {source}/clients/lifecycle {ukl} {image} {port} {work}/lifecycle
EXPECT start, ask, stop: as it should
EXPECT restart, attach, logs: as it should
EXPECT killed machines: as it should
EXPECT nothing is left: as it should

# Further programs, and files in and out.
NAME exec
TIMEOUT 240
PROGRAM server programs/server.cpp
PACK {build}/server --file /bin/busybox
COMMAND {source}/clients/exec {ukl} {image} {work}/exec
EXPECT programs: as they should
EXPECT streams: as they should
EXPECT files: as they should
EXPECT the end: as it should

# What an image says of its program: ports, and the signal that asks it to end.
NAME ports-and-stop-signal
PROGRAM server programs/server.cpp
PACK {build}/server --expose 7000 --stop-signal USR1
COMMAND export UKL_STATE={work}/state; trap '{ukl} rm -f a 2>/dev/null' EXIT; {ukl} run -d --name a -P --wait-ready tcp:7000 {image} || exit 1; \
  port=$({ukl} ps --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["ports"][0].split(":")[1].split("-")[0])'); \
  exec 3<>/dev/tcp/127.0.0.1/$port && echo 'add 2 3' >&3 && read -r line <&3 && echo "the answer is $line"; {ukl} stop a; {ukl} ps -a
EXPECT tcp port 7000 is 127.0.0.1:
EXPECT the answer is 5
EXPECT Exited (138)

# A terminal of the machine's own, which others join and leave.
NAME attached-terminal
TIMEOUT 240
PREPARE for name in tty cat stty sleep; do mkdir -p tools; cp $(command -v $name) tools/; done
PACK /bin/bash --file {build}/tools:/usr/bin
COMMAND {source}/clients/attached-terminal {ukl} {image} {work}/state
EXPECT terminals: as they should

# A machine as others see it: metrics, a core file, a debugger.
NAME observe
TIMEOUT 240
PROGRAM server programs/server.cpp
PACK {build}/server
COMMAND {source}/clients/observe {ukl} {image} {port} {port2} {work}/observe
EXPECT metrics: as they should
EXPECT dump: as it should
EXPECT gdb: as it should

# Where the log finds no room.
NAME full-disk
TIMEOUT 240
PACK /bin/busybox --file /bin/busybox:/bin/sh --file /bin/busybox:/bin/seq --file /bin/busybox:/bin/true --file /bin/busybox:/bin/sleep
COMMAND {source}/clients/full-disk {ukl} {image} {work}/full
EXPECT full disks: as they should

# Nothing here needs root.
NAME ordinary-user
TIMEOUT 240
PROGRAM server programs/server.cpp
PACK {build}/server --file /bin/busybox
COMMAND {source}/clients/ordinary-user {ukl} {image} {port} {work}/user
EXPECT an ordinary user: as it should

# Many, one after the other: for a release (tests/boot/run two-hundred-machines).
NAME two-hundred-machines
ONLY long
TIMEOUT 1800
PACK /bin/busybox --file /bin/busybox:/bin/sh --file /bin/busybox:/bin/true --file /bin/busybox:/bin/sleep
COMMAND {source}/clients/many-machines {ukl} {image} 200 {work}/many
EXPECT 200 machines: nothing is left
# The same in small is for every day.
NAME ten-machines
TIMEOUT 240
PACK /bin/busybox --file /bin/busybox:/bin/sh --file /bin/busybox:/bin/true --file /bin/busybox:/bin/sleep
COMMAND {source}/clients/many-machines {ukl} {image} 10 {work}/many
EXPECT 10 machines: nothing is left

# Containers as machines.
NAME oci-runtime
TIMEOUT 240
PACK /bin/busybox
COMMAND {source}/clients/oci {ukl} {work}/oci
EXPECT an engine's calls: as they should

# Where a program whose hot function is known spends its time.
NAME profile
TIMEOUT 240
PROGRAM hot programs/hot.cpp -O1 -fno-optimize-sibling-calls
PACK {build}/hot --file /bin/busybox
COMMAND {source}/clients/profile {ukl} {image} {work}/profile
EXPECT profile: as it should
