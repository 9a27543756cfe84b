/*
 * The system's counters. Each is incremented where its event happens; an
 * address space's own set lives in struct aspace.
 */
#include "mm/counters.h"

struct counters counters;
