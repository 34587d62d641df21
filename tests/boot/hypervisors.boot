# SPDX-License-Identifier: GPL-2.0-only
# `ukl run --vmm`: hypervisors with a console and little else. tests/boot/firecracker plays one of them.

NAME vmm-firecracker
PACK /bin/busybox --address none -- sh -c 'echo out; echo err >&2; cat /run/secrets/word; exit 3'
COMMAND mkdir -p {work}/bin && ln -sf {source}/firecracker {work}/bin/ && PATH={work}/bin:$PATH; echo s3cret > {work}/word; \
  {ukl} run --vmm firecracker --secret word={work}/word {image} < /dev/null; echo status $?; \
  echo typed | {ukl} run --vmm firecracker {image} -- sh -c 'read x; echo read $x' ; echo status $?; \
  {ukl} volume create -s 16M vmm-test > /dev/null; \
  {ukl} run --vmm firecracker --volume vmm-test:/data {image} -- sh -c 'echo kept > /data/file' < /dev/null; \
  {ukl} run --vmm firecracker --volume vmm-test:/data:ro --cpus 2 {image} -- sh -c 'cat /data/file; nproc' < /dev/null; {ukl} volume rm vmm-test > /dev/null; \
  {ukl} run --vmm firecracker --timeout 3 {image} -- sleep 60 < /dev/null; echo status $?
EXPECT_RE out\nerr\ns3cret\nstatus 3\n(.*\n)*read typed\nstatus 0\n(.*\n)*kept\n2\n(.*\n)*status 124
# What cannot be is refused by name, before the start.
COMMAND {ukl} run --vmm firecracker {image} -p {port}:80; echo status $?; {ukl} run --vmm firecracker --network user {image}; {ukl} run --vmm bhyve {image}; \
  PATH=/usr/bin:/bin {ukl} run --vmm cloud-hypervisor {image} < /dev/null; echo status $?; {ukl} run --vmm xen {image}; echo status $?
EXPECT Firecracker has no forwarded ports (-p)
EXPECT Firecracker has no network of that kind
EXPECT there are: qemu, firecracker, cloud-hypervisor, xen
EXPECT cannot start cloud-hypervisor: it is not installed
EXPECT_RE the kernel of .* has no support for Xen
EXPECT status 43
