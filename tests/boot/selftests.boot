# SPDX-License-Identifier: GPL-2.0-only
# Linux's own self-tests (tools/testing/selftests of the same source), compiled by their own makefiles and judged by a list.

NAME selftests
TIMEOUT 900
PREPARE {source}/prepare-selftests {build} {source}/selftests.expect
LIST {build}/selftests.list
EXPECTATIONS selftests.expect
PACK --file {build}/selftests:/selftests --file /bin/sh --file /bin/true --file /bin/sleep --file /bin/echo \
  --file /lib/x86_64-linux-gnu/libgcc_s.so.1
RUN --cpus 4 -m 1G

NAME selftests-timers
TIMEOUT 3000
ONLY long
PREPARE {source}/prepare-selftests {build} {source}/selftests-timers.expect
LIST {build}/selftests.list
EXPECTATIONS selftests-timers.expect
PACK --file {build}/selftests:/selftests --file /bin/sh --file /bin/true --file /bin/sleep --file /bin/echo \
  --file /lib/x86_64-linux-gnu/libgcc_s.so.1
RUN --cpus 4 -m 1G
