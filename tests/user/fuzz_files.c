/*
 * Random reads, writes, mapped accesses, truncations, holes, evictions and syncs on a file, held
 * against a model in memory: all ways to a file lead to the same bytes. One file came with
 * the image, which ends within a page; one is new. `fuzz_files SEED` repeats a run.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/random.h"
#include "user/lib/counters.h"

enum { PAGE = 4096, PAGES = 40, BYTES = PAGES * PAGE, STEPS = 3000, CHUNK = 3 * PAGE };

/* Linux from 5.4. */
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static char model[BYTES], buffer[CHUNK];
static int size;        /* of the file */
static int file;
static char *shared;    /* a mapping of PAGES pages */

static int
random_below(int limit)
{
    return (int) draw((uint32_t) limit);
}

static int
minimum(int one, int other)
{
    return one < other ? one : other;
}

static bool
step_read(void)
{
    int offset = random_below(BYTES), count = random_below(CHUNK) + 1, there = minimum(count, size - offset);

    if (there < 0)
        there = 0;
    return pread(file, buffer, count, offset) == there && memcmp(buffer, model + offset, there) == 0;
}

/* Bytes between the old end and the new one are zero. */
static void
model_extend(int end)
{
    if (end > size) {
        memset(model + size, 0, end - size);
        size = end;
    }
}

static bool
step_write(void)
{
    int offset = random_below(BYTES - CHUNK), count = random_below(CHUNK) + 1;

    memset(buffer, random_below(256), count);
    model_extend(offset);
    memcpy(model + offset, buffer, count);
    size = size > offset + count ? size : offset + count;
    return pwrite(file, buffer, count, offset) == count;
}

/* A byte within the file, by the mapping: read, or written. */
static bool
step_touch(void)
{
    int at = size > 0 ? random_below(size) : 0;

    if (size == 0)
        return true;
    if (random_below(2))
        return shared[at] == model[at];
    shared[at] = model[at] = (char) random_below(256);
    return true;
}

static bool
step_truncate(void)
{
    int length = random_below(4) ? random_below(BYTES) : random_below(PAGES) * PAGE;

    model_extend(length);
    size = length;
    return ftruncate(file, length) == 0;
}

static bool
step_punch(void)
{
    int offset = random_below(BYTES), count = random_below(CHUNK) + 1, there = minimum(count, size - offset);

    if (there > 0)
        memset(model + offset, 0, there);
    return fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count) == 0;
}

static bool
step_evict(void)
{
    int first = random_below(PAGES), count = random_below(PAGES - first) + 1;

    madvise(shared + first * PAGE, count * PAGE, MADV_PAGEOUT);
    return true;
}

static bool
step_sync(void)
{
    if (random_below(2))
        return fsync(file) == 0;
    return msync(shared, BYTES, random_below(2) ? MS_SYNC : MS_ASYNC) == 0;
}

static bool
step_remap(void)
{
    munmap(shared, BYTES);
    shared = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    return shared != MAP_FAILED;
}

static const struct {
    const char *name;
    bool (*run)(void);
    int weight;
} steps[] = {
    { "read", step_read, 25 },      { "write", step_write, 20 },  { "touch", step_touch, 40 }, { "truncate", step_truncate, 3 },
    { "punch", step_punch, 5 },     { "evict", step_evict, 5 },   { "sync", step_sync, 5 },    { "remap", step_remap, 2 },
};

static const char *
step_run(void)
{
    int choice = random_below(105), i = 0;

    while (choice >= steps[i].weight)
        choice -= steps[i++].weight;
    return steps[i].run() ? NULL : steps[i].name;
}

static void
fuzz(const char *name)
{
    struct stat status;
    const char *wrong = NULL;
    int step = 0;

    file = open(name, O_RDWR | O_CREAT, 0600);
    fstat(file, &status);
    size = minimum((int) status.st_size, BYTES - 100);
    if (size < status.st_size)
        ftruncate(file, size);
    memset(model, 0, sizeof model);
    pread(file, model, size, 0);
    shared = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    while (step < STEPS && !wrong) {
        wrong = step_run();
        step++;
    }
    check_that(!wrong, "%s: all ways agree%s%s", name, wrong ? ", but not " : "", wrong ? wrong : "");
    if (wrong)
        check_note("step %d, size %d", step, size);
    munmap(shared, BYTES);
    bool right = fstat(file, &status) == 0 && status.st_size == size;
    for (int at = 0; at < size && right; at += CHUNK)
        right = pread(file, buffer, minimum(CHUNK, size - at), at) == minimum(CHUNK, size - at)
                && memcmp(buffer, model + at, minimum(CHUNK, size - at)) == 0;
    check_that(right, "%s: in the end the file is what the model is", name);
    close(file);
}

int
main(int count, char **arguments)
{
    struct counters now;

    random_state = count > 1 ? (uint32_t) strtoul(arguments[1], NULL, 0) : 20261121;
    check_note("seed %u", random_state);
    counters_prepare(&now, COUNTERS_OF_SYSTEM);
    counters_take(&now, COUNTERS_OF_SYSTEM);
    fuzz("/dev/shm/fuzz_files");
    unlink("/dev/shm/fuzz_files");
    if (counter_value(&now, "file_write_back") != COUNTER_MISSING)
        fuzz("/bin/mksh");
    else
        check_skip("a file of the image");
    return check_end();
}
