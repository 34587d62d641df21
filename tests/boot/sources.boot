# SPDX-License-Identifier: GPL-2.0-only
# Sources of programs that are not this machine's: container images, folders, packages.

# Two layers, of which the upper removes files of the lower; user, folder and variables are the image's.
NAME image-of-two-layers
PREPARE rm -rf a b && mkdir -p a/bin a/etc a/opt a/srv/home-33 b/etc b/opt && cp /bin/busybox a/bin/ && \
  for name in sh id ls cat env stat; do ln -s busybox a/bin/$name; done && \
  echo 'root:x:0:0:root:/root:/bin/sh' > a/etc/passwd && echo 'web:x:33:44:web:/srv/home-33:/bin/sh' >> a/etc/passwd && \
  printf 'root:x:0:\nweb:x:44:\n' > a/etc/group && echo lower > a/etc/a && echo lower > a/etc/b && echo x > a/opt/x && \
  echo secret > a/srv/home-33/mine && chmod 600 a/srv/home-33/mine && echo upper > b/etc/a && touch b/etc/.wh.b b/opt/.wh..wh..opq && \
  {source}/make-layout layout '{"Entrypoint": ["sh", "-c"], "Cmd": ["id; pwd; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; echo $NAME; cat /etc/a mine; ls /etc/b /opt; stat -c %u:%g:%a mine"], \
  "User": "web", "WorkingDir": "/srv/home-33", "Env": ["NAME=of the image", "PATH=/bin"], "ExposedPorts": {"80/tcp": {}}}' a b
PACK oci:{build}/layout
RUN
EXPECT uid=33(web) gid=44(web)
EXPECT /srv/home-33
EXPECT of the image
EXPECT upper
EXPECT secret
EXPECT ls: /etc/b: No such file or directory
EXPECT 33:33:600
EXPECT_RE (?:^|\n)0\r?\n
REJECT lower
# What the command line says goes over it.
COMMAND {ukl} pack oci:{build}/layout:latest -o over --user 0:0 --env 'NAME=of the user' --cwd / -- 'id; pwd; echo $NAME' 2> pack.err && \
  grep -o 'listens on 80/tcp: ukl run -p 8080:80' pack.err && {ukl} run over
EXPECT listens on 80/tcp
EXPECT uid=0(root)
EXPECT of the user
COMMAND {ukl} pack oci:{build}/layout -o over --entrypoint /bin/cat -- /etc/passwd && {ukl} run over
EXPECT web:x:33
COMMAND {ukl} pack oci:{build}/layout -o over --entrypoint /bin/none; test $? = 20
EXPECT /bin/none
# A program that the image does not have, over the image's own interpreter.
COMMAND printf '#!/bin/sh\necho "added: $*"\n' > added && {ukl} pack oci:{build}/layout -o over --file added:/srv/added \
  --entrypoint /srv/added -- one two && {ukl} run over
EXPECT added: one two

# What a file may do that its user may not: cap_dac_override, permitted and effective.
NAME file-capabilities
PREPARE rm -rf a && mkdir -p a/bin a/other a/etc && cp /bin/busybox a/bin/cat && cp /bin/busybox a/other/cat && echo secret > a/etc/secret && \
  chmod 600 a/etc/secret && python3 -c "import os; os.setxattr('a/bin/cat', 'security.capability', bytes([1, 0, 0, 2, 2] + 15 * [0]))"
PACK dir:{build}/a --entrypoint /bin/cat --user 1000:1000 -- /etc/secret
RUN
EXPECT secret
COMMAND {ukl} run {image} --entrypoint /other/cat -- /etc/secret < /dev/null; echo status $?
EXPECT Permission denied
EXPECT status 1

# A program for musl, whose loader and libraries are those of the image.
NAME image-with-musl
PREPARE rm -rf a && mkdir -p a/lib a/app && printf 'int answer(void) { return 42; }' > answer.c && \
  printf '#include <stdio.h>\nint answer(void);\nint main(void) { printf("musl says %%d\\n", answer()); return 0; }' > main.c && \
  musl-gcc -shared -fPIC -Wl,-soname,libanswer.so -o a/app/libanswer.so answer.c && musl-gcc -o a/app/main main.c a/app/libanswer.so -Wl,-rpath,/app && \
  cp -L /lib/ld-musl-x86_64.so.1 a/lib/ && {source}/make-layout --docker saved.tar '{"Entrypoint": ["/app/main"]}' a
PACK docker-archive:{build}/saved.tar
RUN
EXPECT musl says 42

