# SPDX-License-Identifier: GPL-2.0-only
# Debian's stress-ng, which checks its own results (--verify), on 4 virtual CPUs. Each stressor is one result.

NAME stress
TIMEOUT 400
ONLY short
NEEDS stress-ng
PREPARE {source}/prepare-stress 2 > {build}/stress.list
LIST {build}/stress.list
PACK --file {debian}/usr/bin/stress-ng:/stress-ng
RUN --cpus 4 -m 1G

# Ten minutes and more: every stressor alone for 15 s, then all of them at once for five minutes.
NAME stress-long
TIMEOUT 2400
ONLY long
NEEDS stress-ng
PREPARE {source}/prepare-stress 15 300 > {build}/stress.list
LIST {build}/stress.list
PACK --file {debian}/usr/bin/stress-ng:/stress-ng
RUN --cpus 4 -m 2G
