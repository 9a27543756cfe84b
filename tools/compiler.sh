#!/bin/sh
# Chooses the compiler: the first of the candidates that really compiles and links freestanding 32-bit C.
#
#     tools/compiler.sh find          prints it as "PREFIX|FLAGS"; fails if there is none
#     tools/compiler.sh write FILE    writes it as make variables
#
# CROSS=PREFIX in the environment leaves that one candidate only.
set -eu

compiles() # PREFIX FLAGS
{
    # shellcheck disable=SC2086 -- FLAGS is a list of words
    echo 'int probe(int a) { return a * 2; }' |
        "$1gcc" $2 -ffreestanding -nostdlib -static -no-pie -Wl,-e,probe -Wl,--build-id=none -x c - -o /dev/null 2>/dev/null
}

find_compiler()
{
    if [ -n "${CROSS:-}" ]; then
        candidates="$CROSS|-m32"
    else
        candidates="i686-linux-gnu-|-m32 i686-elf-|-m32 x86_64-elf-|-m32 |-m32"
    fi
    for candidate in $candidates; do
        if command -v "${candidate%|*}gcc" >/dev/null && compiles "${candidate%|*}" "${candidate#*|}"; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

has_libgcc() # PREFIX FLAGS: whether it brings the 32-bit support library that user programs need
{
    # shellcheck disable=SC2086
    echo 'unsigned long long probe(unsigned long long a, unsigned long long b) { return a / b; }' |
        "$1gcc" $2 -ffreestanding -nostdlib -static -no-pie -Wl,-e,probe -x c - -lgcc -o /dev/null 2>/dev/null
}

write_make_variables()
{
    found=$(find_compiler)
    prefix=${found%|*}
    flags=${found#*|}
    echo "# Written by tools/compiler.sh."
    echo "CROSS_ASKED := ${CROSS:-}"
    echo "CROSS_PREFIX := $prefix"
    echo "CROSS_FLAGS := $flags"
    echo "COMPILER_VERSION := $("${prefix}gcc" -dumpversion | cut -d. -f1)"
    echo "COMPILER_HEADERS := $("${prefix}gcc" "$flags" -print-file-name=include)"
    # shellcheck disable=SC2086
    if has_libgcc "$prefix" $flags; then
        echo "LIBGCC := -lgcc"
    else
        # tools/sysroot.sh sees this path and fetches the package.
        echo "LIBGCC := ${BUILD:-build}/sysroot/libgcc.a"
    fi
}

case $1 in
find) find_compiler ;;
write)
    mkdir -p "$(dirname "$2")"
    write_make_variables >"$2.new"
    mv "$2.new" "$2"
    ;;
esac
