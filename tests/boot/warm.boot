# SPDX-License-Identifier: GPL-2.0-only
# Kept machines (ukl snapshot): what a run of one must have of its own, and when one starts cold.

# Ten runs: no two draw the same random number, the clock is right, the count goes on from where it was kept.
NAME warm-runs-are-different
TIMEOUT 180
PROGRAM warm programs/warm.c
PACK {build}/warm
COMMAND {ukl} pack {build}/warm --profile {profile} --expose 7000 -o {build}/image.ukl && \
  timeout 100 {ukl} snapshot --accel tcg {build}/image.ukl -o {build}/kept.warm 2>&1
EXPECT begins
EXPECT goes on from there
COMMAND bash {source}/clients/warm_runs {ukl} {build}/kept.warm {port} 10
EXPECT 10 different numbers
EXPECT every clock is right
EXPECT every count is 1
REJECT begins
# The program's own end, and what it wrote since: nothing twice, nothing lost.
COMMAND (sleep 1; exec 3<>/dev/tcp/127.0.0.1/{port} && echo q >&3 && cat <&3) & \
  timeout 60 {ukl} run --accel tcg -p {port}:7000 {build}/kept.warm </dev/null; echo status $?
EXPECT answered 1
EXPECT status 7

# This run's own name and secrets.
NAME warm-settings-of-this-run
TIMEOUT 120
PROGRAM warm programs/warm.c
PACK {build}/warm
COMMAND {ukl} pack {build}/warm --profile {profile} -o {build}/image.ukl && \
  timeout 100 {ukl} snapshot --accel tcg {build}/image.ukl --when tcp:7000 -o {build}/kept.warm 2>&1
EXPECT goes on from there
COMMAND printf hush > {work}/word; (sleep 1; exec 3<>/dev/tcp/127.0.0.1/{port} && echo q >&3 && cat <&3) & \
  timeout 60 {ukl} run --accel tcg -p {port}:7000 --hostname other --secret word={work}/word {build}/kept.warm </dev/null; wait
EXPECT host other secret hush

# Two at once share the memory's file and not the memory.
NAME warm-two-at-once
TIMEOUT 120
PROGRAM warm programs/warm.c
PACK {build}/warm
COMMAND {ukl} pack {build}/warm --profile {profile} -o {build}/image.ukl && \
  timeout 100 {ukl} snapshot --accel tcg {build}/image.ukl --when tcp:7000 -o {build}/kept.warm 2>&1
EXPECT goes on from there
COMMAND sum=$(sha256sum < {build}/kept.warm/memory); \
  for port in {port} {port2}; do timeout 60 {ukl} run --accel tcg -p $port:7000 {build}/kept.warm </dev/null & done; sleep 1.5; \
  for port in {port} {port} {port2}; do exec 3<>/dev/tcp/127.0.0.1/$port; echo x >&3; cat <&3; done; \
  for port in {port} {port2}; do exec 3<>/dev/tcp/127.0.0.1/$port; echo q >&3; cat <&3; done; wait; \
  [ "$sum" = "$(sha256sum < {build}/kept.warm/memory)" ] && echo the file is as it was
EXPECT_RE count 3 random
EXPECT_RE count 2 random
EXPECT the file is as it was

# What cannot go on starts cold, and says why; what is no kept machine is refused.
NAME warm-starts-cold
TIMEOUT 180
PROGRAM hello programs/hello.c
PROGRAM warm programs/warm.c
PACK {build}/hello
COMMAND {ukl} pack {build}/hello --profile {profile} -o {build}/image.ukl && \
  timeout 100 {ukl} snapshot --accel tcg {build}/image.ukl --when tcp:1 --timeout 20 -o {build}/never.warm 2>&1; echo status $?
EXPECT before it was ready
EXPECT status 42
COMMAND ls -d {build}/never* 2>&1; true
EXPECT No such file
COMMAND {ukl} pack {build}/warm --profile {profile} -o {build}/warm.ukl && \
  timeout 100 {ukl} snapshot --accel tcg {build}/warm.ukl --when tcp:7000 -o {build}/kept.warm 2>&1
