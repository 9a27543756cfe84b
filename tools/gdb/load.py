"""Loads the `bel' commands into gdb: `source tools/gdb/load.py'. `make debug' does it."""
import pathlib
import sys

# All that is built lies in build/: no compiled copies beside the sources.
sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import bel  # noqa: E402 -- found through the path set above

bel.load()
