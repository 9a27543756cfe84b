/*
 * What the tests of mm share.
 */
#include "tests/kernel/mm_case.h"

#include <asm/errno.h>
#include <linux/mman.h>

#include "kernel/lib/string.h"
#include "kernel/x86/cpu.h"
#include "mm/kmem.h"
#include "mm/fork.h"
#include "mm/prefetch.h"
#include "mm/reclaim.h"
#include "mm/swap.h"
#include "mm/transfer.h"

#define SPACES 8u
#define SOILED_FRAMES 512u
#define ALL_PROTECTIONS (PROT_READ | PROT_WRITE | PROT_EXEC)

struct fault_verdict case_verdict;
struct counters case_counters;
bool case_device_broken;

static struct aspace *spaces[SPACES];
static u32 prefetch_before;
static bool prefetch_chosen;
static bool *hoarded_slots; /* by slot number; NULL: none is held */
static u32 hoard;           /* frame number, the next one in the descriptor's index; 0: none */

/* ---- Address spaces ---------------------------------------------------- */

static struct aspace *
keep(struct aspace *aspace)
{
    u32 i = 0;

    if (!selftest_expect(aspace != NULL, "there is memory for an address space", __FILE__, __LINE__))
        return NULL;
    while (i < SPACES && spaces[i])
        i++;
    if (!selftest_expect(i < SPACES, "there are few address spaces", __FILE__, __LINE__)) {
        aspace_release(aspace);
        return NULL;
    }
    return spaces[i] = aspace;
}

void
case_end(void)
{
    aspace_activate(NULL);
    case_unhoard();
    case_unhoard_slots();
    case_device_broken = false;
    if (prefetch_chosen)
        prefetch_pages = prefetch_before;
    prefetch_chosen = false;
    for (u32 i = 0; i < SPACES; i++)
        if (spaces[i]) {
            aspace_release(spaces[i]);
            spaces[i] = NULL;
        }
}

struct aspace *
case_begin(void)
{
    struct aspace *aspace;

    case_end();
    aspace = case_another();
    aspace_activate(aspace);
    case_count();
    return aspace;
}

struct aspace *
case_another(void)
{
    return keep(aspace_create());
}

struct aspace *
case_fork(struct aspace *parent)
{
    return keep(fork_aspace(parent));
}

void
case_release(struct aspace *aspace)
{
    for (u32 i = 0; i < SPACES; i++)
        if (spaces[i] == aspace)
            spaces[i] = NULL;
    aspace_release(aspace);
}

/* ---- Mapping and touching ---------------------------------------------- */

u32
case_map_object(struct aspace *aspace, struct object *object, u32 first, u32 pages, u32 protection, u32 flags)
{
    struct mmap_request request = {
        .bytes = pages << PAGE_SHIFT, .protection = protection, .flags = flags, .maximum = ALL_PROTECTIONS,
        .object = object, .object_page = first,
    };

    return selftest_expect_equal(mmap_map(aspace, &request), 0, "mmap_map() == 0", __FILE__, __LINE__) ? request.address : 0;
}

u32
case_map(struct aspace *aspace, u32 pages, u32 protection, u32 flags)
{
    return case_map_object(aspace, NULL, 0, pages, protection, flags | MAP_ANONYMOUS);
}

u32
case_memory(struct aspace *aspace, u32 pages)
{
    return case_map(aspace, pages, PROT_READ | PROT_WRITE, MAP_PRIVATE);
}

void
case_put(struct aspace *aspace, u32 address, u32 word)
{
    selftest_expect_equal(aspace_write(aspace, address, &word, sizeof(word)), 0, "aspace_write() == 0", __FILE__, __LINE__);
}

u32
case_get(struct aspace *aspace, u32 address)
{
    u32 word = 0;

    selftest_expect_equal(aspace_read(aspace, address, &word, sizeof(word)), 0, "aspace_read() == 0", __FILE__, __LINE__);
    return word;
}

u32
case_word(u32 page, u32 seed)
{
    /* Knuth's multiplicative hash: neighbours differ in all bytes. */
    return (page + 1) * 2654435761u ^ seed;
}

void
case_fill(struct aspace *aspace, u32 address, u32 pages, u32 seed)
{
    for (u32 i = 0; i < pages; i++)
        case_put(aspace, address + (i << PAGE_SHIFT), case_word(i, seed));
}

bool
case_holds(struct aspace *aspace, u32 address, u32 pages, u32 seed)
{
    for (u32 i = 0; i < pages; i++)
        if (!selftest_expect_equal(case_get(aspace, address + (i << PAGE_SHIFT)), case_word(i, seed), "page's word == word written",
                                   __FILE__, __LINE__))
            return false;
    return true;
}

struct anon *
case_anon(struct aspace *aspace, u32 address)
{
    struct region *region = region_find(&aspace->regions, page_of(address));

    return region && region->amap ? amap_lookup(region->amap, page_of(address)) : NULL;
}

/* ---- Faults ------------------------------------------------------------ */

void
case_count(void)
{
    case_counters = counters;
}

