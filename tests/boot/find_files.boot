# SPDX-License-Identifier: GPL-2.0-only
# What an image lacks, found by running it (ukl pack --find-files).

# Listed, and nothing is added. A path that this machine lacks as well is no news.
NAME find-files-lists
PROGRAM looks programs/looks.c -static
PACK {build}/looks
COMMAND {ukl} pack {build}/looks --find-files -o {build}/listed.ukl 2>&1
EXPECT looked for in vain: --file /etc/debian_version
EXPECT wanted to make something in /var/lib/nobody, which this machine lacks
REJECT such/file
REJECT issue
COMMAND {ukl} run {build}/listed.ukl; echo status $?
EXPECT status 0
REJECT bytes

# Added, and what is looked for only then as well: a relative path of another process.
NAME find-files-adds
PROGRAM looks programs/looks.c
PACK {build}/looks
COMMAND {ukl} pack {build}/looks --profile {profile} --find-files=add -o {build}/added.ukl 2>&1
EXPECT added: --file /etc/debian_version
EXPECT added: --file /etc/issue
COMMAND {ukl} run {build}/added.ukl
EXPECT /etc/debian_version: 1 bytes
EXPECT issue: 1 bytes

# A server runs until it is stopped; threads, signals and job control go on as without.
NAME find-files-of-a-server
NEEDS memcached
PACK {debian}/usr/bin/memcached
TIMEOUT 120
COMMAND {ukl} pack {debian}/usr/bin/memcached --profile {profile} --find-files=list -o {build}/server.ukl -- -u root 2>&1; echo status $?
EXPECT status 0
