# SPDX-License-Identifier: GPL-2.0-only
# The program's standard streams, terminal and signals are those of `ukl run`.

# Bash and what it needs; the tests below use its image.
NAME console-streams
TIMEOUT 120
PREPARE for name in cat head seq ls stty sleep setsid wc; do mkdir -p tools; cp $(command -v $name) tools/; done
PACK /bin/bash --file {build}/tools:/usr/bin
# What goes into pipes is a pipe, on both sides, apart, byte for byte.
COMMAND {ukl} run {image} -- -c 'for n in 0 1 2; do [ -t $n ] && echo $n is a terminal; [ -p /dev/fd/$n ] && echo pipe $n; done; \
  echo to error >&2; cat; exit 5' < <(printf 'in\0put\377') > out 2> err; echo status $?; od -An -c -w100 out; echo --; cat err
EXPECT status 5
EXPECT_RE p   i   p   e       0
EXPECT_RE p   i   p   e       1
EXPECT_RE p   i   p   e       2
EXPECT_RE i   n  .0   p   u   t 377
EXPECT_RE --\nto error
REJECT terminal
# One file for both: the order stays.
COMMAND {ukl} run {image} -- -c 'for i in 1 2 3; do echo out$i; echo err$i >&2; done' > both 2>&1 < /dev/null; tr '\n' ' ' < both
EXPECT out1 err1 out2 err2 out3 err3
# Closed streams are closed, and nothing goes missing.
COMMAND {ukl} run {image} -- -c 'ls /proc/$$/fd | head -n 1; seq 1200000; exit 3' <&- > out; echo status $? lines $(wc -l < out) first $(head -n 1 out)
EXPECT status 3 lines 1200001 first 1
COMMAND {ukl} run {image} -- -c 'exit 7' <&- >&- 2>&-; echo status $?
EXPECT status 7
# Nobody reads any more: the program gets SIGPIPE. A full disk is an error.
COMMAND {ukl} run {image} -- -c 'cat /dev/zero; echo $? >&2' < /dev/null | head -c 5 | od -c
EXPECT \0  \0  \0  \0  \0
EXPECT 141
COMMAND {ukl} run {image} -- -c 'seq 100000; exit 0' < /dev/null > /dev/full; echo status $?
EXPECT No space left on device
REJECT status 0
# Input is let go of when the program does.
COMMAND seq 10000000 | {ukl} run {image} -- -c 'head -n 1'; echo ${PIPESTATUS[*]}
EXPECT 141 0

# A machine whose input is at its end starts as soon as one whose input is open.
NAME console-input-at-its-end
TIMEOUT 120
PROGRAM hello programs/hello.c
PACK {build}/hello
COMMAND started() { {ukl} run {image} --json 2>&1 >/dev/null | grep -o 'started_ms":[0-9]*' | cut -d: -f2; }; \
  for turn in 1 2 3; do ended+=($(started </dev/null)) open+=($(started < <(sleep 20))); pipe+=($(: | started)); done; \
  least() { printf '%s\n' $* | sort -n | head -n 1; }; echo ended $(least ${ended[*]}) open $(least ${open[*]}) pipe $(least ${pipe[*]}); \
  (( $(least ${ended[*]}) < $(least ${open[*]}) + 1000 && $(least ${pipe[*]}) < $(least ${open[*]}) + 1000 )) && echo no wait
EXPECT no wait

# 100 MB of output, and a machine that ends when its program does, on every machine type.
NAME console-output
TIMEOUT 180
PROGRAM output programs/output.c
PACK {build}/output
COMMAND start=$SECONDS; {ukl} run {image} </dev/null -- 100000000 | cksum; echo took $((SECONDS - start)); ((SECONDS - start < 90)) && echo fast
EXPECT fast
EXPECT 100000000
COMMAND for machine in q35 pc microvm; do {ukl} run {image} --machine $machine --json </dev/null -- 5 2>&1 | \
  grep -o 'first_output_ms":[0-9]*,"total_ms":[0-9]*' | tr -dc '0-9,\n' | while IFS=, read first total; do \
  echo $machine ended after $((total - first)); ((total - first < 2000)) && echo $machine at once; done; done
