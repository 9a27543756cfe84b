#!/bin/sh
# Builds programs for i386 as people build them who do not know Belady: with Debian's glibc and libstdc++, linked statically.
#
#     tools/glibc.sh fetch                                    lays the libraries, 6 MB of packages, into build/glibc
#     tools/glibc.sh compile PROGRAM SOURCE... -- FLAGS...    SOURCE: C, or C++ if it ends in .cc
#
# The compilers are the host's gcc and g++, and the libraries those of their version.
set -eu
cd "$(dirname "$0")/.."
build=$(realpath "${BUILD:-build}")
glibc=$build/glibc
version=$(g++ -dumpversion | cut -d. -f1)
gcc_parts=$glibc/usr/lib/gcc/i686-linux-gnu/$version
libraries=$glibc/usr/lib/i386-linux-gnu

fetch()
{
    packages="libc6-dev linux-libc-dev libgcc-$version-dev libstdc++-$version-dev"
    # shellcheck disable=SC2086 -- a list of words
    tools/sysroot.sh $packages
    rm -rf "$glibc"
    mkdir "$glibc"
    for package in $packages; do
        cp -a "$build/rootfs/$package/." "$glibc"
    done
    echo "$packages" >"$glibc/packages"
}

compile_one() # SOURCE OBJECT FLAGS...
{
    source=$1
    object=$2
    shift 2
    compiler="gcc -std=gnu11"
    case $source in
    *.cc) compiler="g++ -std=c++20 -fnon-call-exceptions -isystem $glibc/usr/include/c++/$version -isystem $glibc/usr/include/i386-linux-gnu/c++/$version" ;;
    esac
    # Ubuntu's compiler fortifies by itself, and warns of more then.
    $compiler -m32 -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -g -fno-pie "$@" -I. -nostdinc -isystem "$(gcc -print-file-name=include)" \
        -isystem "$glibc/usr/include/i386-linux-gnu" -isystem "$glibc/usr/include" -c "$source" -o "$object"
}

compile() # PROGRAM SOURCE... -- FLAGS...
{
    program=$1
    shift
    sources=
    while [ "$1" != -- ]; do
        sources="$sources $1"
        shift
    done
    shift
    objects=
    for source in $sources; do
        object=$program.$(basename "$source").o
        compile_one "$source" "$object" "$@"
        objects="$objects $object"
    done
    # shellcheck disable=SC2086 -- a list of words
    gcc -m32 -static -no-pie -nostdlib "$libraries/crt1.o" "$libraries/crti.o" "$gcc_parts/crtbeginT.o" $objects -Wl,--start-group \
        "$gcc_parts/libstdc++.a" "$gcc_parts/libgcc_eh.a" "$gcc_parts/libgcc.a" "$gcc_parts/libatomic.a" "$libraries/libm.a" "$libraries/libc.a" \
        -Wl,--end-group "$gcc_parts/crtend.o" "$libraries/crtn.o" -o "$program"
}

"$@"
