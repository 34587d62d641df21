# SPDX-License-Identifier: GPL-2.0-only
# Where the time of a run goes, and that none is waited away. Bounds are parts of the same run: the host may be busy.

# From the key to the prompt: with the input at its end, the phases are all there, add up, and are all of what the user
# waits for; once the program has ended, the machine ends in a fraction of the time that it took to start.
NAME run-from-key-to-prompt
TIMEOUT 180
PROGRAM hello programs/hello.c
PACK {build}/hello
COMMAND for machine in q35 pc microvm; do for turn in 1 2 3; do \
  start=${EPOCHREALTIME/./}; {ukl} run {image} --machine $machine --time --json </dev/null 2>err >out || exit 1; stop=${EPOCHREALTIME/./}; \
  grep -q 'Hello from C' out || exit 1; echo $machine $((stop - start)) "$(grep -o '"times_ms":{[^}]*}' err)"; done; done | {source}/clients/key-to-prompt
EXPECT q35 ends at once
EXPECT pc ends at once
EXPECT microvm ends at once

# For people, and as a picture that holds Linux's steps.
NAME run-time-and-bootchart
TIMEOUT 120
PROGRAM hello programs/hello.c
PACK {build}/hello
COMMAND {ukl} run {image} --time </dev/null 2>&1
EXPECT Hello from C
EXPECT_RE tool +[0-9.]+ ms\nqemu +[0-9.]+ ms\nfirmware +[0-9.]+ ms\nkernel +[0-9.]+ ms\ninit +[0-9.]+ ms\nprogram +[0-9.]+ ms, first output after
COMMAND {ukl} run {image} --bootchart {build}/chart.svg </dev/null 2>&1; cat {build}/chart.svg
EXPECT Hello from C
EXPECT inet_init
EXPECT others took
EXPECT </svg>
# What was asked for and cannot be is said, and the image is not written over.
COMMAND {ukl} run {image} --bootchart {image} </dev/null; echo status $?; {ukl} run {image} --bootchart /nowhere/chart.svg </dev/null; echo status $?
EXPECT_RE status [1-9]
EXPECT /nowhere/chart.svg
COMMAND {ukl} run {image} </dev/null
EXPECT Hello from C
