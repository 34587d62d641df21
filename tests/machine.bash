# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by the tests that need a machine around their machines: Debian's own kernel with an initramfs that has programs of
# this machine, to be booted by QEMU's translator, without a network. Debian's packages are fetched with apt-get download,
# unpacked in the cache ($UKL_CACHE/test-packages) and not installed.
set -euo pipefail
cache=${UKL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ukl}/test-packages
work=$(mktemp -d "${TMPDIR:-/tmp}/ukl-machine.XXXXXX")
tree=$work/tree # of the initramfs
machine=        # the process that cleanup ends
cleanup() {
  if [ -n "$machine" ]; then kill -KILL "$machine" 2> /dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# package NAME PATH…: unpacks these paths (as `tar` matches them) of Debian's package; prints the folder that holds them.
package() {
  local name=$1 version folder
  shift
  version=$(apt-cache show --no-all-versions "$name" | sed -n 's/^Version: //p')
  folder=$cache/${name}_$version-$(printf '%s\n' "$@" | cksum | cut -d ' ' -f 1)
  if [ ! -d "$folder" ]; then
    rm -rf "$folder.partial"
    mkdir -p "$folder.partial"
    (
      cd "$work"
      apt-get -qq -o APT::Sandbox::User=root download "$name=$version"
      dpkg-deb --fsys-tarfile "$name"_*.deb | tar -x -C "$folder.partial" --wildcards "$@"
      rm -f "$name"_*.deb
    ) >&2
    mv "$folder.partial" "$folder"
  fi
  echo "$folder"
}

# debian_kernel PATH…: fetches Debian's kernel with these folders and files of its modules; sets kernel_name, release,
# kernel (the folder) and modules (in it).
debian_kernel() {
  local path
  kernel_name=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1)
  release=${kernel_name#linux-image-}
  modules=lib/modules/$release/kernel
  local paths=("./boot/vmlinuz-*")
  for path in "$@"; do paths+=("./$modules/$path"); done
  kernel=$(package "$kernel_name" "${paths[@]}")
}

# files_of PROGRAM: itself and the libraries that its loader would load.
files_of() {
  echo "$1"
  ldd "$1" | grep -o '/[^ ]*'
}

# add_files FOLDER: takes the names of files from its input; each is put where it lies, FOLDER (or nothing) taken off.
add_files() {
  local file
  sort -u | while read -r file; do
    mkdir -p "$tree$(dirname "${file#"$1"}")"
    cp -L "$file" "$tree${file#"$1"}"
  done
}

# begin_tree INIT: the folders, busybox and the first program.
begin_tree() {
  mkdir -p "$tree"/{proc,sys,dev,run,tmp,var,root,images,modules,bin}
  busybox=$(package busybox-static ./bin/busybox)/bin/busybox
  cp "$busybox" "$tree/bin/busybox"
  cp "$1" "$tree/init"
}

# add_module NAME: a module of Debian's kernel, behind those that it depends on: /modules/order has the order.
add_module() {
  local file other
  file=$(find "$kernel/$modules" -name "${1//_/[-_]}.ko" | head -n 1)
  if [ -z "$file" ]; then return; fi # built into that kernel
  for other in $(tr '\0' '\n' < "$file" | sed -n 's/^depends=//p' | tr , ' '); do add_module "$other"; done
  if grep -qxF "$(basename "$file")" "$tree/modules/order" 2> /dev/null; then return; fi
  cp "$file" "$tree/modules/"
  basename "$file" >> "$tree/modules/order"
}

# pack_tree FILE: writes the initramfs.
pack_tree() {
  (cd "$tree" && find . | "$busybox" cpio -o -H newc 2> /dev/null) > "$1"
}

# boot_machine SECONDS QEMU-OPTION…: boots it. The lines of its console that begin with PASS, FAIL, NOTE or a bar are shown
# as they come; the last line of ours says how many there were. A machine that ends without `end of the tests` has failed.
boot_machine() {
  local limit=$1 passed failed
  shift
  timeout "$limit" qemu-system-x86_64 -no-user-config -nodefaults -no-reboot -display none -M q35 -accel tcg,thread=multi \
    "$@" -serial stdio < /dev/null > "$work/console" 2>&1 &
  machine=$!
  tail -n +1 --pid="$machine" -f "$work/console" | grep --line-buffered -aE '^(PASS|FAIL|NOTE|    \|) ?' || true
  wait "$machine" || true
  machine=
  tr -d '\r' < "$work/console" > "$work/text"
  passed=$(grep -acE '^PASS ' "$work/text" || true) failed=$(grep -acE '^FAIL ' "$work/text" || true)
  if ! grep -aqx 'end of the tests' "$work/text"; then
    failed=$((failed + 1))
    echo "FAIL machine: it ended before its tests did, or took more than $limit s; the end of its console:"
    tail -n 40 "$work/text" | sed 's/^/    | /'
  fi
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
