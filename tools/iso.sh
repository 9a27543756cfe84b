#!/bin/sh
# Makes a CD image that GRUB boots.
#
#     tools/iso.sh IMAGE 'COMMAND LINE' KERNEL MODULE...
set -eu
image=$1 command_line=$2 kernel=$3
shift 3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/boot/grub"
cp "$kernel" "$work/root/boot/belady.elf"
{
    echo 'set timeout=0'
    echo 'menuentry Belady {'
    echo "    multiboot /boot/belady.elf $command_line"
    for module in "$@"; do
        cp "$module" "$work/root/boot/"
        echo "    module /boot/${module##*/} ${module##*/}"
    done
    echo '}'
} >"$work/root/boot/grub/grub.cfg"
grub-mkrescue -d /usr/lib/grub/i386-pc --install-modules='multiboot normal' --fonts= --locales= --themes= \
    -o "$image" "$work/root" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
