"""What tools/gdb/selftest.py runs inside gdb: each module tries the commands on a running machine."""
