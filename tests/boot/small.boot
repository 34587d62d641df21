# SPDX-License-Identifier: GPL-2.0-only
# Kernels that fit the image (docs/kernel.md): the tool takes the smallest that has all that the image asks for.

# No threads, no sockets, no disks: the smallest of all, and no network card.
NAME small-kernel-for-hello
PROGRAM hello programs/hello.c -static
PACK {build}/hello
COMMAND {ukl} pack {build}/hello -o {build}/small.ukl 2>&1
EXPECT kernel nano
COMMAND {ukl} inspect {build}/small.ukl
EXPECT_RE fit +it has all that the image asks for
EXPECT_RE lacks +cpus
REJECT 10.0.2.15
COMMAND timeout 50 {ukl} run --time {build}/small.ukl </dev/null 2>&1
EXPECT Hello from C
EXPECT_RE kernel +[0-9.]+ ms
# With kernel modes that a user may ask for: what it lacks is said before anything starts.
COMMAND {ukl} run --cpus 2 {build}/small.ukl; echo status $?
EXPECT several CPUs
EXPECT ukl pack --profile general
EXPECT status 43
COMMAND {ukl} run --machine q35 {build}/small.ukl; echo status $?
EXPECT devices on PCI
EXPECT status 43
COMMAND {ukl} run --address 10.0.2.15/24 {build}/small.ukl; echo status $?
EXPECT a network
EXPECT status 43
COMMAND mkdir -p {work}/folder; {ukl} run --volume {work}/folder:/data {build}/small.ukl; echo status $?
EXPECT folders of this machine
EXPECT status 43

# A socket asks for a network, a thread for a second CPU.
NAME small-kernel-for-a-server
PROGRAM web ../../bench/guest/web/web.c -static
PROGRAM threads programs/threads.cpp -pthread
PACK {build}/web
COMMAND {ukl} pack {build}/web -o {build}/web.ukl 2>&1
EXPECT kernel micro
COMMAND {ukl} run -p {port}:8000 {build}/web.ukl </dev/null & \
  machine=$!; for try in $(seq 100); do curl -s -m 5 http://127.0.0.1:{port}/ && break; sleep 0.2; done; kill $machine; wait $machine; true
EXPECT hello
COMMAND {ukl} pack {build}/threads -o {build}/threads.ukl 2>&1; {ukl} inspect {build}/threads.ukl
EXPECT kernel general
EXPECT_RE fit +it may start threads or processes

# What a profile lacks is an error when the image is made, if it is known that the image asks for it.
NAME small-kernel-that-lacks
PROGRAM calls programs/lacking_calls.c -static
PACK {build}/calls
COMMAND {ukl} pack {build}/calls -o {build}/calls.ukl 2>&1; {ukl} inspect {build}/calls.ukl
EXPECT kernel general
EXPECT_RE fit +it asks for the system calls? .*shmget
COMMAND {ukl} pack {build}/calls --profile micro -o {build}/micro.ukl 2>&1; echo status $?
EXPECT shmget
EXPECT which the kernel profile micro lacks
EXPECT status 43
COMMAND {ukl} pack {build}/calls --profile micro --call shmget=masked --call shmctl=masked -o {build}/micro.ukl && \
  timeout 50 {ukl} run {build}/micro.ukl </dev/null 2>&1; echo status $?
EXPECT status 38
EXPECT ukl: masked system call 29 by calls

# Nine MiB are enough for a hello, thirteen for a server with a network card.
NAME small-memory
PROGRAM hello programs/hello.c -static
PROGRAM web ../../bench/guest/web/web.c -static
PACK {build}/hello
COMMAND {ukl} pack {build}/hello -o {build}/small.ukl && timeout 50 {ukl} run -m 9M {build}/small.ukl </dev/null
EXPECT Hello from C
COMMAND {ukl} pack {build}/web -o {build}/web.ukl && ( {ukl} run -m 13M -p {port}:8000 {build}/web.ukl </dev/null & \
  machine=$!; for try in $(seq 100); do curl -s -m 5 http://127.0.0.1:{port}/ && break; sleep 0.2; done; \
  for try in $(seq 20); do curl -s -m 5 http://127.0.0.1:{port}/; done | sort | uniq -c; kill $machine; wait $machine; true )
EXPECT 20 hello

# Kernel and files in less than half of the room. QEMU enters by PVH, GRUB by Multiboot2.
NAME compressed-image
TIMEOUT 200
PROGRAM hello programs/hello.c -static
PACK {build}/hello
COMMAND {ukl} pack {build}/hello --compress -o {build}/small.ukl && {ukl} pack {build}/hello --profile {profile} --compress -o {build}/large.ukl
COMMAND test $(stat -c %s {build}/small.ukl) -le 1572864 && test $(($(stat -c %s {build}/large.ukl) * 2)) -lt $(stat -c %s {image}) && echo small enough
EXPECT small enough
COMMAND for image in small large; do timeout 50 {ukl} run {build}/$image.ukl </dev/null || exit; done
EXPECT Hello from C
COMMAND {ukl} export {build}/large.ukl --format iso -o {build}/d.iso && timeout 100 qemu-system-x86_64 -M q35 -cpu max -m 512M -nographic -no-reboot -cdrom {build}/d.iso </dev/null 2>&1 | tr -d '\r' | grep -a '^Hello'
EXPECT Hello from C
# Two CPUs, and what a run says of itself.
COMMAND timeout 50 {ukl} run --cpus 2 --hostname other {build}/large.ukl </dev/null
EXPECT Hello from C
