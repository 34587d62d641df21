# SPDX-License-Identifier: GPL-2.0-only
# What belongs to a run and not to its image: names, network, user, variables, files.

# The image has other ones, or none.
NAME run-settings
TIMEOUT 120
PACK /bin/busybox --env IMAGE=kept --env BOTH=image --hostname image --dns 10.0.2.9 --user 0:0 -- true
RUN --env BOTH=run --hostname other --add-host db:10.1.2.3 --dns 10.0.9.3 --dns fd00::3 --dns-search example.org \
  --mtu 1400 --address 10.0.9.15/24 --address fd00::15/64 --limit nofile=77 --cwd /tmp --user nobody -- sh -c \
  'echo $IMAGE $BOTH; hostname; cat /etc/hosts /etc/resolv.conf /etc/hostname; ip addr; ip route; ip -6 route; \
  echo "line: $(cat /proc/cmdline)"; ulimit -n; pwd; id'
EXPECT kept run
EXPECT other
EXPECT 10.1.2.3 db
EXPECT nameserver 10.0.9.3
EXPECT nameserver fd00::3
EXPECT search example.org
EXPECT mtu 1400
EXPECT inet 10.0.9.15/24
EXPECT inet6 fd00::15/64
EXPECT default via 10.0.9.2
EXPECT default via fd00::2
EXPECT 77
EXPECT /tmp
EXPECT uid=65534(nobody)
REJECT ukl.env
REJECT tentative
RUN --address none -- sh -c 'ip addr show eth0 || echo no network; cat /etc/resolv.conf; echo end'
EXPECT no network
EXPECT end
REJECT nameserver
# Routes beside the router's, one over a router outside of the machine's own net; groups beside the user's.
RUN --address 10.0.9.15/24 --address fd00::15/64 --route 10.8.0.0/16=10.0.9.7 --route 10.7.1.2/16=169.254.1.1 --route 192.168.3.0/24 \
  --route fd08::/32=fd00::7 --user 1000:1000 --group-add 4 --group-add 27 -- sh -c 'ip route; ip -6 route; id -G'
EXPECT default via 10.0.9.2 dev eth0
EXPECT 10.8.0.0/16 via 10.0.9.7 dev eth0
EXPECT 10.7.0.0/16 via 169.254.1.1 dev eth0
EXPECT 169.254.1.1 dev eth0 scope link
EXPECT 192.168.3.0/24 dev eth0 scope link
EXPECT fd08::/32 via fd00::7 dev eth0
EXPECT 1000 4 27
# The router answers over IPv6 at once.
RUN --machine microvm --address fd00::15/64 -- ping -c 1 -W 5 fd00::2
EXPECT 1 packets received

# More than a kernel's command line holds, and from a file.
NAME run-settings-of-any-size
TIMEOUT 120
PACK /bin/busybox -- true
COMMAND { echo "# a comment"; echo "BIG=$(head -c 100000 /dev/zero | tr '\0' x)"; echo FROM_HERE; echo "LAST= two words "; } > {work}/env; \
  FROM_HERE='its value' {ukl} run {image} --env-file {work}/env --env FROM_HERE </dev/null -- sh -c \
  'echo ${#BIG} "$FROM_HERE" "<$LAST>"; wc -c < /proc/cmdline'
EXPECT 100000 its value < two words >
COMMAND {ukl} run {image} --env NOT_SET_HERE </dev/null; echo status $?
EXPECT NOT_SET_HERE is not set here
EXPECT status 2

# Files of a run; nobody but the program reads its secrets.
NAME run-settings-secrets
TIMEOUT 120
PREPARE printf 'old\n' > app.conf
PACK /bin/busybox --file app.conf:/etc/app.conf -- true
COMMAND printf 'hidden\0word' > {work}/token; printf 'new\n' > {work}/new.conf; chmod 640 {work}/new.conf; \
  KEY=other-word {ukl} run {image} --secret token={work}/token --secret KEY --config {work}/new.conf:/etc/app.conf --user 1000:1000 \
  </dev/null -- sh -c 'stat -c "%a %u %g %n" /run/secrets/* /etc/app.conf; od -c /run/secrets/token; cat /run/secrets/KEY; echo; \
  echo "on the command line: $(grep -c word /proc/cmdline)"; cat /sys/kernel/boot_params/setup_data/*/data; env'
EXPECT 400 1000 1000 /run/secrets/token
EXPECT 640 0 0 /etc/app.conf
EXPECT h   i   d   d   e   n  \0   w   o   r   d
EXPECT other-word
EXPECT on the command line: 0
EXPECT Permission denied
REJECT KEY=
COMMAND {ukl} run {image} --secret token={work}/token --config {work}/new.conf:/etc/app.conf </dev/null -- cat /etc/app.conf; \
  {ukl} run {image} --secret token={work}/token --dry-run; echo status $?
EXPECT new
EXPECT cannot carry
EXPECT status 2
REJECT hidden
