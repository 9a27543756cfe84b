/*
 * Ten thousand mappings in one process, and as many as /proc/sys/vm/max_map_count allows: then mmap, mprotect, mremap
 * and a munmap that would make two mappings of one answer ENOMEM, and lose nothing; what makes none more still works.
 */
#define _GNU_SOURCE /* mremap */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { PAGE = 4096, MANY = 10000 };

static char *many[MANY];

/* Neighbours differ in their protection, so that each stays a mapping of its own. */
static int
protection_of(int i)
{
    return i % 2 ? PROT_READ | PROT_WRITE | PROT_EXEC : PROT_READ | PROT_WRITE;
}

static char *
map_page(int i)
{
    return mmap(NULL, PAGE, protection_of(i), MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static bool
map_every(int first, int step)
{
    for (int i = first; i < MANY; i += step) {
        many[i] = map_page(i);
        if (many[i] == MAP_FAILED)
            return false;
        *(int *) many[i] = i;
    }
    return true;
}

static bool
each_holds_its_number(void)
{
    for (int i = 0; i < MANY; i++) {
        if (*(int *) many[i] != i)
            return false;
    }
    return true;
}

static void
ten_thousand(void)
{
    bool unmapped = true;

    check_that(map_every(0, 1), "%d mappings are made", MANY);
    check_that(each_holds_its_number(), "each is a page of its own");
    for (int i = 0; i < MANY; i += 3)
        unmapped &= munmap(many[i], PAGE) == 0;
    check_that(unmapped, "every third is taken away");
    check_that(map_every(0, 3), "and made again");
    check_that(each_holds_its_number(), "the new ones lie on none of the old");
    for (int i = 0; i < MANY; i++)
        unmapped &= munmap(many[i], PAGE) == 0;
    check_that(unmapped, "all are taken away");
}

/* ---- The limit ---- */

static int
number_in(const char *name)
{
    char text[32] = "";
    int file = open(name, O_RDONLY);
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    return length > 0 ? atoi(text) : -1;
}

static int
lines_in(const char *name)
{
    char text[PAGE];
    ssize_t length;
    int lines = 0, file = open(name, O_RDONLY);
    while ((length = read(file, text, sizeof text)) > 0) {
        for (ssize_t i = 0; i < length; i++)
            lines += text[i] == '\n';
    }
    close(file);
    return lines;
}

/* Makes every second page of `area` readable, until that is refused; the number of pages that are. */
static int
split_until_refused(char *area, int pages)
{
    int count = 0;

    while (2 * count + 1 < pages && mprotect(area + (2 * count + 1) * PAGE, PAGE, PROT_READ) == 0)
        count++;
    return count;
}

/* A page that is never one mapping with its neighbours. */
static char *
map_shared(void)
{
    return mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static bool
mapping_refused(void *result)
{
    return result == MAP_FAILED && errno == ENOMEM;
}

static void
at_the_limit(char *area, char *moved, char *wide)
{
    /* Linux lets mmap make one more than it lets the others. */
    check_that(map_shared() != MAP_FAILED, "mmap at the limit succeeds once");
    check_that(mapping_refused(map_shared()), "mmap beyond the limit: ENOMEM");
    check_that(mprotect(wide + PAGE, PAGE, PROT_READ) < 0 && errno == ENOMEM, "mprotect that splits: ENOMEM");
    check_that(munmap(wide + PAGE, PAGE) < 0 && errno == ENOMEM, "munmap that splits: ENOMEM");
    check_that(mapping_refused(mremap(moved, PAGE, 2 * PAGE, MREMAP_MAYMOVE)), "mremap that moves: ENOMEM");
    check_that(*moved == 'm' && wide[PAGE] == 0, "what was refused is as before");
    check_that(munmap(wide + 2 * PAGE, PAGE) == 0, "munmap of a mapping's end succeeds");
    check_that(munmap(area, 100 * PAGE) == 0, "munmap of a hundred succeeds");
    check_that(mprotect(wide, PAGE, PROT_READ) == 0, "then there is room again");
}

static void
limit(void)
{
    int most = number_in("/proc/sys/vm/max_map_count"), pages = 2 * most, before, made;
    /* Executable, between others that are not: no neighbour can be one with it. */
    char *wide = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *area = mmap(NULL, (size_t) pages * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    char *moved = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    check_that(most == 65530, "max_map_count is 65530, as on Linux");
    check_that(wide != MAP_FAILED && area != MAP_FAILED && moved != MAP_FAILED, "an area to split is there");
    *moved = 'm';
    before = lines_in("/proc/self/maps");
    made = before + 2 * split_until_refused(area, pages);
    check_that(errno == ENOMEM, "splitting on and on ends with ENOMEM");
    check_that(made >= most - 2 && made <= most, "at max_map_count mappings");
    at_the_limit(area, moved, wide);
    munmap(area, (size_t) pages * PAGE);
}

int
main(void)
{
    ten_thousand();
    limit();
    return check_end();
}
