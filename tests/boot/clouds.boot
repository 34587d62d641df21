# SPDX-License-Identifier: GPL-2.0-only
# Settings from the network and from what lies around a machine. Disks of cloud-init need the kernel profile `cloud`:
# tests/everywhere/run.

# QEMU's own network answers DHCP and, as a router, says how addresses are made.
NAME dhcp
PACK /bin/busybox --address dhcp -- sh -c 'ip addr show dev eth0; ip route; cat /etc/resolv.conf; echo waited $(cut -d . -f 1 /proc/uptime)'
RUN
EXPECT inet 10.0.2.15/24
EXPECT default via 10.0.2.2
EXPECT nameserver 10.0.2.3
RUN --address slaac --sysctl net.ipv6.conf.eth0.disable_ipv6=0 -- sh -c 'ip -6 addr show dev eth0; ip -6 route'
EXPECT inet6 fec0:
EXPECT_RE default via fe80:
# What the run names itself goes before what the network says.
RUN --address dhcp --dns 10.0.2.9 -- sh -c 'cat /etc/resolv.conf'
EXPECT nameserver 10.0.2.9
REJECT nameserver 10.0.2.3

# A forwarded port leads to the address that the network has given.
NAME dhcp-server
PACK /bin/busybox --address dhcp -- sh -c 'echo ready; nc -l -p 80 -e echo hello from an address of DHCP'
RUN -p {port}:80
READY ready
CLIENT for i in $(seq 100); do timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; cat <&3' 2>/dev/null | grep hello && exit 0; sleep 0.2; done; exit 1

# Nobody answers: the program starts all the same, and the console says why it has no address.
NAME dhcp-without-a-server
PACK /bin/busybox --address dhcp -- sh -c 'ip addr show dev eth0; echo started'
TIMEOUT 120
COMMAND timeout 100 qemu-system-x86_64 -M q35 -cpu max -m 256M -display none -serial stdio -monitor none -no-reboot -nic socket,udp=127.0.0.1:{port},localaddr=127.0.0.1:{port2},model=virtio-net-pci -kernel {image} </dev/null | tr -d '\r'
EXPECT no DHCP server has answered in 10 s: there is no IPv4 address
EXPECT started

# The metadata services of clouds.
NAME metadata-services
PACK /bin/busybox --address dhcp -- sh -c 'hostname; cat /etc/greeting; echo $WHERE'
TIMEOUT 200
COMMAND for cloud in ec2 gce azure none; do timeout 100 qemu-system-x86_64 -M q35 -cpu max -m 256M -display none -serial stdio -monitor none -no-reboot \
  -nic "user,model=virtio-net-pci,net=169.254.169.0/24,guestfwd=tcp:169.254.169.254:80-cmd:{source}/metadata-service $cloud" -kernel {image} -append ukl.cloud=$cloud </dev/null | tr -d '\r'; done
EXPECT_RE web7\nhello from the cloud\nec2\n(.*\n)*web7\nhello from the cloud\ngce\n(.*\n)*web7\nhello from the cloud\nazure
EXPECT there is no cloud 'none': nocloud, ec2, gce, azure
COMMAND timeout 100 qemu-system-x86_64 -M q35 -cpu max -m 256M -display none -serial stdio -monitor none -no-reboot -nic user,model=virtio-net-pci,restrict=on -kernel {image} -append ukl.cloud=ec2 </dev/null | tr -d '\r'
EXPECT_RE the metadata service of ec2 \(169.254.169.254\) does not answer.*: the image's own settings stand

# The power button (`virsh shutdown`, a cloud's console) asks the program to end, and the machine is off when it has.
NAME power-button
PACK /bin/busybox --address none -- sh -c 'trap "echo asked to end; exit" TERM; echo ready; while :; do sleep 0.1; done'
TIMEOUT 220
COMMAND {source}/clients/power-button {image} {port} {work}
EXPECT_RE q35: status 0\n(.*\n)*asked to end\n(.*\n)*pc: status 0\n(.*\n)*asked to end
