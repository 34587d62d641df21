# SPDX-License-Identifier: GPL-2.0-only
# The root tree: what of it is there, and how much memory it takes.

# At the least memory that the tool names, everything is whole; below it nothing is started. One large file.
NAME memory-one-large-file
TIMEOUT 120
PREPARE mkdir -p tree && head -c 40000000 /dev/urandom > tree/a && echo last > tree/z && sha256sum tree/a tree/z | sed 's|tree/|/var/d/|' > sums
PACK /usr/bin/sha256sum --file {build}/tree:/var/d --file {build}/sums:/sums -- -c /sums
RUN -m 60M
STATUS 33
EXPECT needs at least
COMMAND least=$({ukl} inspect --json {image} | sed -n 's/.*"memory_needed": \([0-9]*\).*/\1/p'); \
  {ukl} run {image} -m $((least / 1048576 - 1))M; test $? = 33 && {ukl} run {image} -m $((least / 1048576))M
EXPECT /var/d/a: OK
EXPECT /var/d/z: OK
REJECT FAILED
RUN
EXPECT /var/d/a: OK
EXPECT /var/d/z: OK

# A file takes a page and an inode, however small it is.
NAME memory-many-small-files
TIMEOUT 120
PREPARE mkdir -p tree && cd tree && seq 10000 | split -l 1 -a 4 - f && cd .. && sha256sum tree/* | sed 's|tree/|/var/d/|' > sums
PACK /usr/bin/sha256sum --file {build}/tree:/var/d --file {build}/sums:/sums -- --quiet -c /sums
COMMAND least=$({ukl} inspect --json {image} | sed -n 's/.*"memory_needed": \([0-9]*\).*/\1/p'); \
  {ukl} run {image} -m $((least / 1048576 - 1))M; test $? = 33 && {ukl} run {image} -m $((least / 1048576))M && echo all there
EXPECT all there

NAME memory-compressed
TIMEOUT 120
PREPARE mkdir -p tree && seq 6000000 > tree/a && head -c 3000000 /dev/urandom > tree/b && echo last > tree/z && \
  sha256sum tree/* | sed 's|tree/|/var/d/|' > sums
PACK /usr/bin/sha256sum --compress --file {build}/tree:/var/d --file {build}/sums:/sums -- -c /sums
COMMAND least=$({ukl} inspect --json {image} | sed -n 's/.*"memory_needed": \([0-9]*\).*/\1/p'); \
  {ukl} run {image} -m $((least / 1048576 - 1))M; test $? = 33 && {ukl} run {image} -m $((least / 1048576))M
EXPECT /var/d/a: OK
EXPECT /var/d/b: OK
EXPECT /var/d/z: OK

# SeaBIOS uses the end of memory while the image is there already.
NAME memory-of-a-small-image
PREPARE sha256sum /usr/bin/sha256sum > sums
PACK /usr/bin/sha256sum --no-rewrite --file /usr/bin/sha256sum:/copy --file {build}/sums:/sums -- -c /sums
COMMAND least=$({ukl} inspect --json {image} | sed -n 's/.*"memory_needed": \([0-9]*\).*/\1/p'); \
  {ukl} run {image} -m $((least / 1048576))M
EXPECT /usr/bin/sha256sum: OK

# Any loader may boot an image with too little memory; init says so, and the program does not run.
NAME unpacking-that-failed
TIMEOUT 120
PROGRAM hello programs/hello.c
PREPARE head -c 30000000 /dev/urandom > a
PACK {build}/hello --compress --file {build}/a:/var/a --file {build}/hello:/zz
COMMAND timeout 100 qemu-system-x86_64 -M q35 -cpu max -m 90M -nographic -no-reboot -append no_timer_check -kernel {image}
EXPECT the image's files are not all there
REJECT Hello from C

# The root is a tmpfs with nearly all of the memory that is left, also where the image was unpacked into a ramfs.
NAME room-in-the-root
TIMEOUT 120
PREPARE head -c 30000000 /dev/urandom > a
PROGRAM tree programs/tree.cpp
PACK {build}/tree --file {build}/a:/var/a
RUN -m 256M -- room 150
EXPECT room enough
COMMAND {ukl} run {image} -m 110M --append rootfstype=ramfs -- room 20
EXPECT room enough