/* The kind that differs between the two sets by one while all others are alike. */
static const char *
kind_between(const struct counters *before, const struct counters *after)
{
    static const struct {
        const char *name;
        usize offset;
    } kinds[] = {
#define KIND(counter) {#counter, offsetof(struct counters, counter)},
        COUNTERS(KIND)
#undef KIND
    };
    const char *found = "no kind";

    for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
        u32 more = *(const u32 *)((const char *)after + kinds[i].offset) - *(const u32 *)((const char *)before + kinds[i].offset);
        bool is_kind = strncmp(kinds[i].name, "fault_", 6) == 0 && strcmp(kinds[i].name, "fault_stack_growth") != 0;

        if (!is_kind || more == 0)
            continue;
        if (more > 1 || strcmp(found, "no kind") != 0)
            return "several kinds";
        found = kinds[i].name;
    }
    return found;
}

const char *
case_fault(struct aspace *aspace, u32 address, u32 access)
{
    struct counters system = counters, own = aspace->counters;
    const char *kind;

    case_verdict = (struct fault_verdict){0, 0, 0};
    if (fault_resolve(aspace, address, access, &case_verdict) == 0)
        case_verdict.signal = 0;
    kind = kind_between(&system, &counters);
    if (counters.pgfault - system.pgfault != 1 || aspace->counters.pgfault - own.pgfault != 1)
        return "not one page fault";
    return strcmp(kind, kind_between(&own, &aspace->counters)) == 0 ? kind : "another kind for the process than for the system";
}

const char *
case_soft(void)
{
    return pmap_samples_references() ? "fault_accessed" : "fault_soft";
}

void
case_prefetch(u32 neighbours)
{
    if (!prefetch_chosen)
        prefetch_before = prefetch_pages;
    prefetch_chosen = true;
    prefetch_pages = neighbours;
}

/* ---- Eviction ---------------------------------------------------------- */

bool
case_evict(const struct anon *anon)
{
    while (anon->frame)
        if (!reclaim_evict_one())
            return false;
    return true;
}

void
case_evict_all(void)
{
    while (reclaim_evict_one())
        continue;
}

/* ---- A device ---------------------------------------------------------- */

u8
case_byte(u64 position)
{
    return (u8)((u32)position * 31 + ((u32)position >> 12) * 7 + 1);
}

static int
device_read(struct block_device *device, u64 position, const struct block_piece *pieces, u32 count)
{
    (void)device;
    if (case_device_broken)
        return -EIO;
    for (u32 piece = 0; piece < count; piece++)
        for (usize i = 0; i < pieces[piece].bytes; i++)
            ((u8 *)pieces[piece].buffer)[i] = case_byte(position++);
    return 0;
}

static int
device_write(struct block_device *device, u64 position, const struct block_piece *pieces, u32 count)
{
    (void)device;
    (void)position;
    (void)pieces;
    (void)count;
    return -EIO;
}

static const struct block_operations device_operations = {device_read, device_write};
struct block_device case_device = {.name = "case", .bytes = CASE_DEVICE_BYTES, .operations = &device_operations};

/* ---- Memory ------------------------------------------------------------ */

void
case_hoard(u32 leave)
{
    while (frame_free_count() > leave) {
        struct frame *frame = frame_allocate(FRAME_KERNEL);

        frame->index = hoard;
        hoard = frame_number(frame).number;
    }
}

void
case_unhoard(void)
{
    while (hoard) {
        struct frame *frame = frame_descriptor((frame_t){hoard});

        hoard = frame->index;
        frame_free(frame);
    }
}

void
case_hoard_slots(void)
{
    hoarded_slots = kmem_allocate_zeroed((swap_total() + 1) * sizeof(*hoarded_slots));
    while (hoarded_slots && swap_free_count() > 0)
        hoarded_slots[swap_allocate().number] = true;
}

void
case_unhoard_slots(void)
{
    for (u32 slot = 1; hoarded_slots && slot <= swap_total(); slot++)
        if (hoarded_slots[slot])
            swap_free((swap_slot_t){slot});
    kmem_free(hoarded_slots);
    hoarded_slots = NULL;
}

void
case_soil_frames(void)
{
    u32 leave = frame_free_count() > SOILED_FRAMES ? frame_free_count() - SOILED_FRAMES : 0;

    case_hoard(leave);
    for (u32 number = hoard; number; number = frame_descriptor((frame_t){number})->index)
        memset(frame_address((frame_t){number}), 0xC3, PAGE_SIZE);
    case_unhoard();
}

struct case_usage
case_usage(void)
{
    return (struct case_usage){
        .anonymous = frame_count(FRAME_ANONYMOUS),
        .object = frame_count(FRAME_OBJECT),
        .anons = anon_count(),
        .slots = swap_total() - swap_free_count(),
    };
}

bool
case_usage_is(const struct case_usage *usage)
{
    struct case_usage now = case_usage();

    return selftest_expect_equal(now.anonymous, usage->anonymous, "anonymous frames now == before", __FILE__, __LINE__)
        && selftest_expect_equal(now.object, usage->object, "objects' frames now == before", __FILE__, __LINE__)
        && selftest_expect_equal(now.anons, usage->anons, "anons now == before", __FILE__, __LINE__)
        && selftest_expect_equal(now.slots, usage->slots, "swap slots now == before", __FILE__, __LINE__);
}
