#!/bin/sh
# Makes a cpio archive of unmodified Linux programs, to be laid over the root:
#
#     tools/rootfs.sh busybox ARCHIVE     busybox-static (glibc): its applets as links, ash as /bin/sh
#     tools/rootfs.sh bash ARCHIVE        bash-static (glibc) as /bin/bash
set -eu
cd "$(dirname "$0")/.."
build=$(realpath "${BUILD:-build}")
root=$build/rootfs/$1
archive=$(realpath "$2")

tools/sysroot.sh "$1-static"
rm -rf "$root"
mkdir -p "$root/bin" "$root/etc"
find "$build/rootfs/$1-static" -type f \( -name busybox -o -name bash-static \) -path '*bin/*' -exec cp {} "$root/bin/$1" \;
chmod 755 "$root/bin/$1"
printf 'root:x:0:0:root:/:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\n' >"$root/etc/group"
if [ "$1" = busybox ]; then
    # init is Belady's own: it ends the machine with the shell's status.
    "$root/bin/busybox" --list | grep -vx -e busybox -e init | while read -r applet; do
        ln -s busybox "$root/bin/$applet"
    done
fi
tools/pack.sh "$root" "$archive"
