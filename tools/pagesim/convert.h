/*
 * Writing a trace anew in one of the kernel's formats.
 */
#pragma once

#include "tools/pagesim/trace.h"

/* Reads the trace to its end and writes it to the standard output. */
void convert(struct trace *trace, bool binary);
