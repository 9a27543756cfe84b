/*
 * fork: cloning an address space. fork= says how (fork.c draws the three kinds).
 */
#pragma once

#include "mm/aspace.h"

/* A copy with one reference; NULL if there is no memory, and then the parent is
 * unchanged. May evict and sleep. If other threads change the parent's regions
 * meanwhile, the copy is begun anew. */
struct aspace *fork_aspace(struct aspace *parent);
