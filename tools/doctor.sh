#!/bin/sh
# Prints what this machine has, and what is wrong with it; installs nothing. Fails if something is missing.
set -u
cd "$(dirname "$0")/.."

show() # COMMAND...: the first line of a tool's version
{
    if command -v "$1" >/dev/null; then
        printf '%-22s%s\n' "$1" "$("$@" 2>&1 </dev/null | sed 's|^ *||' | grep -m 1 -E '[0-9]\.[0-9]')"
    else
        printf '%-22s%s\n' "$1" "missing"
    fi
}

printf '%-22s%s\n' host "$(. /etc/os-release && echo "$PRETTY_NAME") $(uname -m), $(nproc) processors"
if compiler=$(tools/compiler.sh find); then
    show "${compiler%|*}gcc" --version
    printf '%-22s%s\n' "compiler flags" "${compiler#*|}"
else
    printf '%-22s%s\n' compiler "none that compiles 32-bit freestanding C"
fi
show make --version
show python3 --version
show cpio --version
show qemu-system-i386 --version
show gdb --version
show grub-mkrescue --version
show xorriso --version
show bochs --help
show prove --version
show g++ --version
show ctags --version
for package in "${BUILD:-build}"/packages/*.deb; do
    [ -e "$package" ] && printf '%-22s%s\n' "i386 package" "${package##*/}"
done

SETUP=no tools/setup.sh build run iso debug test || exit 1
echo "Nothing is missing."
