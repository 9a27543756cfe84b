#!/bin/sh
# Fetches the i386 packages that Belady is built with, and unpacks them under build/sysroot, by apt's own options and dpkg -x:
# the host does not become multi-architecture and nothing is installed. Does nothing when all is there.
#
#   musl-dev        the C library           linux-libc-dev   Linux's own headers: system call numbers, structures
#   musl            the same as a file of its own, for a test of dynamic linking
#   libbsd-dev      lists and trees as macros, headers only, for the kernel
#   mksh            the shell               libgcc-NN-dev    only for a compiler without a 32-bit libgcc
#
# With arguments: fetches these packages instead, and unpacks each into build/rootfs/PACKAGE (tools/rootfs.sh, `make test-linux`).
#
# The archives stay in packages/, which `make clean` spares. Sources: the host's own; failing those (Ubuntu carries only part of
# i386) Debian's.
set -eu
cd "$(dirname "$0")/.."

mkdir -p "${BUILD:-build}"
build=$(realpath "${BUILD:-build}")
sysroot=$build/sysroot
packages=$build/packages
wanted="musl-dev musl linux-libc-dev libbsd-dev mksh"
if grep -q '^LIBGCC := .*/libgcc.a' "$build/host.mk"; then
    wanted="$wanted libgcc-$(sed -n 's/^COMPILER_VERSION := //p' "$build/host.mk")-dev"
fi
if [ $# -gt 0 ]; then
    wanted="$*"
elif [ "$(cat "$sysroot/packages" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi

# The package's archive, if it has been fetched. What is the same for every machine says all in place of i386.
archive_of() # PACKAGE
{
    find "$packages" -maxdepth 1 \( -name "$1_*_i386.deb" -o -name "$1_*_all.deb" \) | sort | tail -n 1
}

lacking()
{
    for package in $wanted; do
        [ -n "$(archive_of "$package")" ] || echo "$package"
    done
}

# apt-get or apt-cache for i386 with directories of its own; $apt_sources says where from.
apt_i386() # TOOL ARGUMENTS
{
    tool=$1
    shift
    mkdir -p "$packages/apt/lists/partial" "$packages/apt/cache/archives/partial"
    # shellcheck disable=SC2086 -- apt_sources is a list of options
    "$tool" -q -oAPT::Architecture=i386 -oAPT::Architectures=i386 -oDir::State::Lists="$packages/apt/lists" \
        -oDir::Cache="$packages/apt/cache" -oAPT::Sandbox::User="$(id -un)" -oAcquire::Retries=3 \
        -oAcquire::Languages=none -oDebug::NoLocking=1 $apt_sources "$@" 2>>"$packages/log"
}

# Fetches one package as PACKAGE_VERSION_ARCHITECTURE.deb. A kernel has its version in its package's name; the name without
# stands for a package that depends on the present one.
fetch_one() # PACKAGE
{
    real=$1
    case $1 in
    linux-image-*) real=$(apt_i386 apt-cache depends "$1" | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p' | head -n 1) ;;
    esac
    # apt leaves it in the current directory.
    apt_i386 apt-get download "$real" >>"$packages/log" || return 1
    for archive in "$real"_*.deb; do
        mv -- "$archive" "$packages/$1${archive#"$real"}"
    done
}

fetch()
{
    for attempt in 1 2 3; do
        # A failing list is no reason to stop: the others may hold all that is wanted.
        apt_i386 apt-get update >>"$packages/log" || true
        for package in $(lacking); do
            fetch_one "$package" || true
        done
        [ -n "$(lacking)" ] || return 0
        sleep $attempt
    done
    return 1
}

use_debian_sources()
{
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -e $keyring ] || { echo "sysroot: Debian's packages can be checked once debian-archive-keyring is installed" >&2; return 1; }
    # apt's own table of distributions. Plain HTTP: signatures vouch for the packages, and certificates may be missing.
    mirror=$(sed -n '/security/d; s/^BaseURI: https*:/http:/p' /usr/share/python-apt/templates/Debian.info | head -n 1)
    [ -n "$mirror" ] || { echo "sysroot: where Debian's packages lie is known once python-apt-common is installed" >&2; return 1; }
    rm -rf "$packages/apt"
    mkdir -p "$packages/apt"
    # An old keyring knows only the older release; apt passes over the one that it cannot verify.
    for release in bookworm bullseye; do
        echo "deb [signed-by=$keyring] $mirror $release main"
    done >"$packages/apt/sources.list"
    apt_sources="-oDir::Etc::SourceList=$packages/apt/sources.list -oDir::Etc::SourceParts=/dev/null"
}

unpack_apart()
{
    for package in $wanted; do
        rm -rf "${build:?}/rootfs/$package"
        mkdir -p "$build/rootfs/$package"
        dpkg -x "$(archive_of "$package")" "$build/rootfs/$package"
    done
}

unpack()
{
    rm -rf "$sysroot"
    mkdir -p "$sysroot"
    for package in $wanted; do
        dpkg -x "$(archive_of "$package")" "$sysroot"
    done
    # Newer releases keep everything below usr, as their machines do.
    [ -e "$sysroot/lib" ] || ln -s usr/lib "$sysroot/lib"
    ln -srf "$(find "$sysroot/usr/lib/" -path '*musl/bin/mksh')" "$sysroot/mksh"
    libgcc=$(find "$sysroot/usr/lib" -name libgcc.a | head -n 1)
    [ -z "$libgcc" ] || ln -srf "$libgcc" "$sysroot/libgcc.a"
    echo "$wanted" >"$sysroot/packages"
}

mkdir -p "$packages"
# make starts several at once, which share apt's directories: one after the other.
exec 9>"$packages/lock"
flock 9
if [ -n "$(lacking)" ]; then
    if [ "${SETUP:-}" = no ]; then
        echo "setup: SETUP=no: not fetched: the i386 packages" $(lacking) >&2
        exit 1
    fi
    echo "setup: fetching i386 packages into $packages:" $(lacking) >&2
    apt_sources=
    fetch || { use_debian_sources && fetch; } || {
        tail -n 5 "$packages/log" >&2
        echo "sysroot: could not fetch these i386 packages (log: $packages/log):" $(lacking) >&2
        exit 1
    }
    rm -rf "$packages/apt"
fi
if [ $# -gt 0 ]; then
    unpack_apart
else
    unpack
fi