# Owners, groups, modes, times and hard links are the host's; times also of folders and links.
NAME tree-as-on-the-host
PROGRAM tree programs/tree.cpp
PREPARE mkdir -p in/sub && echo secret > in/key && chmod 600 in/key && echo same > in/one && ln -f in/one in/sub/two && \
  ln -sf key in/link && cp {build}/tree in/special && chmod 6755 in/special && { chown 101:102 in/key || true; } && \
  touch -h -d @1600000000 in/key in/link in/one in/special in/sub in
PACK {build}/tree --file {build}/in:/srv/in
COMMAND cd {build}/in && stat -c '/srv/in/%n %f %h %u:%g %s %Y' key link one special sub/two > ../host && stat -c '/srv/in/%n %f %Y' sub >> ../host && \
  { {ukl} run {image} -- list /srv/in/key /srv/in/link /srv/in/one /srv/in/special /srv/in/sub/two /srv/in/sub; } | tr -d '\r' > ../guest && \
  diff ../host ../guest && echo the same
EXPECT the same
# After a move from ramfs to tmpfs too.
COMMAND cd {build}/in && \
  { {ukl} run {image} --append rootfstype=ramfs -- list /srv/in/key /srv/in/link /srv/in/one /srv/in/special /srv/in/sub/two /srv/in/sub; } | tr -d '\r' > ../guest && \
  diff ../host ../guest && echo the same
EXPECT the same

# Python compares the time of a module with the one in its compiled form.
NAME python-keeps-its-compiled-modules
TIMEOUT 120
PREPARE mkdir -p app && echo 'print("imported", __cached__)' > app/module.py && touch -d @1600000000 app/module.py && \
  (cd app && /usr/bin/python3 -m compileall -q module.py) && stat -c 'inode %Y' app/__pycache__/*
PACK /usr/bin/python3 --file /usr/lib/python3.11 --file {build}/app:/app -- -v -S -c 'import sys; sys.path.insert(0, "/app"); import module'
RUN
EXPECT_RE matches /app/module.py
EXPECT_RE code object from .?/app/__pycache__/module
REJECT bytecode is stale

# Large files are not copied out of the image: a machine that could not hold them twice has them, and they are files like
# any other, also after a move from ramfs to tmpfs.
NAME files-in-place
TIMEOUT 120
PREPARE head -c 50000123 /dev/zero | tr '\0' x > large && cp large large2
PROGRAM in_place programs/in_place.cpp
PACK {build}/in_place --file {build}/large:/var/large --file {build}/large2:/var/large2 -- /var/large 50000123
RUN -m 160M --cpus 2
EXPECT a file like any other
REJECT wrong:
COMMAND {ukl} run {image} -m 200M --append rootfstype=ramfs
EXPECT a file like any other
REJECT wrong:

# Nothing is mounted over what the image has.
NAME files-below-run-and-dev
PROGRAM tree programs/tree.cpp
PREPARE echo kept > kept
PACK {build}/tree --file {build}/kept:/run/a/kept --file {build}/kept:/var/run/b --file {build}/kept:/dev/shm/kept \
  --file {build}/kept:/dev/kept --file {build}/kept:/var/lock/kept --file {build}/kept:/tmp/kept
RUN -- read /run/a/kept /run/b /dev/shm/kept /dev/kept /run/lock/kept /tmp/kept
EXPECT all are kept
RUN -- write /dev/shm/new /dev/null /run/new /run/lock/new /var/log/new /var/lib/new /var/cache/new /var/tmp/new /var/run/new
EXPECT all were written
RUN -- read-any /etc/os-release /etc/localtime /etc/mtab /dev/stdin
EXPECT all were read

# The root is nobody's to write to; an image's own folder / keeps what it has.
NAME root-folder
PACK /bin/busybox -- stat -c '%a %u:%g' /
RUN
EXPECT 755 0:0
