# SPDX-License-Identifier: GPL-2.0-only
# What an image does as a whole: kinds of programs, status, crash reports, signals, arguments, volumes.

NAME hello-c
PROGRAM hello programs/hello.c
PACK {build}/hello
RUN -m 256M
EXPECT Hello from C

NAME hello-c++
PROGRAM hello programs/hello.cpp
PACK {build}/hello
RUN
EXPECT Hello from C++

# Without ukl: any loader of PVH kernels does. And on the other machine types of QEMU.
NAME by-hand
TIMEOUT 90
PROGRAM hello programs/hello.c
PACK {build}/hello
COMMAND timeout 80 qemu-system-x86_64 -M q35 -cpu max -nographic -no-reboot -kernel {image}
EXPECT Hello from C
RUN --machine pc
EXPECT Hello from C
RUN --machine microvm
EXPECT Hello from C

NAME hello-static
PROGRAM hello programs/hello.c -static
PACK {build}/hello
RUN
EXPECT Hello from C

NAME hello-static-pie
PROGRAM hello programs/hello.cpp -static-pie
PACK {build}/hello
RUN
EXPECT Hello from C++

# Applications of both languages are in applications.boot; these use more of the runtime. The Go program is static.
NAME go-runtime
TIMEOUT 180
PREPARE GOCACHE={build}/go-cache CGO_ENABLED=0 go build -o language {source}/programs/language.go
PACK {build}/language
RUN --cpus 4
EXPECT Go: over TCP a child true

NAME rust-runtime
PREPARE rustc -O -o language {source}/programs/language.rs
PACK {build}/language
RUN --cpus 4
EXPECT Rust: true over TCP a child true

NAME exit-status
PROGRAM echo programs/echo.cpp
PACK {build}/echo --env STATUS=0
RUN
STATUS 0
RUN --env STATUS=1
STATUS 1
RUN --env STATUS=42
STATUS 42
RUN --env STATUS=255
STATUS 255

NAME arguments
PROGRAM echo programs/echo.cpp
PACK {build}/echo --env "GREETING=two words" --env EMPTY= --env "ODD=a=b%20c ü" \
  -- first "second argument" "" 'quote " and \ and %41' "grüß 世界 🌍" -- --option=x
RUN
EXPECT argument 1: [first] 5 bytes
EXPECT argument 2: [second argument] 15 bytes
EXPECT argument 3: [] 0 bytes
EXPECT argument 4: [quote " and \ and %41] 21 bytes
EXPECT argument 5: [grüß 世界 🌍] 18 bytes
EXPECT argument 6: [--] 2 bytes
EXPECT argument 7: [--option=x] 10 bytes
EXPECT environment: [GREETING=two words]
EXPECT environment: [EMPTY=]
EXPECT environment: [ODD=a=b%20c ü]
EXPECT user 0 group 0, pid is not 1
REJECT inherited descriptor
# Arguments given when it is started replace those of the image; the environment adds to it.
RUN --env "LATE=späte Wörter" -- other "argument with  blanks" 'a,b;c&d|e' "tab	and ü"
EXPECT argument 1: [other] 5 bytes
EXPECT argument 2: [argument with  blanks] 21 bytes
EXPECT argument 3: [a,b;c&d|e] 9 bytes
EXPECT argument 4: [tab	and ü] 10 bytes
REJECT argument 5
EXPECT environment: [LATE=späte Wörter]
EXPECT environment: [GREETING=two words]

NAME crash
PROGRAM crash programs/crash.cpp
PACK {build}/crash
RUN -- segv
STATUS 139
EXPECT about to crash: segv
EXPECT_RE SIGSEGV|signal 11
EXPECT_RE 0x0*40
EXPECT crash_by_null_pointer
RUN -- fpe
STATUS 136
EXPECT crash_by_division
RUN -- ill
STATUS 132
EXPECT crash_by_instruction
RUN -- abrt
STATUS 134
RUN -- kill
STATUS 137
RUN --cpus 2 -- thread
STATUS 139
EXPECT crash_by_null_pointer

NAME crash-static
PROGRAM crash programs/crash.cpp -static
PACK {build}/crash
RUN -- segv
STATUS 139
EXPECT crash_by_null_pointer

# Ctrl-C and SIGTERM reach the program, which decides; one that does not care dies of them.
NAME signals-passed
PROGRAM wait_for_signal programs/wait_for_signal.cpp
PACK {build}/wait_for_signal
RUN
READY READY
STOP INT
EXPECT got signal 2
STATUS 42
RUN
READY READY
STOP TERM
EXPECT got signal 15
STATUS 55
RUN -- default
READY READY
STOP TERM
STATUS 143

NAME volumes
PROGRAM files programs/files.cpp
PACK {build}/files
RUN --volume {work}:/data -- write /data/hello.txt "text from inside"
EXPECT write done
COMMAND cat {work}/hello.txt; echo 'text from outside' > {work}/other.txt
EXPECT text from inside
RUN --volume {work}:/data -- read /data/other.txt
EXPECT text from outside
RUN --volume {work}:/data -- all /data
EXPECT all done

# The core file lands on the volume, and gdb on the host finds the crash in it.
NAME core-dump
PROGRAM core_dump programs/core_dump.cpp
PACK {build}/core_dump -- /data
RUN --cpus 2 --volume {work}:/data
STATUS 139
COMMAND gdb -nx -batch -ex 'set sysroot /nowhere' -ex bt -ex 'frame 0' -ex 'print record->text' -ex 'print record->number' \
  -ex 'info threads' {build}/core_dump {work}/core*
EXPECT innermost
EXPECT middle
EXPECT outermost
EXPECT a text in memory
EXPECT 4712
EXPECT Program terminated with signal SIGSEGV

# gdbserver runs beside the program in ring 0; gdb on the host drives it through a forwarded port.
NAME gdbserver
TIMEOUT 120
NEEDS gdbserver
PROGRAM debugged programs/debugged.cpp
PACK {debian}/usr/bin/gdbserver --file {build}/debugged:/debugged -- --once --no-startup-with-shell :2345 /debugged
RUN --cpus 2 -p {port}:2345
READY Listening on port 2345
CLIENT gdb -nx -batch -ex 'set remotetimeout 30' -ex 'set sysroot /nowhere' -ex 'target remote 127.0.0.1:{port}' \
  -ex 'break step_function' -ex continue -ex backtrace -ex 'print name' -ex 'print count' -ex 'stepi' -ex 'info registers rip cs' \
  -ex 'delete' -ex 'watch *(int*)$sp' -ex 'delete' -ex 'break step_function if count == 4' -ex continue -ex 'print count' -ex 'delete' \
  -ex continue {build}/debugged
EXPECT_RE Breakpoint 1, step_function \(count=[^ ]*1, name=[^)]*"debugged"
EXPECT_RE #1 .*main
EXPECT $2 = 1
EXPECT_RE cs +0x33
EXPECT_RE \$3 = 4
EXPECT exited normally
EXPECT total 30
STATUS 0
