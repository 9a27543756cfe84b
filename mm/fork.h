/*
 * fork: cloning an address space. fork= says how (fork.c draws the three kinds).
 */
#pragma once

#include "mm/aspace.h"

/* A copy with one reference; NULL if there is no memory, and then the parent is
 * unchanged. fork=cow and fork=copy may evict and sleep; the parent's regions must
 * not change meanwhile. */
struct aspace *fork_aspace(struct aspace *parent);
