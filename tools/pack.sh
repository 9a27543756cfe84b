#!/bin/sh
# Packs DIRECTORY into a cpio archive (newc) whose bytes depend on nothing but names, modes and contents.
#
#     tools/pack.sh DIRECTORY ARCHIVE
set -eu
archive=$(realpath "$2")
cd "$1"
find . -exec touch -h -d @0 {} +
find . -mindepth 1 | LC_ALL=C sort | cpio --quiet --reproducible -H newc -o -R 0:0 >"$archive.new"
mv "$archive.new" "$archive"