# A script, whose interpreter is the folder's own; and one of which no interpreter is there.
NAME folder-with-a-script
PREPARE rm -rf a && mkdir -p a/bin && cp /bin/busybox a/bin/ && ln -s busybox a/bin/sh && ln -s busybox a/bin/echo && \
  printf '#!/bin/sh\nPATH=/bin; echo "$0 with $*"\n' > a/run.sh && printf '#!/usr/bin/perl\n' > a/run.pl && chmod 755 a/run.*
PACK dir:{build}/a -- /run.sh one two
RUN
EXPECT /run.sh with one two
COMMAND {ukl} pack dir:{build}/a -o none -- /run.pl; test $? = 20 && test ! -e none
EXPECT needs the interpreter /usr/bin/perl, which is not there
COMMAND {ukl} pack dir:{build}/a -o none; test $? = 2
EXPECT there is no program to start

# Debian's packages, in one command and with what installing them would have made. UKL_CACHE: with nothing that was fetched before.
NAME package-memcached
TIMEOUT 120
PREPARE rm -rf cache && mkdir cache && ln -s "$(dirname "$(dirname "$(dirname "$({ukl} kernel path)")")")/kernels" cache/kernels
COMMAND UKL_CACHE={build}/cache {ukl} pack deb:memcached -o memcached --sbom one.json 2>&1 && \
  UKL_CACHE={build}/cache {ukl} pack deb:memcached -o again --sbom two.json 2>&1 && cmp memcached again && cmp one.json two.json && \
  {ukl} inspect memcached --sbom | cmp - one.json && echo the same bytes && \
  grep -m 1 -o 'pkg:deb/debian/memcached@[^"]*arch=amd64' one.json
EXPECT the same bytes
EXPECT pkg:deb/debian/memcached@
EXPECT packages: 
REJECT perl
PACK deb:memcached
RUN -m 256M -p {port}:11211
CLIENT {source}/clients/memcached {port}
STOP TERM
EXPECT memcached answered everything as it should

NAME package-redis
TIMEOUT 180
PACK deb:redis-server
RUN -m 512M -p {port}:6379
READY Ready to accept connections
STOP TERM
EXPECT Redis is now ready to exit

# The user, the folders and the link that nginx's maintainer scripts make.
NAME package-nginx
TIMEOUT 120
PACK deb:nginx-light
RUN -m 256M -p {port}:80
CLIENT for try in $(seq 60); do curl -sf http://127.0.0.1:{port}/ && exit; sleep 1; done; exit 1
STOP TERM
EXPECT Welcome to nginx!

# A unit whose program is the shell's, and leaves what the machine is for; configuration that the script offers.
NAME package-in-the-background
TIMEOUT 180
PREPARE rm -rf deb && mkdir -p deb/DEBIAN deb/usr/sbin deb/usr/share/quiet/d deb/lib/systemd/system && \
  gcc -O2 -static -o deb/usr/sbin/quiet {source}/programs/daemon.c && echo offered > deb/usr/share/quiet/d/quiet.conf && \
  printf 'Package: quiet\nVersion: 1\nArchitecture: amd64\nMaintainer: nobody <nobody@example.org>\nDescription: a test\n' > deb/DEBIAN/control && \
  printf '#!/bin/sh\nfor name in d/quiet.conf; do\nucf --three-way "/usr/share/quiet/$name" "/etc/quiet/$name"\ndone\n' > deb/DEBIAN/postinst && \
  chmod 755 deb/DEBIAN/postinst && printf '[Service]\nType=forking\nUser=games\nExecStart=+/bin/sh -c "id -u; cat /etc/quiet/d/quiet.conf; exec quiet left"\n' \
  > deb/lib/systemd/system/quiet.service && dpkg-deb --build deb quiet.deb
PACK deb:{build}/quiet.deb
COMMAND {ukl} run {image} < /dev/null; echo status $?
EXPECT_RE (?:^|\n)0\noffered
EXPECT what was left has done its work
EXPECT status 0

# Programs without a unit, arguments, and packages beside each other.
NAME package-programs
TIMEOUT 120
PREPARE echo '{"a": [1, 2]}' > data.json
PACK deb:jq --file {build}/data.json:/data.json -- .a[1] /data.json
RUN
EXPECT 2
COMMAND {ukl} pack deb:busybox --with deb:jq -o both --entrypoint /bin/busybox -- sh -c 'jq --version; busybox id -un' && {ukl} run both
EXPECT jq-1.6
EXPECT root
COMMAND {ukl} pack deb:coreutils -o none; test $? = 2
EXPECT choose one with --entrypoint
COMMAND {ukl} pack deb:no-such-package -o none; test $? = 20
EXPECT no-such-package
