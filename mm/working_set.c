/*
 * Working sets: the record of when pages were last used.
 *
 * Invariants: spans are disjoint and in address order; no page was used later than
 * now. A span of which no page is in the window is given back at the next sample,
 * so a record is never much larger than the set.
 */
#include "mm/working_set.h"

#include "kernel/command_line.h"
#include "mm/frame.h"
#include "mm/kmem_cache.h"

#define WINDOW_LEAST    10u
#define WINDOW_GREATEST 60000u

u32 working_set_window = 100;
BOOT_NUMBER(workingset_window, working_set_window, WINDOW_LEAST, WINDOW_GREATEST,
            "processor time for which a used page belongs to the working set, in milliseconds");

/* Uses are noted while frames are being made free, too. The last ones are not taken for that. */
#define FRAMES_LEFT 32u

u32 working_set_count;

static struct kmem_cache set_cache = KMEM_CACHE("working_set", sizeof(struct working_set), 4);
static struct kmem_cache span_cache = KMEM_CACHE("working_set_span", sizeof(struct working_set_span), 4);

static int
span_compare(const struct working_set_span *a, const struct working_set_span *b)
{
    return a->first < b->first ? -1 : a->first > b->first;
}

/* Not RB_GENERATE_STATIC, which relies on an __unused that libbsd does not define. */
RB_GENERATE_INTERNAL(working_set_tree, working_set_span, link, span_compare, static __attribute__((unused)))

struct working_set *
working_set_create(u32 time)
{
    struct working_set *set = kmem_cache_allocate(&set_cache);

    if (!set)
        return NULL;
    RB_INIT(&set->spans);
    set->recent = NULL;
    set->time = set->sampled = time;
    working_set_count++;
    return set;
}

static void
span_destroy(struct working_set *set, struct working_set_span *span)
{
    RB_REMOVE(working_set_tree, &set->spans, span);
    set->recent = NULL;
    kmem_cache_free(&span_cache, span);
}

void
working_set_destroy(struct working_set *set)
{
    struct working_set_span *span, *next;

    RB_FOREACH_SAFE(span, working_set_tree, &set->spans, next)
        span_destroy(set, span);
    kmem_cache_free(&set_cache, set);
    working_set_count--;
}

/* The span with the page, or NULL. */
static struct working_set_span *
span_find(struct working_set *set, page_t page)
{
    struct working_set_span wanted;

    wanted.first = page.number & ~(WORKING_SET_SPAN_PAGES - 1);
    if (!set->recent || set->recent->first != wanted.first)
        set->recent = RB_FIND(working_set_tree, &set->spans, &wanted);
    return set->recent;
}

/* The same, made if there is none; NULL without memory. */
static struct working_set_span *
span_get(struct working_set *set, page_t page)
{
    struct working_set_span *span = span_find(set, page);

    if (span || frame_free_count() <= FRAMES_LEFT)
        return span;
    span = kmem_cache_allocate_zeroed(&span_cache);
    if (!span)
        return NULL;
    span->first = page.number & ~(WORKING_SET_SPAN_PAGES - 1);
    RB_INSERT(working_set_tree, &set->spans, span);
    return span;
}

bool
working_set_note(struct working_set *set, page_t page)
{
    struct working_set_span *span = span_get(set, page);

    if (span)
        span->used[page.number % WORKING_SET_SPAN_PAGES] = set->time + 1;
    return span != NULL;
}

static bool
is_in_window(const struct working_set *set, u32 used)
{
    return used && set->time + 1 - used < working_set_window;
}

static bool
span_is_outside(const struct working_set *set, const struct working_set_span *span)
{
    for (u32 i = 0; i < WORKING_SET_SPAN_PAGES; i++)
        if (is_in_window(set, span->used[i]))
            return false;
    return true;
}

void
working_set_expire(struct working_set *set)
{
    struct working_set_span *span, *next;

    set->sampled = set->time;
    RB_FOREACH_SAFE(span, working_set_tree, &set->spans, next)
        if (span_is_outside(set, span))
            span_destroy(set, span);
}

u32
working_set_select(const struct working_set *set, bool (*counts)(void *context, page_t page), void *context)
{
    struct working_set_span *span;
    u32 pages = 0;

    RB_FOREACH(span, working_set_tree, (struct working_set_tree *)&set->spans)
        for (u32 i = 0; i < WORKING_SET_SPAN_PAGES; i++)
            pages += is_in_window(set, span->used[i]) && counts(context, (page_t){span->first + i});
    return pages;
}

static bool
every_page(void *context, page_t page)
{
    (void)context;
    (void)page;
    return true;
}

u32
working_set_pages(const struct working_set *set)
{
    return working_set_select(set, every_page, NULL);
}

bool
working_set_has(struct working_set *set, page_t page)
{
    struct working_set_span *span = span_find(set, page);

    return span && is_in_window(set, span->used[page.number % WORKING_SET_SPAN_PAGES]);
}

const char *
working_set_check(const struct working_set *set)
{
    struct working_set_span *span;
    u32 end = 0;

    if (set->sampled > set->time)
        return "a working set was sampled in the future";
    RB_FOREACH(span, working_set_tree, (struct working_set_tree *)&set->spans) {
        if (span->first % WORKING_SET_SPAN_PAGES || span->first < end)
            return "a working set's spans overlap or are out of order";
        end = span->first + WORKING_SET_SPAN_PAGES;
        for (u32 i = 0; i < WORKING_SET_SPAN_PAGES; i++)
            if (span->used[i] > set->time + 1)
                return "a working set has a page that was used in the future";
    }
    return NULL;
}
