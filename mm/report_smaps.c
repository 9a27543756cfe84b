/*
 * /proc/PID/smaps: what memory each mapping uses, and smaps_rollup: all of them together.
 */
#include "mm/report.h"
#include "mm/usage.h"

#define KIB_OF_BYTES(bytes) ((bytes) >> 10)

static void
smaps_line(struct text_buffer *text, const char *name, u32 kib)
{
    text_print(text, "%-16s%8u kB\n", name, kib);
}

static void
smaps_usage(const struct usage *usage, struct text_buffer *text)
{
    smaps_line(text, "Shared_Clean:", pages_in_kib(usage->shared_clean));
    smaps_line(text, "Shared_Dirty:", pages_in_kib(usage->shared_dirty));
    smaps_line(text, "Private_Clean:", pages_in_kib(usage->private_clean));
    smaps_line(text, "Private_Dirty:", pages_in_kib(usage->private_dirty));
    smaps_line(text, "Referenced:", pages_in_kib(usage->referenced));
    smaps_line(text, "Anonymous:", pages_in_kib(usage->anonymous));
    smaps_line(text, "Swap:", pages_in_kib(usage->swapped));
    smaps_line(text, "SwapPss:", KIB_OF_BYTES(usage->proportional_swapped));
    smaps_line(text, "Locked:", KIB_OF_BYTES(usage->locked));
}

/* Linux's two letters for what is true of a mapping. */
static void
smaps_flags(const struct region *region, struct text_buffer *text)
{
    bool shared = region->flags & REGION_SHARED;
    const struct {
        const char *name;
        bool holds;
    } flags[] = {
        {"rd", region->protection & REGION_READ},
        {"wr", region->protection & REGION_WRITE},
        {"ex", region->protection & REGION_EXECUTE},
        {"sh", shared},
        {"mr", region->maximum & REGION_READ},
        {"mw", region->maximum & REGION_WRITE},
        {"me", region->maximum & REGION_EXECUTE},
        {"ms", shared},
        {"gd", region->flags & REGION_STACK},
        {"lo", region->flags & REGION_LOCKED},
        {"dc", region->flags & REGION_NO_FORK},
        {"lf", region->flags & REGION_LOCK_ON_FAULT},
        {"ac", !shared && region->protection & REGION_WRITE},
        {"wf", region->flags & REGION_WIPE_FORK},
    };

    text_print(text, "VmFlags:");
    for (u32 i = 0; i < ARRAY_SIZE(flags); i++)
        if (flags[i].holds)
            text_print(text, " %s", flags[i].name);
    text_print(text, " \n");
}

void
report_smaps(struct aspace *aspace, struct text_buffer *text)
{
    for (struct region *region = region_first(&aspace->regions); region; region = region_next(region)) {
        struct usage usage = {0};

        usage_add_region(aspace, region, &usage);
        report_mapping(aspace, region, text);
        smaps_line(text, "Size:", pages_in_kib(region->end.number - region->start.number));
        smaps_line(text, "KernelPageSize:", pages_in_kib(1));
        smaps_line(text, "MMUPageSize:", pages_in_kib(1));
        smaps_line(text, "Rss:", pages_in_kib(usage.resident));
        smaps_line(text, "Pss:", KIB_OF_BYTES(usage.proportional));
        smaps_line(text, "Pss_Dirty:", KIB_OF_BYTES(usage.proportional_dirty));
        smaps_usage(&usage, text);
        smaps_flags(region, text);
    }
}

void
report_smaps_rollup(struct aspace *aspace, struct text_buffer *text)
{
    struct region *first = region_first(&aspace->regions), *last = NULL;
    struct usage usage = usage_of(aspace);

    for (struct region *region = first; region; region = region_next(region))
        last = region;
    text_print(text, "%08x-%08x ---p 00000000 00:00 0                          [rollup]\n",
               first ? page_address(first->start) : 0, last ? page_address(last->end) : 0);
    smaps_line(text, "Rss:", pages_in_kib(usage.resident));
    smaps_line(text, "Pss:", KIB_OF_BYTES(usage.proportional));
    smaps_line(text, "Pss_Dirty:", KIB_OF_BYTES(usage.proportional_dirty));
    smaps_line(text, "Pss_Anon:", KIB_OF_BYTES(usage.proportional_anonymous));
    smaps_line(text, "Pss_File:", KIB_OF_BYTES(usage.proportional - usage.proportional_anonymous
                                               - usage.proportional_shared_memory));
    smaps_line(text, "Pss_Shmem:", KIB_OF_BYTES(usage.proportional_shared_memory));
    smaps_usage(&usage, text);
}