EXPECT q35 at once
EXPECT pc at once
EXPECT microvm at once
# A reader that stalls does not stall --timeout.
COMMAND rm -f status; start=$SECONDS; ({ukl} run {image} --timeout 15 </dev/null -- 100000000; echo $? > status) | sleep 60 & \
  while [ ! -e status ] && ((SECONDS - start < 50)); do sleep 0.2; done; echo status $(cat status); kill %1
EXPECT status 124
# Nor does it hold a program that a signal has ended.
COMMAND rm -f status flowing; ({ukl} run {image} </dev/null -- 100000000 2>err & machine=$!; \
  while [ ! -e flowing ]; do sleep 0.1; done; sleep 1; kill $machine; wait $machine; echo $? > status) | \
  (head -c 1; touch flowing; sleep 60) & start=$SECONDS; \
  while [ ! -e status ] && ((SECONDS - start < 50)); do sleep 0.2; done; echo ended with $(cat status err); kill %1
EXPECT ended with 143 ukl: nobody took the program's last output for a second

# A terminal, played by a program of ours.
NAME console-terminal
TIMEOUT 180
PREPARE for name in tty cat head seq ls stty sleep; do mkdir -p tools; cp $(command -v $name) tools/; done
PACK /bin/bash --file {build}/tools:/usr/bin
COMMAND {source}/clients/terminal {ukl} {image}
EXPECT the terminal did everything as it should

# Signals; every one is delivered, and a second SIGTERM as well.
NAME console-signals
TIMEOUT 120
PROGRAM every_signal programs/every_signal.c
PACK {build}/every_signal
COMMAND {ukl} run {image} </dev/null >out 2>&1 & pid=$!; until grep -q READY out; do sleep 0.1; done; \
  for signal in HUP INT QUIT USR1 USR2 CONT ALRM TSTP WINCH URG IO VTALRM PROF 34 50 64 TERM TERM; do kill -$signal $pid; \
  until (( $(grep -c "signal $(kill -l $signal 2>/dev/null || echo $signal)$" out) >= 1 )) || ((tries++ > 300)); do sleep 0.1; done; done; \
  until (( $(grep -c 'signal TERM$' out) == 2 )) || ((tries++ > 300)); do sleep 0.1; done; \
  kill -KILL $pid; wait $pid; sed 's/signal 34/signal RTMIN/' out
EXPECT signal HUP
EXPECT signal INT
EXPECT signal QUIT
EXPECT signal USR1
EXPECT signal USR2
EXPECT signal CONT
EXPECT signal ALRM
EXPECT signal TSTP
EXPECT signal WINCH
EXPECT_RE signal TERM\n(.*\n)*.*signal TERM

# The client gets the last byte, however slowly it reads.
NAME console-last-bytes
TIMEOUT 120
PROGRAM last_bytes programs/last_bytes.c
PACK {build}/last_bytes
COMMAND {source}/clients/last-bytes {ukl} {image} {port}
EXPECT every client got 5000000 bytes

# A program that makes itself a daemon; one that leaves an ordinary child.
NAME console-daemon
TIMEOUT 120
PROGRAM daemon programs/daemon.c
PACK {build}/daemon
COMMAND {ukl} run {image} -- daemon </dev/null; echo status $?
EXPECT the machine runs until they end
EXPECT the daemon has done its work
EXPECT status 0
COMMAND start=$SECONDS; {ukl} run {image} --timeout 80 -- child </dev/null | cat; echo status ${PIPESTATUS[0]}
EXPECT these processes that it has left: daemon
EXPECT status 0

# One that is asked to end, and ends well, takes its daemons along.
NAME console-daemon-asked-to-end
TIMEOUT 120
PACK /bin/busybox --file /bin/busybox:/bin/setsid -- sh -c 'setsid sleep 1000 & trap "exit 0" TERM; echo ready; while :; do sleep 0.1; done'
COMMAND {ukl} run {image} </dev/null > {work}/said & machine=$!; \
  until grep -q ready {work}/said; do sleep 0.2; done; sleep 0.5; kill -TERM $machine; wait $machine; echo status $?
EXPECT status 0
REJECT background
