/*
 * A recorded run: the references of an earlier trace of the same deterministic program,
 * from which policy=opt knows the future ("predict by runs").
 *
 * The recording is a trace in text or binary (mm/trace.h), handed over as a boot module.
 * The program that its first line names is traced again, and each process is held
 * against what the one of the same number did then: page by page, whatever it does
 * with them. References to one page in a row count as one, so that a fault that comes
 * again makes no difference. A process that departs from the record goes on under clock.
 *
 *     recorded   8048  bffff  8048 | 804a  ...        next use of 8048: never, of bffff: ...
 *     now        8048  bffff  8048 | position
 */
#pragma once

#include "kernel/types.h"

struct replay;

/* Whether these bytes begin as a trace does. */
bool replay_is_recording(const void *bytes, u32 count);

/* Takes what a module holds for the record of the run to come; the bytes must stay. One
 * that is damaged is named with the reason in the log, and there is none. Boot only, and
 * after kmem. */
void replay_load(const char *name, const void *bytes, u32 count);

bool replay_exists(void);

/* Whether the recorded program is the one at path. */
bool replay_wants(const char *path);

/* The record of the process with this number, from its beginning; NULL if it was not
 * recorded, or there is no memory. */
struct replay *replay_start(u32 process);
void replay_end(struct replay *replay);

/* Whether it is this page's turn. If not, the log says so. */
bool replay_permits(struct replay *replay, u32 page);

/* A reference to the page, which is permitted, is made. */
void replay_advance(struct replay *replay, u32 page);

/* When the page will be used next, in references; POLICY_NEVER. */
u32 replay_next_use(struct replay *replay, u32 page);
