#!/usr/bin/env python3
"""Writes the kernel's own symbol table, for backtraces, as C.

    nm -n KERNEL | tools/symbols.py > symbols.c

Only code has names here. The table is linked at the very end of the read-only data, behind all code, so that linking it in moves no
function, and a table made from a kernel with an empty one is right for the kernel with the full one.
Empty input makes the empty table of that first kernel.
"""
import sys


def code_symbols(lines):
    """Yields (address, name) in the order of addresses; one name for each address."""
    last_address = None
    for line in lines:
        address, kind, name = line.split()
        # Assembler-local labels tell a reader less than the function they stand in.
        if kind in "tT" and not name.startswith(".") and address != last_address:
            last_address = address
            yield address, name


def main():
    symbols = list(code_symbols(sys.stdin))
    print("/* Written by tools/symbols.py. */")
    print('#include "kernel/symbols.h"\n')
    print("const struct kernel_symbol kernel_symbols[] = {")
    for address, name in symbols:
        print(f'    {{ 0x{address}, "{name}" }},')
    if not symbols:
        print('    { 0, "" },')
    print("};")
    print(f"const unsigned kernel_symbol_count = {len(symbols)};")


main()
