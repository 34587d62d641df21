// SPDX-License-Identifier: GPL-2.0-only
// Go makes its system calls without glibc, on stacks of its own: goroutines on several threads, files, timers,
// TCP, a process, and a nil pointer that SIGSEGV turns into a panic.
package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func goroutines() {
	var group sync.WaitGroup
	for i := 0; i < 50; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for j := 0; j < 20; j++ {
				_, err := os.ReadFile("/proc/self/stat")
				check(err)
				time.Sleep(time.Millisecond)
			}
		}()
	}
	group.Wait()
}

func connection() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() {
		server, err := listener.Accept()
		check(err)
		fmt.Fprint(server, "over TCP")
		server.Close()
	}()
	client, err := net.Dial("tcp", listener.Addr().String())
	check(err)
	answer := make([]byte, 100)
	n, err := client.Read(answer)
	check(err)
	return string(answer[:n])
}

func caught() (result bool) {
	defer func() { result = recover() != nil }()
	var nothing *int
	fmt.Println(*nothing)
	return
}

func main() {
	if len(os.Args) > 1 {
		fmt.Print("a child")
		return
	}
	goroutines()
	child, err := exec.Command("/proc/self/exe", "child").Output()
	check(err)
	fmt.Println("Go:", connection(), string(child), caught())
}
