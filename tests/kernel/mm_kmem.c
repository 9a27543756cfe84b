/*
 * The kernel's own memory: sizes, contents, guard pages, what comes back, what happens when there is none.
 */
#include "kernel/command_line.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/x86/trap.h"
#include "mm/kmem.h"
#include "tests/kernel/mm_case.h"

/* Whether a byte of the kernel's memory can be read. */
static bool
readable(const void *address)
{
    u32 faulted = 0;

    asm volatile("1: movb (%1), %%al\n"
                 "jmp 3f\n"
                 "2: incl %0\n"
                 "3:\n" TRAP_FIXUP("1b", "2b")
                 : "+r"(faulted) : "r"(address) : "eax", "memory", "cc");
    return !faulted;
}

/* The frame behind an address in the kernel's area. */
static u32
frame_behind(const void *address)
{
    table_entry_t entry = 0;

    pmap_walk_level(NULL, page_of((u32)address), page_format.levels - 1, &entry);
    return entry & ENTRY_PRESENT ? entry >> PAGE_SHIFT : 0;
}

static bool
is_filled(const u8 *memory, usize bytes, u8 with)
{
    for (usize i = 0; i < bytes; i++)
        if (memory[i] != with)
            return false;
    return true;
}

SELFTEST(mm_kmem, objects_do_not_overlap, "objects of all sizes, allocated and freed in any order, keep every byte")
{
    static struct {
        u8 *memory;
        usize bytes;
        u8 mark;
    } live[200];
    struct random random;
    u32 count = 0;

    random_seed(&random, command_line_seed);
    for (u32 step = 0; step < 3000; step++) {
        if (count < ARRAY_SIZE(live) && random_below(&random, 5) < 3) {
            usize bytes = random_below(&random, 10) ? random_below(&random, 3000) : random_below(&random, 20000);

            live[count].memory = kmem_allocate(bytes);
            check_true(live[count].memory != NULL);
            live[count].bytes = bytes;
            live[count].mark = (u8)step;
            memset(live[count].memory, (u8)step, bytes);
            count++;
        } else if (count) {
            u32 i = random_below(&random, count);

            check_true(is_filled(live[i].memory, live[i].bytes, live[i].mark));
            kmem_free(live[i].memory);
            live[i] = live[--count];
        }
    }
    while (count > 0) {
        count--;
        check_true(is_filled(live[count].memory, live[count].bytes, live[count].mark));
        kmem_free(live[count].memory);
    }
    check_true(kmem_cache_check() == NULL);
}

SELFTEST(mm_kmem, every_size_is_whole, "of each size around the borders of caches and pages, every byte can be used")
{
    static const usize sizes[] = {0, 1, 15, 16, 17, 31, 32, 33, 64, 65, 128, 129, 256, 257, 512, 513, 1015, 1016, 1017, 1024,
                                  2031, 2032, 2033, 4095, 4096, 4097, 8192, 8193, 65536};
    u8 *memory[ARRAY_SIZE(sizes)];

    for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
        memory[i] = kmem_allocate(sizes[i]);
        check_true(memory[i] != NULL);
        memset(memory[i], (int)i + 1, sizes[i]);
    }
    for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
        check_true(is_filled(memory[i], sizes[i], (u8)(i + 1)));
    for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
        kmem_free(memory[i]);
    kmem_free(NULL);
}

SELFTEST(mm_kmem, zeroed_is_zero, "zeroed memory is zero whatever was there before")
{
    static const usize sizes[] = {16, 100, 1000, 2032, 5000, 40000};

    for (u32 round = 0; round < 3; round++)
        for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
            u8 *memory = kmem_allocate_zeroed(sizes[i]);

            check_true(memory != NULL);
            check_true(is_filled(memory, sizes[i], 0));
            memset(memory, 0xEE, sizes[i]);
            kmem_free(memory);
        }
}

