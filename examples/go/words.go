// SPDX-License-Identifier: GPL-2.0-only
// Counts the words of what it is sent.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os/signal"
	"sort"
	"strings"
	"sync"
	"syscall"
)

type totals struct {
	sync.Mutex
	words, texts int
}

func (all *totals) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(answer, request.Body, 1<<20))
	if err != nil {
		http.Error(answer, "a smaller text is wanted", http.StatusRequestEntityTooLarge)
		return
	}
	if request.Method != http.MethodPost {
		all.Lock()
		defer all.Unlock()
		fmt.Fprintf(answer, "words of all: %d in %d texts\n", all.words, all.texts)
		return
	}
	counts := map[string]int{}
	words := strings.Fields(string(text))
	for _, word := range words {
		counts[word]++
	}
	all.Lock()
	all.words += len(words)
	all.texts++
	all.Unlock()
	names := make([]string, 0, len(counts))
	for word := range counts {
		names = append(names, word)
	}
	sort.Slice(names, func(i, j int) bool {
		if counts[names[i]] != counts[names[j]] {
			return counts[names[i]] > counts[names[j]]
		}
		return names[i] < names[j]
	})
	for _, word := range names {
		fmt.Fprintf(answer, "%d %s\n", counts[word], word)
	}
}

func main() {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	server := &http.Server{Addr: ":8080", Handler: &totals{}}
	go func() {
		<-stop.Done()
		server.Shutdown(context.Background())
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}
