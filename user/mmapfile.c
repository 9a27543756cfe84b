/*
 * The same work on a file twice: by read and write, and by mapping it.
 *
 *     read, write     page cache ── copied ──> buffer ── work ── copied ──> page cache
 *     mapping         page cache <── work, in place; each page faults in once
 *
 * A call pays for each byte, and for entering the kernel once a block; a mapping pays
 * a fault for each page, and nothing for a page that was there. So small changes here
 * and there are cheap by mapping, and dear by calls; for reading from one end to the
 * other it depends on what a fault costs against the copy of a page.
 *
 * There is one page cache: what is written one way is there at once for the other.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "user/lib/measure.h"
#include "user/lib/story.h"
#include "user/lib/system.h"

#define FILE_NAME "/tmp/mmapfile"

enum {
    PAGES = 128,
    FILE_BYTES = PAGES * PAGE_SIZE,
    SMALL_BLOCK = PAGE_SIZE,
    LARGE_BLOCK = 16 * PAGE_SIZE,
    RECORD_BYTES = 64,
    CHANGES = 4096,             /* of records here and there */
    CHANGED_PAGES = 16,         /* the records lie on these, so each page is changed often */
    STRAY = 8,                  /* pages of stack, data and library that come in along the way */
};

static int file;
static char buffer[LARGE_BLOCK];
static long long calls, copied; /* system calls made for the work, and bytes that went through them */

static ssize_t
called(ssize_t bytes)
{
    calls++;
    copied += bytes > 0 ? bytes : 0;
    return bytes;
}

static char *
file_map(int protection, int kind)
{
    char *base = mmap(NULL, FILE_BYTES, protection, kind, file, 0);
    calls++;
    if (base == MAP_FAILED)
        fail("mmap");
    return base;
}

static void
file_unmap(char *base)
{
    munmap(base, FILE_BYTES);
    calls++;
}

/* ---- The work, both ways ----------------------------------------------- */

static uint32_t
sum_words(const char *bytes, size_t length)
{
    uint32_t sum = 0;
    for (const uint32_t *word = (const uint32_t *) bytes; (const char *) word < bytes + length; word++)
        sum += *word;
    return sum;
}

static uint32_t
sum_by_blocks(size_t block)
{
    uint32_t sum = 0;
    for (off_t place = 0; called(pread(file, buffer, block, place)) > 0; place += block)
        sum += sum_words(buffer, block);
    return sum;
}

static uint32_t
sum_by_small_reads(void)
{
    return sum_by_blocks(SMALL_BLOCK);
}

static uint32_t
sum_by_large_reads(void)
{
    return sum_by_blocks(LARGE_BLOCK);
}

static uint32_t
sum_by_mapping(void)
{
    char *base = file_map(PROT_READ, MAP_SHARED);
    uint32_t sum = sum_words(base, FILE_BYTES);
    file_unmap(base);
    return sum;
}

/* Where the record of a change lies: on one of a few pages that are spread over the file. */
static off_t
record_place(int change)
{
    uint32_t hash = change * 2654435761U;
    uint32_t page = hash % CHANGED_PAGES * (PAGES / CHANGED_PAGES), record = (hash >> 8) % (PAGE_SIZE / RECORD_BYTES);
    return page * PAGE_SIZE + record * RECORD_BYTES;
}

static uint32_t
change_by_calls(void)
{
    uint32_t record[RECORD_BYTES / sizeof(uint32_t)], sum = 0;

    for (int change = 0; change < CHANGES; change++) {
        called(pread(file, record, sizeof record, record_place(change)));
        sum += ++record[0];
        called(pwrite(file, record, sizeof record, record_place(change)));
    }
    return sum;
}

static uint32_t
change_by_mapping(void)
{
    char *base = file_map(PROT_READ | PROT_WRITE, MAP_SHARED);
    uint32_t sum = 0;

    for (int change = 0; change < CHANGES; change++)
        sum += ++*(uint32_t *) (base + record_place(change));
    file_unmap(base);
    return sum;
}

/* By how much the sum of all changes is larger if each of them has been made once more before. */
static uint32_t
growth(void)
{
    static uint32_t times[FILE_BYTES / RECORD_BYTES];
    uint32_t sum = 0;

    for (int change = 0; change < CHANGES; change++)
        times[record_place(change) / RECORD_BYTES]++;
    for (int change = 0; change < CHANGES; change++)
        sum += times[record_place(change) / RECORD_BYTES];
    return sum;
}

/* ---- What it costs ----------------------------------------------------- */

struct cost {
    uint32_t result;
    long long calls, copied, faults;
    uint64_t instructions;
};

