/*
 * The kernel's half of every address space, and the choice of the format.
 *
 *   0xC0000000  direct map of physical memory: kernel text and constants read-only,
 *               all but text not executable where the format can say so
 *   0xF8000000  the kernel's area: large allocations and stacks (mm/kmem.c)
 *   0xFFC00000  nothing
 *
 * Its tables are all made at boot and never go, so that the top-level entries
 * copied into each pmap are never out of date.
 */
#include "boot/info.h"
#include "kernel/command_line.h"
#include "kernel/lib/string.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/segments.h"
#include "mm/pmap.h"
#include "mm/pmap_table.h"

enum { PAGING_2LEVEL, PAGING_PAE };
static unsigned paging_choice = PAGING_2LEVEL;
BOOT_CHOICE(paging, paging_choice, "page-table format", "2level", "pae");

enum { NX_ON, NX_OFF };
static unsigned nx_choice = NX_ON;
BOOT_CHOICE(nx, nx_choice, "whether pages without execute permission cannot be executed", "on", "off");

enum { SOURCE_HARDWARE, SOURCE_SOFTWARE };
static unsigned dirty_choice = SOURCE_HARDWARE;
BOOT_CHOICE(dirty, dirty_choice, "who sees the first write to a page: the processor's dirty bit or a fault",
            "hardware", "software");
static unsigned accessed_choice = SOURCE_HARDWARE;
BOOT_CHOICE(accessed, accessed_choice, "who sees that a page is used: the processor's accessed bit or a fault",
            "hardware", "software");

extern const char kernel_text_start[], kernel_text_end[];
extern const char kernel_rodata_start[], kernel_rodata_end[];

/* From the formats that exist and the switches to the format in force. */
static void
format_choose(void)
{
    page_format = paging_choice == PAGING_PAE ? pt_pae : pt_2level;
    if (paging_choice == PAGING_PAE && !cpu_has(CPU_PAE))
        boot_refuse("paging=pae needs a processor with PAE; this one has none: boot with paging=2level");
    if (paging_choice == PAGING_PAE && nx_choice == NX_ON && !cpu_has(CPU_NX))
        boot_refuse("paging=pae needs a processor with NX; this one has none: boot with paging=2level or nx=off");
    if (nx_choice == NX_OFF) {
        page_format.no_execute = 0;
        page_format.mirror_pages = 0;
        page_format.user_top = KERNEL_BASE;
    }
    if (dirty_choice == SOURCE_SOFTWARE)
        pmap_harvest_mask &= ~ENTRY_DIRTY;
    if (accessed_choice == SOURCE_SOFTWARE)
        pmap_harvest_mask &= ~ENTRY_ACCESSED;
}

/* A cleared frame for a table of the kernel's, which must be there at boot. */
static void *
kernel_table(void)
{
    struct frame *frame = frame_allocate(FRAME_KERNEL);

    if (!frame)
        boot_refuse("not enough memory for the kernel's page tables");
    frame_clear(frame);
    return frame_data(frame);
}

/* Makes the tables that lead to page in the kernel's half. */
static void
kernel_make_tables(page_t page)
{
    void *table = kernel_pmap.root;

    for (u32 level = 0; level + 1 < page_format.levels; level++) {
        u32 index = level_index(level, page);
        table_entry_t entry = entry_load(table, index);

        if (!(entry & ENTRY_PRESENT)) {
            u32 physical = (u32)((char *)kernel_table() - direct_map);

            entry = physical | (page_format.level[level].flags & ~ENTRY_USER);
            entry_store(table, index, entry);
        }
        table = frame_address(entry_frame(entry));
    }
}

static void
kernel_store(page_t page, table_entry_t entry)
{
    struct leaf *leaf = leaf_find(&kernel_pmap, page);

    assert(leaf);
    entry_store(leaf->table, leaf_index(page), entry);
}

