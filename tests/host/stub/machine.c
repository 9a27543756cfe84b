/*
 * The simulated processor. Its walker is written from Intel's manual (SDM volume 3, chapter 4) and shares nothing with mm's.
 */
#include "tests/host/stub/machine.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/x86/cpu.h"
#include "kernel/x86/segments.h"
#include "mm/frame.h"
#include "mm/pmap.h"

/* Frames below this are the firmware's. */
#define FIRST_FRAME 16u

/* Bits of entries and of the error code. */
#define PRESENT  0x1ull
#define WRITABLE 0x2ull
#define USER     0x4ull
#define ACCESSED 0x20ull
#define DIRTY    0x40ull
#define NX       (1ull << 63)
#define ERROR_PRESENT 0x1u
#define ERROR_WRITE   0x2u
#define ERROR_USER    0x4u
#define ERROR_FETCH   0x10u

#define PAGES (1u << 20)
#define CACHE_MAXIMUM 4096u

/* One cached entry: what it said, 0 for none. */
struct cache {
    u64 *entry;             /* by page number, or by directory index */
    u32 list[CACHE_MAXIMUM];
    u32 count;
};

char *direct_map;
struct cpu cpu_local;
u32 machine_page_flushes, machine_full_flushes;
const char kernel_text_start[1], kernel_text_end[1], kernel_rodata_start[1], kernel_rodata_end[1];

static u32 cr3, cr4;
static u64 efer;
static u64 top_registers[4];
static u32 code_base;
static struct cache tlb, directories;

/* ---- Caches ------------------------------------------------------------ */

static void
cache_put(struct cache *cache, u32 index, u64 entry)
{
    if (!cache->entry[index]) {
        if (cache->count == CACHE_MAXIMUM)
            cache->entry[cache->list[--cache->count]] = 0;
        cache->list[cache->count++] = index;
    }
    cache->entry[index] = entry;
}

static void
cache_clear(struct cache *cache)
{
    while (cache->count)
        cache->entry[cache->list[--cache->count]] = 0;
}

static void
cache_forget(struct cache *cache, u32 index)
{
    if (!cache->entry[index])
        return;
    cache->entry[index] = 0;
    for (u32 i = 0; i < cache->count; i++)
        if (cache->list[i] == index) {
            cache->list[i] = cache->list[--cache->count];
            return;
        }
}

/* ---- Walk -------------------------------------------------------------- */

static bool
is_pae(void)
{
    return cr4 & CR4_PAE;
}

static u64 *
entry_at(u64 table, u32 index)
{
    return (u64 *)(void *)(direct_map + (table & 0xFFFFF000ull)) + index;
}

static u32 *
short_entry_at(u64 table, u32 index)
{
    return (u32 *)(void *)(direct_map + (table & 0xFFFFF000ull)) + index;
}

static u32
directory_index(u32 page)
{
    return is_pae() ? page >> 9 : page >> 10;
}

/* The directory entry as memory has it; top: PAE's top entries to go by. */
static u64
directory_entry(u32 page, const u64 *top)
{
    u64 entry;

    if (!is_pae())
        return *short_entry_at(cr3, page >> 10);
    entry = top[page >> 18];
    return entry & PRESENT ? *entry_at(entry, page >> 9 & 511) : 0;
}

/* Reads or ors into the table's entry for page. */
static u64
table_entry(u64 directory, u32 page, u64 set)
{
    if (is_pae())
        return *entry_at(directory, page & 511) |= set;
    return *short_entry_at(directory, page & 1023) |= (u32)set;
}

/* Rights of both levels together, on the table's entry's frame and bits. */
static u64
combine(u64 directory, u64 entry)
{
    u64 common = directory & entry & (WRITABLE | USER);
    u64 no_execute = efer & EFER_NXE ? (directory | entry) & NX : 0;

    return (entry & ~(WRITABLE | USER | NX)) | common | no_execute;
}

static bool
permits(u64 translation, u32 access, bool user, bool data_view)
{
    if (user && !(translation & USER))
        return false;
    if (access == FAULT_WRITE)
        return translation & WRITABLE;
    return access == FAULT_READ || data_view || !(translation & NX);
}

static bool
refuse(u32 address, u32 access, bool user, bool present, struct machine_fault *fault)
{
    cache_forget(&tlb, address >> PAGE_SHIFT);
    fault->address = address;
    fault->error = (present ? ERROR_PRESENT : 0) | (access == FAULT_WRITE ? ERROR_WRITE : 0) | (user ? ERROR_USER : 0);
    if (access == FAULT_EXECUTE && efer & EFER_NXE)
        fault->error |= ERROR_FETCH;
    return false;
}

/* Walks the tables, sets the bits, and fills the TLB. */
static bool
walk(u32 address, u32 access, bool user, struct machine_fault *fault)
{
    u32 page = address >> PAGE_SHIFT;
    u64 directory = directories.entry[directory_index(page)], entry;

    if (!directory)
        directory = directory_entry(page, top_registers);
    if (!(directory & PRESENT))
        return refuse(address, access, user, false, fault);
    cache_put(&directories, directory_index(page), directory);
    entry = table_entry(directory, page, 0);
    if (!(entry & PRESENT))
        return refuse(address, access, user, false, fault);
    if (!permits(combine(directory, entry), access, user, false))
        return refuse(address, access, user, true, fault);
    entry = table_entry(directory, page, ACCESSED | (access == FAULT_WRITE ? DIRTY : 0));
    cache_put(&tlb, page, combine(directory, entry));
    return true;
}

