/*
 * A recorded run.
 *
 * A process's record is a row of entries: the pages that it referenced, a page that is used
 * several times in a row only once, and marks where pages lost their contents. A page that
 * is unmapped before it is used again has no next use.
 */
#include "mm/replay.h"

#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "mm/kmem.h"
#include "mm/policy.h"
#include "mm/replay_read.h"

/* An entry that is no reference: the page, or every page, is unmapped. */
#define MARK_UNMAP 0x80000000u
#define MARK_EXEC  0xFFFFFFFFu

/* Next uses stand in a table of two levels, like a page table's. */
#define LEAF_SHIFT   10u
#define LEAF_ENTRIES (1u << LEAF_SHIFT)

struct replay {
    u32 process;
    u32 *entries;
    u32 *next;                  /* by entry, if it is a reference: the index of the page's next one, or POLICY_NEVER */
    u32 count;
    u32 position;               /* all entries before it have been made; it is no mark */
    u32 last;                   /* the page of the last reference made; MARK_EXEC: none so far */
    u32 references;             /* made so far */
    u32 *uses[LEAF_ENTRIES];    /* the next use of each page, or POLICY_NEVER; NULL: of no page here */
};

static struct {
    const char *module;         /* NULL: there is none */
    const char *bytes;
    u32 count;
    const char *program;
    u32 program_bytes;
} recording;

bool
replay_is_recording(const void *bytes, u32 count)
{
    return replay_begins(bytes, count);
}

void
replay_load(const char *name, const void *bytes, u32 count)
{
    struct replay_reader reader;
    struct replay_record record;
    const char *program;
    u32 program_bytes;

    if (replay_open(&reader, bytes, count, &program, &program_bytes))
        while (replay_read(&reader, &record))
            ;
    if (reader.wrong) {
        log_warn("module %s: line %u of the recorded run: %s. It is not used", name, reader.line, reader.wrong);
        return;
    }
    log_info("module %s: a recorded run of %.*s", name, (int)program_bytes, program);
    recording.module = name;
    recording.bytes = bytes;
    recording.count = count;
    recording.program = program;
    recording.program_bytes = program_bytes;
}

bool
replay_exists(void)
{
    return recording.module;
}

bool
replay_wants(const char *path)
{
    return recording.module && strlen(path) == recording.program_bytes
        && memcmp(path, recording.program, recording.program_bytes) == 0;
}

/* ---- Next uses --------------------------------------------------------- */

u32
replay_next_use(struct replay *replay, u32 page)
{
    const u32 *leaf = page < LEAF_ENTRIES * LEAF_ENTRIES ? replay->uses[page >> LEAF_SHIFT] : NULL;

    return leaf ? leaf[page % LEAF_ENTRIES] : POLICY_NEVER;
}

static bool
use_set(struct replay *replay, u32 page, u32 use)
{
    u32 **leaf = &replay->uses[page >> LEAF_SHIFT & (LEAF_ENTRIES - 1)];

    if (!*leaf) {
        *leaf = kmem_allocate(LEAF_ENTRIES * sizeof(**leaf));
        if (!*leaf)
            return false;
        memset(*leaf, 0xff, LEAF_ENTRIES * sizeof(**leaf));
    }
    (*leaf)[page % LEAF_ENTRIES] = use;
    return true;
}

static void
uses_forget(struct replay *replay)
{
    for (u32 i = 0; i < LEAF_ENTRIES; i++)
        if (replay->uses[i])
            memset(replay->uses[i], 0xff, LEAF_ENTRIES * sizeof(*replay->uses[i]));
}

/* ---- The record of a process ------------------------------------------- */

/* Writes the process's entries, if there is a place for them, and counts them. */
static u32
entries_read(u32 process, u32 *entries)
{
    struct replay_reader reader;
    struct replay_record record = {0};
    const char *program;
    u32 count = 0, last = MARK_EXEC, bytes;

    replay_open(&reader, recording.bytes, recording.count, &program, &bytes);
    while (replay_read(&reader, &record)) {
        u32 entry = record.page;

        if (record.event == TRACE_UNMAP)
            entry |= MARK_UNMAP;
        else if (record.event == TRACE_EXEC)
            entry = MARK_EXEC;
        else if (record.event > TRACE_EXECUTE)
            continue;
        if (record.process != process || entry == last)
            continue;
        if (!(entry & MARK_UNMAP))
            last = entry;
        if (entries)
            entries[count] = entry;
        count++;
    }
    return count;
}

/* From the end backwards, so that each page's next use is at hand; in the end that is its
 * first. */
static bool
next_find(struct replay *replay)
{
    for (u32 i = replay->count; i-- > 0; ) {
        u32 entry = replay->entries[i], page = entry & ~MARK_UNMAP;

        if (entry == MARK_EXEC) {
            uses_forget(replay);
            continue;
        }
        replay->next[i] = replay_next_use(replay, page);
        if (!use_set(replay, page, entry & MARK_UNMAP ? POLICY_NEVER : i))
            return false;
    }
    return true;
}

/* Passes over marks: the next entry is a reference. */
static void
replay_pass_marks(struct replay *replay)
{
    while (replay->position < replay->count && replay->entries[replay->position] & MARK_UNMAP)
        replay->position++;
}

struct replay *
replay_start(u32 process)
{
    u32 count = recording.module ? entries_read(process, NULL) : 0;
    struct replay *replay = count ? kmem_allocate_zeroed(sizeof(*replay)) : NULL;

    if (!replay)
        return NULL;
    *replay = (struct replay){
        .process = process,
        .entries = kmem_allocate(count * sizeof(u32)),
        .next = kmem_allocate(count * sizeof(u32)),
        .count = count,
        .last = MARK_EXEC,
    };
    if (replay->entries && replay->next) {
        entries_read(process, replay->entries);
        if (next_find(replay)) {
            replay_pass_marks(replay);
            return replay;
        }
    }
    log_warn("replay: no memory for the %u references of process %u", count, process);
    replay_end(replay);
    return NULL;
}

void
replay_end(struct replay *replay)
{
    for (u32 i = 0; i < LEAF_ENTRIES; i++)
        kmem_free(replay->uses[i]);
    kmem_free(replay->entries);
    kmem_free(replay->next);
    kmem_free(replay);
}

/* ---- Following it ------------------------------------------------------ */

bool
replay_permits(struct replay *replay, u32 page)
{
    if (page == replay->last || (replay->position < replay->count && replay->entries[replay->position] == page))
        return true;
    if (replay->position == replay->count)
        log_warn("replay: process %u departs from the recorded run at reference %u: that has ended, and page %x is "
                 "wanted. No more opt, but clock", replay->process, replay->references, page);
    else
        log_warn("replay: process %u departs from the recorded run at reference %u: page %x was recorded, and page "
                 "%x is wanted. No more opt, but clock", replay->process, replay->references,
                 replay->entries[replay->position], page);
    return false;
}

void
replay_advance(struct replay *replay, u32 page)
{
    if (page == replay->last)
        return;
    use_set(replay, page, replay->next[replay->position++]);
    replay->last = page;
    replay->references++;
    replay_pass_marks(replay);
}
