#!/usr/bin/env python3
"""The unit tests that run on the host: build/host/NAME for each tests/host/NAME.c, under the sanitizers."""
from harness import *


def host_test(t, name):
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", UBSAN_OPTIONS="print_stacktrace=1")
    output = t.run([BUILD / "host" / name], "ends with status 0", env=environment)
    t.pass_on(output)


for source in sorted(ROOT.glob("tests/host/*.c")):
    case(source.stem, source.stem)(host_test)

main()