SELFTEST(mm_kmem, guard_pages_fault, "behind and before a large allocation lies a page that cannot be touched")
{
    u8 *first = kmem_allocate(2 * PAGE_SIZE), *second = kmem_allocate(PAGE_SIZE), *stack = kmem_stack_allocate();

    check_true(first && second && stack);
    check_true(readable(first) && readable(first + 2 * PAGE_SIZE - 1));
    check_true(!readable(first - 1) && !readable(first + 2 * PAGE_SIZE));
    check_true(readable(stack) && readable(stack + KERNEL_STACK_BYTES - 1));
    check_true(!readable(stack - 1));
    kmem_stack_free(stack);
    kmem_free(second);
    kmem_free(first);
}

SELFTEST(mm_kmem, freed_ranges_are_unmapped, "freed memory of the kernel's area cannot be touched any more, and its frames come back")
{
    u32 free, frames;
    u8 *memory;

    kmem_free(kmem_allocate(6 * PAGE_SIZE));
    free = frame_free_count();
    frames = kmem_area_frames();
    memory = kmem_allocate(6 * PAGE_SIZE);
    check_true(memory != NULL);
    check_equal(kmem_area_frames(), frames + 6);
    check_equal(frame_free_count(), free - 6);
    memset(memory, 1, 6 * PAGE_SIZE);
    kmem_free(memory);
    for (u32 i = 0; i < 6; i++)
        check_true(!readable(memory + i * PAGE_SIZE));
    check_equal(kmem_area_frames(), frames);
    check_equal(frame_free_count(), free);
}

SELFTEST(mm_kmem, addresses_used_again_are_fresh, "an address that is used again leads to the new frame: what was cached of the old one is gone")
{
    for (u32 round = 0; round < 8; round++) {
        volatile u32 *memory = kmem_allocate(PAGE_SIZE);
        struct frame *other;
        volatile u32 *again;

        check_true(memory != NULL);
        *memory = round;
        check_equal(*(u32 *)frame_address((frame_t){frame_behind((const void *)memory)}), round);
        kmem_free((void *)memory);
        other = frame_allocate(FRAME_KERNEL);       /* the frame freed last */
        again = kmem_allocate(PAGE_SIZE);
        check_true(other != NULL && again != NULL);
        *again = ~round;
        check_equal(*(u32 *)frame_address((frame_t){frame_behind((const void *)again)}), ~round);
        kmem_free((void *)again);
        frame_free(other);
    }
}

SELFTEST(mm_kmem, without_memory_there_is_none, "with no frame free, NULL; nothing has changed, and afterwards all is as before")
{
    u32 frames = kmem_area_frames(), free;

    kmem_free(kmem_allocate(3 * PAGE_SIZE));
    case_hoard(2);
    free = frame_free_count();
    check_true(kmem_allocate(3 * PAGE_SIZE) == NULL);
    check_equal(frame_free_count(), free);
    check_equal(kmem_area_frames(), frames);
    check_true(kmem_allocate(0xF0000000u) == NULL);
    check_true(kmem_allocate(KERNEL_AREA_END - KERNEL_AREA_START) == NULL);
    case_unhoard();
    check_true(kmem_allocate(KERNEL_AREA_END - KERNEL_AREA_START) == NULL);
    check_equal(kmem_area_frames(), frames);
}

SELFTEST(mm_kmem, stacks_are_kept_for_later, "stacks are of full size, distinct, and freeing many keeps only a few")
{
    static void *stacks[40];
    u32 frames, stack_frames;

    for (u32 i = 0; i < 20; i++)
        stacks[i] = kmem_stack_allocate();
    for (u32 i = 0; i < 20; i++)
        kmem_stack_free(stacks[i]);
    frames = kmem_area_frames();
    stack_frames = kmem_stack_frames();
    for (u32 i = 0; i < ARRAY_SIZE(stacks); i++) {
        stacks[i] = kmem_stack_allocate();
        check_true(stacks[i] != NULL);
        memset(stacks[i], (int)i, KERNEL_STACK_BYTES);
    }
    check_equal(kmem_area_frames() - frames, kmem_stack_frames() - stack_frames);
    for (u32 i = 0; i < ARRAY_SIZE(stacks); i++)
        check_true(is_filled(stacks[i], KERNEL_STACK_BYTES, (u8)i));
    for (u32 i = 0; i < ARRAY_SIZE(stacks); i++)
        kmem_stack_free(stacks[i]);
    check_equal(kmem_area_frames(), frames);
    check_equal(kmem_stack_frames(), stack_frames);
}
