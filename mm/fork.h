/*
 * fork=cow and fork=copy: what fork costs without shared chunks, for comparison.
 */
#pragma once

#include "mm/aspace.h"

/* Each fills the child's region with what the parent's has: false if there is no
 * memory. May sleep and evict; the parent's regions do not change meanwhile. */
bool fork_region_cow(struct aspace *parent, struct region *from, struct aspace *child, struct region *to);
bool fork_region_copy(struct aspace *parent, struct region *from, struct aspace *child, struct region *to);