bool
machine_access(u32 address, u32 access, bool user, u32 *physical, struct machine_fault *fault)
{
    u64 cached;

    if (access == FAULT_EXECUTE)
        address += code_base;
    cached = tlb.entry[address >> PAGE_SHIFT];
    if (cached && !permits(cached, access, user, false))
        return refuse(address, access, user, true, fault);
    /* The first write through a clean translation walks again, to set the dirty bit. */
    if ((!cached || (access == FAULT_WRITE && !(cached & DIRTY))) && !walk(address, access, user, fault))
        return false;
    *physical = (u32)(tlb.entry[address >> PAGE_SHIFT] & 0xFFFFF000ull) | (address & PAGE_MASK);
    return true;
}

/* ---- What is stale ----------------------------------------------------- */

static const char *
directory_stale(u32 index)
{
    u32 page = index << (is_pae() ? 9 : 10);
    u64 cached = directories.entry[index];
    const u64 *top = is_pae() ? (const u64 *)(const void *)(direct_map + cr3) : NULL;
    u64 now = directory_entry(page, top);

    if (!(now & PRESENT) || ((now ^ cached) & 0xFFFFF000ull))
        return "a page table is gone that the processor may still walk";
    if (cached & ~now & WRITABLE)
        return "a directory entry permits writing in the processor's cache only";
    return NULL;
}

static const char *
translation_stale(u32 page)
{
    const u64 *top = is_pae() ? (const u64 *)(const void *)(direct_map + cr3) : NULL;
    u64 cached = tlb.entry[page], directory = directory_entry(page, top), entry, now;

    if (!(directory & PRESENT))
        return "the TLB has a page whose table is gone";
    entry = table_entry(directory, page, 0);
    now = combine(directory, entry);
    if (!(entry & PRESENT))
        return "the TLB has a page whose entry is gone";
    if ((now ^ cached) & 0xFFFFF000ull)
        return "the TLB has another frame than the entry";
    if (cached & ~now & WRITABLE)
        return "the TLB permits writing that the entry forbids";
    if (now & ~cached & NX)
        return "the TLB permits execution that the entry forbids";
    if (cached & ~now & ACCESSED)
        return "an accessed bit was cleared without a flush: the next access is not seen";
    if (cached & ~now & DIRTY)
        return "a dirty bit was cleared without a flush: the next write is not seen";
    return NULL;
}

const char *
machine_stale(void)
{
    const char *wrong = NULL;

    if (is_pae() && memcmp(top_registers, direct_map + cr3, sizeof(top_registers)) != 0)
        return "a top entry of PAE has changed since CR3 was loaded";
    for (u32 i = 0; i < directories.count && !wrong; i++)
        wrong = directory_stale(directories.list[i]);
    for (u32 i = 0; i < tlb.count && !wrong; i++)
        wrong = translation_stale(tlb.list[i]);
    return wrong;
}

u32
machine_cached(void)
{
    return tlb.count;
}

/* ---- Registers --------------------------------------------------------- */

u32
cpu_read_cr3(void)
{
    return cr3;
}

void
cpu_write_cr3(u32 value)
{
    cr3 = value;
    cache_clear(&tlb);
    cache_clear(&directories);
    if (is_pae())
        memcpy(top_registers, direct_map + cr3, sizeof(top_registers));
    machine_full_flushes++;
}

/* Forgets the page and all directory entries, and reads the page's own again, as a processor may that looks ahead. */
void
cpu_flush_page(u32 address)
{
    u32 page = address >> PAGE_SHIFT;
    u64 directory;

    cache_forget(&tlb, page);
    cache_clear(&directories);
    directory = directory_entry(page, top_registers);
    if (directory & PRESENT)
        cache_put(&directories, directory_index(page), directory);
    machine_page_flushes++;
}

u32
cpu_read_cr4(void)
{
    return cr4;
}

void
cpu_write_cr4(u32 value)
{
    cr4 = value;
}

u64
cpu_read_msr(u32 msr)
{
    return msr == MSR_EFER ? efer : 0;
}

void
cpu_write_msr(u32 msr, u64 value)
{
    if (msr == MSR_EFER)
        efer = value;
}

void
segments_set_code_base(u32 base, u32 limit_pages)
{
    (void)limit_pages;
    code_base = base;
}

void
machine_start(u32 frames)
{
    usize storage = (frame_storage_bytes(frames) + PAGE_MASK) & ~(usize)PAGE_MASK;
    void *descriptors = aligned_alloc(PAGE_SIZE, storage);

    direct_map = aligned_alloc(PAGE_SIZE, (usize)frames << PAGE_SHIFT);
    /* What was there before is rubbish: whoever relies on zeroes must have cleared. */
    memset(direct_map, 0xA5, (usize)frames << PAGE_SHIFT);
    memset(descriptors, 0, storage);
    tlb.entry = calloc(PAGES, sizeof(u64));
    directories.entry = calloc(PAGES >> 9, sizeof(u64));
    frame_start(descriptors, frames);
    frame_add((struct frame_range){{FIRST_FRAME}, frames - FIRST_FRAME});
}
