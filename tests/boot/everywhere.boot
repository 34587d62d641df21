# SPDX-License-Identifier: GPL-2.0-only
# Images on machines that ukl does not start.

# GRUB loads the image from each kind of disk, on BIOS and on UEFI; its settings go on the kernel's command line.
NAME disks
TIMEOUT 300
PROGRAM hello programs/hello.c
PACK {build}/hello --address none
COMMAND cd {work} && for format in iso raw qcow2 vmdk vhd; do {ukl} export {image} --format $format -o d.$format --append 'ukl.env=A=b' || exit 1; done; \
  boot() { timeout 100 qemu-system-x86_64 -M q35 -cpu max -m 512M -nographic -no-reboot "$@" </dev/null 2>&1 | tr -d '\r' | grep -q '^Hello from C' && echo "boots: $*" || echo "does not boot: $*"; }; \
  boot -cdrom d.iso; boot -cdrom d.iso -bios /usr/share/ovmf/OVMF.fd; \
  boot -drive file=d.raw,format=raw,if=virtio; boot -drive file=d.raw,format=raw,if=virtio -bios /usr/share/ovmf/OVMF.fd; \
  boot -drive file=d.qcow2,format=qcow2,if=none,id=d -device nvme,drive=d,serial=1; \
  boot -drive file=d.vhd,format=vpc,if=ide; boot -drive file=d.vmdk,format=vmdk,if=none,id=d -device virtio-scsi-pci -device scsi-hd,drive=d
EXPECT boots: -cdrom d.iso
EXPECT boots: -cdrom d.iso -bios
EXPECT boots: -drive file=d.raw,format=raw,if=virtio
EXPECT boots: -drive file=d.raw,format=raw,if=virtio -bios
EXPECT boots: -drive file=d.qcow2
EXPECT boots: -drive file=d.vhd
EXPECT boots: -drive file=d.vmdk
REJECT does not boot
# What cannot be is said, and leaves nothing.
COMMAND cd {work} && {ukl} export {image} --format iso -o {image}; echo status $?; {ukl} export {image} --format iso -o /nowhere/x.iso; echo status $?; ls
EXPECT status 2
EXPECT status 25
REJECT .iso.

# The files for other hypervisors are what these take, as far as it can be tried here.
NAME hypervisor-files
PROGRAM hello programs/hello.c
PACK {build}/hello
COMMAND cd {work} && for format in firecracker cloud-hypervisor libvirt; do {ukl} export {image} --format $format --append "a=b&c'd" || exit 1; done; \
  python3 -c 'import json; c = json.load(open("image.json")); print(c["boot-source"]["kernel_image_path"], c["boot-source"]["boot_args"], c["machine-config"])'; \
  python3 -c 'import xml.dom.minidom as x; d = x.parse("image.xml"); print(d.getElementsByTagName("cmdline")[0].firstChild.data)'; sh -n image.sh && cat image.sh
EXPECT_RE image.ukl console=ttyS0 reboot=k panic=1 pci=off a=b&c'd \{'vcpu_count': 1, 'mem_size_mib': [0-9]+\}
EXPECT console=ttyS0 a=b&c'd
EXPECT --cmdline 'console=ttyS0 a=b&c'\''d'
