# SPDX-License-Identifier: GPL-2.0-only
# Network cards: what they are connected to, and machines that talk to each other. What makes devices of the host is skipped
# where that cannot be done, and says so.

# Each card has its own addresses, whatever order Linux finds them in; routes are the first one's.
NAME network-two-cards
TIMEOUT 180
PACK /bin/busybox
RUN --network user --network user,ip=10.9.0.15/24,ip=fd09::15/64 -- sh -c 'ip -o addr; ip route; ping -c 1 10.9.0.2'
EXPECT inet 10.0.2.15/24
EXPECT inet 10.9.0.15/24
EXPECT inet6 fd09::15/64
EXPECT default via 10.0.2.2 dev eth0
EXPECT 1 packets received
RUN --accel tcg --machine microvm --network user --network user -- sh -c 'ip -o addr; ping -c 1 10.0.3.2'
EXPECT inet 10.0.2.15/24
EXPECT inet 10.0.3.15/24
EXPECT 1 packets received
COMMAND {ukl} run {image} --network user --network tap:x
STATUS 2
EXPECT network card 2 has no address
COMMAND {ukl} run {image} --network none --network user
STATUS 2
EXPECT --network none stands alone

# From an IPv6 address of the host, through us.
NAME network-ports-of-ipv6
TIMEOUT 180
PROGRAM server programs/server.cpp
PACK {build}/server
COMMAND {source}/clients/networks ipv6 {ukl} {image} {port} {work}/state
EXPECT IPv6: as it should

# passt ends with its machine, whoever is killed.
NAME network-passt
TIMEOUT 240
PROGRAM server programs/server.cpp
PACK {build}/server --file /bin/busybox
COMMAND {source}/clients/networks passt {ukl} {image} {port} {work}/state
EXPECT passt: as it should

# Two machines that know each other's names, on a network that leaves nothing behind.
NAME network-names
TIMEOUT 240
PROGRAM server programs/server.cpp
PACK {build}/server --file /bin/busybox --file /usr/bin/getent
COMMAND {source}/clients/networks names {ukl} {image} {port} {work}/state
EXPECT names: as they should

# A tap device of several queues, and one that another machine has.
NAME network-tap
TIMEOUT 240
PACK /bin/busybox
COMMAND {source}/clients/networks tap {ukl} {image} {port} {work}/state
EXPECT tap: as it should
