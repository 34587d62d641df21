# SPDX-License-Identifier: GPL-2.0-only
# Machines that belong together.

NAME project
TIMEOUT 400
PROGRAM server programs/server.cpp
PACK {build}/server --file /bin/busybox
COMMAND {ukl} pack --profile {profile} /bin/busybox --file /bin/busybox:/bin/sh --file /bin/busybox:/bin/nc --file /bin/busybox:/bin/cat --file /bin/busybox:/bin/sleep \
  --file /bin/busybox:/bin/sync -o {build}/box.ukl
COMMAND {source}/clients/project {ukl} {image} {port} {work}/project
EXPECT up: as it should
EXPECT down: as it should
EXPECT faults: as they should
EXPECT full: as it should
EXPECT images: as they should
EXPECT foreground: as it should
