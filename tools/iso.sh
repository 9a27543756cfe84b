#!/bin/sh
# Makes a CD image that GRUB boots.
#
#     tools/iso.sh IMAGE 'COMMAND LINE' KERNEL MODULE...
set -eu
image=$1 command_line=$2 kernel=$3
shift 3

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/boot/grub"
# Without its debugging sections the kernel loads faster from an emulated CD.
objcopy --strip-debug "$kernel" "$stage/boot/belady.elf"
{
    echo 'set timeout=0'
    echo 'menuentry Belady {'
    echo "    multiboot /boot/belady.elf $command_line"
    for module in "$@"; do
        cp "$module" "$stage/boot/"
        echo "    module /boot/${module##*/} ${module##*/}"
    done
    echo '}'
} >"$stage/boot/grub/grub.cfg"
grub-mkrescue -d /usr/lib/grub/i386-pc --install-modules='multiboot normal' --fonts= --locales= --themes= \
    -o "$image" "$stage" >"$stage/log" 2>&1 || { cat "$stage/log" >&2; exit 1; }
