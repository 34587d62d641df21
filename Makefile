# SPDX-License-Identifier: GPL-2.0-only
# Short names for what is done often. CMake and Ninja build; scripts/ holds what is longer than a line.

BUILD   := build
JOBS    ?= $(shell nproc)
# For `make install`.
PREFIX  ?= /usr/local
# For `make fuzz`: how long each target runs.
SECONDS ?= 60
# What `make all` builds: everything.
TARGETS :=
# Most lines that kernel/patches/RELEASE may add or change in existing files of Linux.
PATCH_LIMIT := 6

.PHONY: all prepare demo site test release-test quick-test kernels bench fuzz patch-size lint format check-format clean install help

all: ## build ./ukl, ./ukl-cc and ./ukl-c++
	@cmake -S . -B $(BUILD) -G Ninja -DCMAKE_INSTALL_PREFIX=$(PREFIX) > $(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@rm $(BUILD).log
	@cmake --build $(BUILD) -j $(JOBS) $(if $(TARGETS),--target $(TARGETS))
	@for tool in ukl ukl-cc ukl-c++; do if [ -e $(BUILD)/$$tool ]; then ln -sf $(BUILD)/$$tool $$tool; fi; done

prepare: ## install the Debian packages that are missing
	@scripts/prepare scripts/packages

demo: prepare ## Debian's memcached as one bootable file, with a client that sets and gets
	@$(MAKE) --no-print-directory all TARGETS="ukl ukl-init"
	@scripts/demo

site: prepare ## the pages about all of this, served by an image of ours, until Ctrl-C
	@scripts/prepare scripts/packages-test
	@$(MAKE) --no-print-directory all TARGETS="ukl ukl-init"
	@scripts/site

test: prepare ## every test
	@scripts/prepare scripts/packages-test
	@$(MAKE) --no-print-directory all
	@scripts/run-tests

release-test: prepare ## every test, and all that takes hours: long runs, KVM, sixty programs, clang-tidy, fuzzing
	@scripts/prepare scripts/packages-test scripts/packages-developer scripts/packages-browser
	@$(MAKE) --no-print-directory all
	@scripts/run-tests --release

quick-test: all check-format ## the format and the unit tests
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS) -LE boot

# `cloud` takes a quarter of an hour, and what it is for is tested before a release.
kernels: all ## build the kernel of every profile but `cloud`
	@./ukl kernel build $(patsubst kernel/profiles/%.config,--profile %,$(filter-out %/base.config %/cloud.config,$(wildcard kernel/profiles/*.config)))

bench: prepare ## the benchmark's tables, into bench/results
	@$(MAKE) --no-print-directory all
	@bench/run

fuzz: ## run every fuzz target for SECONDS
	@scripts/prepare scripts/packages-developer
	@scripts/fuzz $(SECONDS)

patch-size: ## what our patches change in Linux, and the size of our own kernel files
	@for release in kernel/patches/*; do \
	  echo "Linux $${release##*/}:" && scripts/patch-size -v LIMIT=$(PATCH_LIMIT) $$release/*.patch || exit 1; done
	@echo
	@scripts/source-size $$(find kernel/files -type f | sort)

lint: all ## the rooms' order, clang-tidy and shellcheck
	@scripts/check-rooms
	@scripts/prepare scripts/packages-test scripts/packages-developer
	@scripts/lint $(BUILD) $(JOBS)

# Everything of ours in C++; kernel/files is written in Linux's own style.
SOURCES = $(shell git ls-files '*.cpp' '*.hpp')

format: ## let clang-format write all C++ files
	@clang-format -i $(SOURCES)

check-format:
	@clang-format --dry-run -Werror $(SOURCES)

install: all ## into PREFIX (default /usr/local)
	@cmake --install $(BUILD)

clean: ## remove what was built here (`./ukl kernel clean --all` empties the cache of kernels)
	@rm -rf $(BUILD) $(BUILD)-fuzz ukl ukl-cc ukl-c++

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1: \2/p' $(MAKEFILE_LIST)