EXPECT goes on from there
COMMAND timeout 60 {ukl} run --accel tcg -m 200M --timeout 5 {build}/kept.warm </dev/null 2>&1
EXPECT starts cold: it was made with -m
EXPECT begins
STATUS 124
COMMAND timeout 60 {ukl} run --accel tcg --env A=b --timeout 5 {build}/kept.warm </dev/null 2>&1
EXPECT starts cold: its program has its variables
STATUS 124
COMMAND sed -i 's/"qemu": "[^"]*"/"qemu": "QEMU 1.0"/' {build}/kept.warm/machine.json; \
  timeout 60 {ukl} run --accel tcg --timeout 5 {build}/kept.warm </dev/null 2>&1
EXPECT starts cold: it was made with QEMU 1.0
STATUS 124
COMMAND truncate -s 1M {build}/kept.warm/memory; {ukl} run {build}/kept.warm 2>&1
EXPECT its memory has another size
STATUS 27

# Ready is what the program says it is.
NAME warm-when-it-says-so
TIMEOUT 120
PROGRAM warm programs/warm.c
PACK {build}/warm
COMMAND {ukl} pack {build}/warm --profile {profile} -o {build}/image.ukl && \
  timeout 100 {ukl} snapshot --accel tcg {build}/image.ukl --when 'log:^beg[i]ns' -o {build}/kept.warm 2>&1
EXPECT goes on from there
COMMAND (sleep 1; exec 3<>/dev/tcp/127.0.0.1/{port} && echo q >&3 && cat <&3) & \
  timeout 60 {ukl} run --accel tcg -p {port}:7000 {build}/kept.warm </dev/null; echo status $?
EXPECT answered 1
EXPECT status 7
COMMAND {ukl} snapshot {build}/image.ukl --when 'log:(' 2>&1; echo status $?
EXPECT is no regular expression
EXPECT status 2

# Python with Flask: what takes it many seconds is done once. Two runs, each with its own answer.
NAME warm-flask
TIMEOUT 240
PREPARE printf '%s\n' 'from flask import Flask' 'app = Flask("app")' '@app.get("/")' 'def index(): return "Flask answers\n"' \
  'app.run(host="0.0.0.0")' > app.py
PACK deb:python3-flask --entrypoint /usr/bin/python3 --file {build}/app.py:/app.py -- /app.py
COMMAND timeout 200 {ukl} snapshot --accel tcg {image} --when tcp:5000 -o {build}/kept.warm 2>&1
EXPECT goes on from there
COMMAND bash {source}/clients/warm_web {ukl} {build}/kept.warm {port} 5000 2
EXPECT 2 answers: Flask answers

# A server in Java, whose virtual machine has threads, mappings and compiled code of its own.
NAME warm-java
ONLY long
TIMEOUT 400
PREPARE cp {source}/programs/Web.java .
PACK deb:openjdk-17-jdk-headless --entrypoint /usr/lib/jvm/java-17-openjdk-amd64/bin/java --file {build}/Web.java:/Web.java -- /Web.java
COMMAND timeout 380 {ukl} snapshot --accel tcg {image} -m 1G --when tcp:8000 --timeout 360 -o {build}/kept.warm 2>&1
EXPECT goes on from there
COMMAND bash {source}/clients/warm_web {ukl} {build}/kept.warm {port} 8000 2
EXPECT 2 answers: Java answers

NAME warm-memcached
TIMEOUT 180
PACK deb:memcached
COMMAND timeout 100 {ukl} snapshot --accel tcg {image} --when tcp:11211 -o {build}/kept.warm 2>&1
EXPECT goes on from there
COMMAND timeout 60 {ukl} run --accel tcg -p {port}:11211 {build}/kept.warm </dev/null & machine=$!; \
  {source}/clients/memcached {port}; status=$?; kill $machine; wait $machine; echo status $status
EXPECT status 0