/* The direct map's entry for a frame: W^X as far as the format can say it. */
static table_entry_t
direct_map_entry(u32 number)
{
    u32 address = KERNEL_BASE + (number << PAGE_SHIFT);
    table_entry_t entry = physical_of((frame_t){number}).value | ENTRY_PRESENT;
    bool text = address >= (u32)(uintptr_t)kernel_text_start && address < (u32)(uintptr_t)kernel_text_end;
    bool constant = address >= (u32)(uintptr_t)kernel_rodata_start && address < (u32)(uintptr_t)kernel_rodata_end;

    if (text)
        entry |= ENTRY_EXECUTE;
    if (!text && !constant)
        entry |= ENTRY_WRITE;
    return entry | (cpu_has(CPU_PGE) ? ENTRY_GLOBAL : 0);
}

static void
kernel_map_all(u32 limit)
{
    u32 span = page_format.leaf_pages, area_end = KERNEL_AREA_END >> PAGE_SHIFT;
    page_t direct = page_of(KERNEL_BASE);

    for (u32 number = 0; number < limit; number++) {
        if (number % span == 0)
            kernel_make_tables(page_add(direct, number));
        kernel_store(page_add(direct, number), direct_map_entry(number));
    }
    for (u32 page = KERNEL_AREA_START >> PAGE_SHIFT; page < area_end; page += span)
        kernel_make_tables((page_t){page});
}

/*
 * From the boot's two-level tables to PAE without leaving paging: one frame that
 * both formats can read. Its first 32 bytes are PAE's top table, the kernel's
 * entries of the boot directory, far behind them, stay where they are. Loaded
 * into CR3 before PAE is switched on, it serves before and after.
 * Intel SDM volume 3, 4.1.2 (paging-mode enabling).
 */
static void
switch_to_pae(void)
{
    char *both = kernel_table();

    memcpy(both, direct_map + (cpu_read_cr3() & ~PAGE_MASK), PAGE_SIZE);
    memcpy(both, kernel_pmap.root, page_format.root_bytes);
    cpu_write_cr3((u32)(both - direct_map));
    cpu_write_cr4(cpu_read_cr4() | CR4_PAE);
    cpu_write_cr3(kernel_pmap.root_physical.value);
    frame_free(frame_descriptor(frame_of_address(both)));
}

void
pmap_start(u32 limit)
{
    format_choose();
    kernel_pmap.root = kernel_table();
    kernel_pmap.recent[0].window = kernel_pmap.recent[1].window = LEAF_NONE;
    kernel_pmap.root_physical.value = (u32)((char *)kernel_pmap.root - direct_map);
    kernel_map_all(limit);
    if (page_format.no_execute != 0)
        cpu_write_msr(MSR_EFER, cpu_read_msr(MSR_EFER) | EFER_NXE);
    if (paging_choice == PAGING_PAE)
        switch_to_pae();
    else
        cpu_write_cr3(kernel_pmap.root_physical.value);
    segments_set_code_base(page_format.mirror_pages << PAGE_SHIFT, page_format.user_top >> PAGE_SHIFT);
}

void
pmap_kernel_enter(page_t page, struct frame *frame)
{
    assert(page_address(page) >= KERNEL_AREA_START && page_address(page) < KERNEL_AREA_END);
    kernel_store(page, physical_of(frame_number(frame)).value | ENTRY_PRESENT | ENTRY_WRITE
                           | (cpu_has(CPU_PGE) ? ENTRY_GLOBAL : 0));
}

struct frame *
pmap_kernel_remove(page_t page)
{
    struct leaf *leaf = leaf_find(&kernel_pmap, page);
    table_entry_t entry;

    assert(leaf);
    entry = entry_load(leaf->table, leaf_index(page));
    assert(entry & ENTRY_PRESENT);
    entry_store(leaf->table, leaf_index(page), 0);
    cpu_flush_page(page_address(page));
    return entry_descriptor(entry);
}