static long
faults_so_far(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt + usage.ru_majflt;
}

static struct cost
work_measure(const char *way, uint32_t (*work)(void))
{
    calls = copied = 0;
    long faults = faults_so_far();
    uint64_t start = instructions_now();
    uint32_t result = work();
    uint64_t instructions = instructions_now() - start;
    struct cost cost = { result, calls, copied, faults_so_far() - faults, instructions };
    printf("    %-24s %12lld %12lld %8lld %14llu\n", way, cost.calls, cost.copied, cost.faults,
           (unsigned long long) cost.instructions);
    return cost;
}

static void
table_begin(void)
{
    printf("    %-24s %12s %12s %8s %14s\n", "way", "system calls", "bytes copied", "faults", "instructions");
}

/* The file is written once, and its pages are in memory from then on. */
static void
file_make(void)
{
    file = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
    unlink(FILE_NAME);
    for (int page = 0; page < PAGES; page++) {
        for (size_t i = 0; i < PAGE_SIZE / sizeof(uint32_t); i++)
            ((uint32_t *) buffer)[i] = page * 2654435761U + i;
        if (write(file, buffer, PAGE_SIZE) != PAGE_SIZE)
            fail(FILE_NAME);
    }
    pages_write(buffer, LARGE_BLOCK / PAGE_SIZE, 0);
}

static void
reading_show(void)
{
    story_tell("Adding up all words of a file of %d pages:", PAGES);
    table_begin();
    struct cost small = work_measure("read, 4 KiB at a time", sum_by_small_reads);
    struct cost large = work_measure("read, 64 KiB at a time", sum_by_large_reads);
    story_count();
    struct cost mapped = work_measure("mapping", sum_by_mapping);
    story_counted_silently();
    expect(small.result == mapped.result && large.result == mapped.result, "each way comes to the same sum");
    expect(mapped.calls == 2 && mapped.copied == 0, "mapping: one call to map, one to unmap, and no byte copied");
    expect_counter("pgfault", PAGES, story_entries_vanish() ? NO_LIMIT : PAGES + STRAY, "but each page faults in once");
    expect(large.copied == FILE_BYTES && large.calls < small.calls, "read: every byte is copied; a larger block makes fewer calls");
}

static void
changing_show(void)
{
    story_tell("Changing %d records of %d bytes, on %d of the pages:", CHANGES, RECORD_BYTES, CHANGED_PAGES);
    table_begin();
    struct cost called = work_measure("read and write", change_by_calls);
    story_count();
    struct cost mapped = work_measure("mapping", change_by_mapping);
    story_counted_silently();
    expect(called.calls == 2 * CHANGES, "by calls: a read and a write for each change");
    expect_counter("pgfault", CHANGED_PAGES, story_entries_vanish() ? NO_LIMIT : 2 * CHANGED_PAGES + STRAY,
                   "by mapping: a fault for each page, however often it is changed");
    expect(mapped.instructions < called.instructions, "which is less work");
    expect(mapped.result == called.result + growth(), "and each way found what the other had written");
}

/* ---- One page cache ---------------------------------------------------- */

static void
cache_show(void)
{
    char *one = file_map(PROT_READ | PROT_WRITE, MAP_SHARED), *other = file_map(PROT_READ, MAP_SHARED);
    char *own = file_map(PROT_READ | PROT_WRITE, MAP_PRIVATE), byte = 0;

    story_tell("The file is mapped three times: twice shared, once private.");
    one[0] = 'm';
    expect(pread(file, &byte, 1, 0) == 1 && byte == 'm', "read finds what was stored into a mapping, and nobody had to be told");
    expect(pwrite(file, "w", 1, 0) == 1 && one[0] == 'w' && other[0] == 'w', "the mappings show what was written by a call");
    if (pagemap_frame(one) == 0)
        story_skip("frame numbers are not shown to this user");
    else
        expect(pagemap_frame(one) == pagemap_frame(other) && pagemap_frame(own) == pagemap_frame(one),
               "all three show the same frame: the page is in memory once");
    own[0] = 'p';
    expect(other[0] == 'w' && own[0] == 'p', "the private mapping keeps a change to itself");
    if (pagemap_frame(one) != 0)
        expect(pagemap_frame(own) != pagemap_frame(one), "for which the page was copied");
    file_unmap(one);
    file_unmap(other);
    file_unmap(own);
}

int
main(void)
{
    story_begin("mmapfile", "The same work on a file by read and write, and by mapping it. A call copies, and costs for every block; "
                "a mapping costs a fault for every page, once, and copies nothing.");
    file_make();
    reading_show();
    changing_show();
    cache_show();
    return story_end();
}
