# SPDX-License-Identifier: GPL-2.0-only
# Files on volumes: what a program does with them is what it would be on the host, or is refused.

# Renamed, removed, mapped, locked: on the host, in a folder, on a disk.
NAME volume-files-keep-their-data
TIMEOUT 180
PROGRAM volume_files programs/volume_files.cpp
PACK {build}/volume_files
COMMAND mkdir {work}/host {work}/folder && {build}/volume_files right {work}/host && \
  truncate -s 32M {work}/disk && mkfs.ext4 -q {work}/disk
EXPECT right done
RUN --volume {work}/folder:/data --volume {work}/disk:/disk -- right /data
EXPECT right done
COMMAND stat -c %y {work}/folder/times && test -p {work}/folder/fifo && test -S {work}/folder/socket && \
  cmp {work}/folder/mapped {work}/host/mapped && echo as on the host
EXPECT .987654321
EXPECT as on the host
RUN --machine pc --volume {work}/disk:/disk -- right /disk
EXPECT right done

# Nobody but root may use all of the sandbox; the others are root in a user namespace of their own.
NAME volume-files-without-root
TIMEOUT 180
PROGRAM volume_files programs/volume_files.cpp
PACK {build}/volume_files
COMMAND folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cp {ukl} {image} {build}/volume_files "$folder" && \
  mkdir "$folder/data" && cd "$folder" && as=() && \
  if [ "$(id -u)" = 0 ]; then chown -R 65534:65534 "$folder"; as=(setpriv --reuid=65534 --regid=65534 --groups 65534,4); fi && \
  "${as[@]}" ./ukl run ./*.ukl --volume ./data:/data -- right /data
EXPECT right done

# A second machine is refused, unless both say that they share; then locks hold between them.
NAME volume-locks-of-two-machines
TIMEOUT 180
PROGRAM volume_files programs/volume_files.cpp
PACK {build}/volume_files
RUN --volume {work}:/data:shared -- hold-locks /data
READY fcntl held
CLIENT {ukl} run {image} --volume {work}:/data:shared -- hold-locks /data > {work}/second; \
  {ukl} run {image} --volume {work}:/data -- right /data 2> {work}/third; test $? = 38 && touch {work}/go
EXPECT hold-locks done
COMMAND cat {work}/second {work}/third; rm {work}/go
EXPECT flock Resource temporarily unavailable
EXPECT fcntl Resource temporarily unavailable
EXPECT is in use by another machine
RUN --volume {work}:/data -- hold-locks /data
READY fcntl held
CLIENT {ukl} run {image} --volume {work}:/data -- hold-locks /data; test $? = 38 && touch {work}/go
EXPECT hold-locks done

# virtiofsd cannot wait for a lock, and says so.
NAME volume-locks-are-not-waited-for-when-shared
TIMEOUT 180
PROGRAM volume_files programs/volume_files.cpp
PACK {build}/volume_files
RUN --volume {work}:/data:shared -- waiting-locks /data
EXPECT flock Operation not supported
EXPECT fcntl Operation not supported
RUN --volume {work}:/data -- waiting-locks /data
EXPECT flock held
EXPECT fcntl held

# Two machines count in one file: neither sees an old number.
NAME volume-shared-by-two-machines-that-count
TIMEOUT 180
PROGRAM volume_files programs/volume_files.cpp
PACK {build}/volume_files
RUN --volume {work}:/data:shared -- count /data
READY counting
CLIENT {ukl} run {image} --volume {work}:/data:shared -- count /data
EXPECT count done
COMMAND cat {work}/count
EXPECT_RE ^100$

# What a machine leaves on the host has no power there, whoever runs the machine.
NAME volume-gives-no-power-on-the-host
TIMEOUT 180
PROGRAM volume_files programs/volume_files.cpp
PACK {build}/volume_files
RUN --volume {work}:/data -- no-power /data
EXPECT no-power done
RUN --volume {work}:/data:9p -- no-power /data
EXPECT no-power done
COMMAND find {work} -perm /6000 -o -type b -o -type c; echo found
REJECT {work}
EXPECT found

NAME volume-read-only
TIMEOUT 180
PROGRAM volume_files programs/volume_files.cpp
PACK {build}/volume_files
COMMAND echo given > {work}/given
RUN --volume {work}:/data:ro -- read-only /data
EXPECT read-only done
RUN --volume {work}:/data:ro,9p -- read-only /data
EXPECT read-only done

NAME volume-of-a-single-file
TIMEOUT 180
PROGRAM volume_files programs/volume_files.cpp
PACK {build}/volume_files
COMMAND echo outside > {work}/file; mkdir {work}/other
RUN --volume {work}/file:/etc/a/file.conf -- one-file /etc/a/file.conf
EXPECT one-file done
COMMAND stat -c %a {work}/file; cat {work}/file
EXPECT 640
EXPECT outside
EXPECT from inside
RUN --volume {work}/file:/etc/file.conf:ro -- one-file /etc/file.conf
EXPECT read-only

# 9p is for those who ask for it; what it cannot do right is refused.
NAME volume-over-9p-refuses
TIMEOUT 180
PROGRAM volume_files programs/volume_files.cpp
PACK {build}/volume_files
RUN --volume {work}:/data:9p -- by-path /data
EXPECT by-path done
RUN --accel tcg --machine microvm --volume {work}:/data -- right /data
STATUS 34
EXPECT takes virtiofs under KVM only
EXPECT over 9p with its limits (:9p
COMMAND unshare -rm bash -c 'mount --bind /dev/null /usr/lib/qemu/virtiofsd && {ukl} run {image} --volume {work}:/data -- right /data'
STATUS 31
EXPECT apt-get install qemu-system-common

# The host has what was synced, and nothing is left of a run that was killed.
NAME volume-survives-a-kill
TIMEOUT 180
PROGRAM volume_files programs/volume_files.cpp
PACK {build}/volume_files
COMMAND {ukl} run {image} --volume {work}:/data -- sync /data > {build}/output 2>&1 & run=$!; \
  for try in $(seq 500); do grep -q synced {build}/output && break; sleep 0.1; done; kill -KILL $run; \
  for try in $(seq 50); do pgrep -f '[v]irtiofsd.*source={work}' > /dev/null || break; sleep 0.1; done; \
  pgrep -f '[v]irtiofsd.*source={work}' && echo left; stat -c %s {work}/synced; head -c 2 {work}/synced
EXPECT 100000
EXPECT ms
REJECT left

NAME volume-disk-of-another-machine
TIMEOUT 180
PROGRAM volume_files programs/volume_files.cpp
PACK {build}/volume_files
COMMAND truncate -s 16M {work}/disk && mkfs.ext4 -q {work}/disk && mkdir {work}/folder
RUN --volume {work}/disk:/disk --volume {work}/folder:/data -- hold-locks /data
READY fcntl held
CLIENT {ukl} run {image} --volume {work}/disk:/disk -- right /disk 2> {build}/refusal; test $? = 38 && touch {work}/folder/go
EXPECT hold-locks done
COMMAND cat {build}/refusal
EXPECT disk {work}/disk is in use by another machine

# A machine whose folder has lost its server does not wait for it for ever.
NAME volume-whose-virtiofsd-was-killed
TIMEOUT 120
PACK /usr/bin/sleep
COMMAND mkdir -p {work}/folder; {ukl} run {image} --volume {work}/folder:/data -- 100 </dev/null 2>{work}/said & machine=$!; \
  while ! daemon=$(pgrep -P $machine -x virtiofsd); do sleep 0.2; done; sleep 2; \
  for one in $daemon $(pgrep -P "${daemon//$'\n'/,}"); do kill -KILL $one; done; wait $machine; echo status $?; cat {work}/said
EXPECT status 34
EXPECT has ended
EXPECT folder

# Disks that have names, a root that is read-only, and folders in memory.
NAME named-volumes
TIMEOUT 240
PACK /bin/busybox --file /bin/busybox:/bin/sh --file /bin/busybox:/bin/cat --file /bin/busybox:/bin/sleep \
  --file /bin/busybox:/bin/head --file /bin/busybox:/bin/sync --file /bin/busybox:/bin/rm --file /bin/busybox:/bin/df \
  --file /bin/busybox:/bin/tail --file /bin/busybox:/bin/true -- true
COMMAND {source}/clients/named-volumes {ukl} {image} {work}/volumes
EXPECT volumes: as they should
EXPECT discard: as it should
EXPECT root and memory: as they should

# A new file system is whose the image's folder is, so that a service with a user of its own can begin on it; one that
# has been written to stays as it is.
NAME volume-for-a-service
PREPARE mkdir -p data && chmod 750 data && { chown 101:102 data || true; }
PACK /bin/busybox --file {build}/data:/data -- stat -c '%a %u:%g' /data
COMMAND truncate -s 16M {work}/disk && mkfs.ext4 -q {work}/disk && stat -c '%a %u:%g' {build}/data > {work}/host && \
  {ukl} run --volume {work}/disk:/data {image} < /dev/null > {work}/guest && diff {work}/host {work}/guest && echo the same
EXPECT the same
RUN --volume {work}/disk:/data -- sh -c 'touch /data/file; chmod 700 /data; chown 7:8 /data'
RUN --volume {work}/disk:/data
EXPECT 700 7:8
