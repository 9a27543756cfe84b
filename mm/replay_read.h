/*
 * Reading a trace in the kernel, in either form (tools/pagesim/FORMAT.md). For
 * mm/replay.c only.
 */
#pragma once

#include "kernel/types.h"
#include "mm/trace_form.h"

/* What a trace says next. */
struct replay_record {
    enum trace_event event;
    u32 process;
    u32 page;                   /* of events of pages */
};

struct replay_reader {
    const char *at, *end;
    bool binary;
    u32 line;                   /* from 1; in a binary trace the record */
    u32 header_process;
    u32 process, page;          /* of the last record */
    const char *wrong;          /* what is wrong with the trace; NULL: nothing so far */
};

/* Whether these bytes begin as a trace does. */
bool replay_begins(const char *bytes, u32 count);

/* Reads the first line. False, and reader->wrong is set, if that is malformed. program
 * becomes what it names, not terminated, program_bytes long. */
bool replay_open(struct replay_reader *reader, const char *bytes, u32 count, const char **program,
                 u32 *program_bytes);

/* Reads the next record; false at the end, or where it is malformed. */
bool replay_read(struct replay_reader *reader, struct replay_record *record);
