#!/bin/sh
# Makes sure that what a make goal needs is there: tools of the host, the unpacked i386 packages, and a compiler.
#
#     tools/setup.sh GOAL...      GOAL: build run display iso debug test
#
# What is missing is named with its package and the reason, then installed (as root or by sudo). SETUP=no only names it.
# Called by the Makefile before every build, so the case where nothing is missing must stay quick.
# Leaves build/host.mk, which tells the Makefile the compiler; CROSS=PREFIX asks for a particular one.
set -eu
cd "$(dirname "$0")/.."

build=${BUILD:-build}
host_mk=$build/host.mk
missing_packages=

missing() # PACKAGES REASON
{
    echo "setup: missing: $1 ($2)" >&2
    missing_packages="$missing_packages $1"
}

need_command() # COMMAND PACKAGES REASON
{
    command -v "$1" >/dev/null || missing "$2" "$3"
}

need_file() # FILE PACKAGES REASON
{
    [ -e "$1" ] || missing "$2" "$3"
}

need_for_build()
{
    need_command python3 python3 "generates the kernel's symbol table, drives QEMU"
    need_command cpio cpio "packs the initial file system"
    if [ ! -e "$host_mk" ] && ! tools/compiler.sh find >/dev/null; then
        if [ -n "${CROSS:-}" ]; then
            echo "setup: the compiler that CROSS=$CROSS asks for cannot compile 32-bit freestanding C" >&2
            exit 1
        fi
        missing gcc-i686-linux-gnu "compiles for 32-bit x86; no other compiler found does"
    fi
    if [ ! -e "$build/sysroot/packages" ] && ! grep -q '^ID=debian' /etc/os-release; then
        need_file /usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring \
            "verifies the i386 packages, which come from Debian where the host's distribution lacks them"
        need_file /usr/share/python-apt/templates/Debian.info python-apt-common "knows where Debian's packages lie"
    fi
}

need_for_run()
{
    need_command qemu-system-i386 qemu-system-x86 "the machine that Belady boots in"
}

need_for_display()
{
    qemu-system-i386 -display help 2>/dev/null | grep -qE '^(gtk|sdl|cocoa)' ||
        missing qemu-system-gui "opens the VGA screen in a window"
}

need_for_iso()
{
    need_command grub-mkrescue grub-common "makes the bootable image"
    need_file /usr/lib/grub/i386-pc/moddep.lst grub-pc-bin "GRUB for BIOS machines, put on the image"
    need_command xorriso xorriso "writes the ISO 9660 file system"
    need_command mformat mtools "grub-mkrescue calls it"
}

need_for_debug()
{
    need_command gdb gdb "the debugger"
}

need_for_test()
{
    need_command prove perl "runs the tests"
    need_command gcc gcc "builds the tests that run on the host"
    need_command g++ g++ "builds a test of programs in C++"
    need_file /usr/include/stdlib.h libc6-dev "builds the tests that run on the host"
    need_file /usr/include/cmocka.h libcmocka-dev "unit test library for the host"
    need_file /usr/include/bsd/sys/queue.h libbsd-dev "lists and trees, for the kernel's sources compiled on the host"
    need_command ctags universal-ctags "measures the length of functions"
    need_command bochs "bochs bochsbios vgabios bochs-sdl" "a second emulator, stricter than QEMU"
}

install_missing()
{
    if [ "${SETUP:-}" = no ]; then
        echo "setup: SETUP=no: nothing installed. To install: apt-get install$missing_packages" >&2
        exit 1
    fi
    if ! command -v apt-get >/dev/null; then
        echo "setup: no apt-get here: install by hand what these Debian packages hold:$missing_packages" >&2
        exit 1
    fi
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || { echo "setup: as root, run: apt-get install$missing_packages" >&2; exit 1; }
        as_root=sudo
    fi
    echo "setup: installing:$missing_packages" >&2
    # One suite's package list may fail to download while its mirror is updated; what counts is whether the packages arrive.
    $as_root apt-get -q -oAcquire::Retries=3 update >&2 || true
    # shellcheck disable=SC2086 -- a list of words
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -oAcquire::Retries=3 \
        install $missing_packages >&2 || { echo "setup: could not install:$missing_packages" >&2; exit 1; }
}

# Another CROSS than last time: look for the compiler again.
if [ -e "$host_mk" ] && ! grep -qxF "CROSS_ASKED := ${CROSS:-}" "$host_mk"; then
    rm "$host_mk"
fi
for goal in "$@"; do
    "need_for_$goal"
done
if [ -n "$missing_packages" ]; then
    install_missing
fi
[ -e "$host_mk" ] || tools/compiler.sh write "$host_mk"
tools/sysroot.sh
