# SPDX-License-Identifier: GPL-2.0-only
# Programs that carry data behind their ELF file (self-extracting archives, single-file programs, AppImages) find it in
# the image where it was.

NAME appended-data-static
PROGRAM own_file programs/own_file.cpp -static
PREPARE cp {build}/own_file {build}/with_data; printf 'the payload\13\0\0\0\0\0\0\0UKL-LAST' >> {build}/with_data
PREPARE {build}/with_data "$(stat -c %s {build}/own_file)" > {build}/on_host; grep -q 'by the offset: the payload' {build}/on_host
PACK {build}/with_data
COMMAND {ukl} pack {build}/with_data -o {build}/told.ukl -- "$(stat -c %s {build}/own_file)"
EXPECT with_data: data of its own follows in the file
COMMAND {ukl} run {build}/told.ukl --timeout 50
EXPECT by the end: the payload
EXPECT by the headers: the payload
EXPECT by the offset: the payload
COMMAND {ukl} inspect --syscalls {build}/told.ukl
EXPECT all left as they are (data of its own follows

NAME appended-data-dynamic
PROGRAM own_file programs/own_file.cpp
PREPARE cp {build}/own_file {build}/with_data; printf 'the payload\13\0\0\0\0\0\0\0UKL-LAST' >> {build}/with_data
PACK {build}/with_data
COMMAND {ukl} pack {build}/with_data -o {build}/told.ukl -- "$(stat -c %s {build}/own_file)"
COMMAND {ukl} run {build}/told.ukl --timeout 50
EXPECT by the end: the payload
EXPECT by the headers: the payload
EXPECT by the offset: the payload
