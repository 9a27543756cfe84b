/*
 * The global descriptor table. All segments are flat, but for the user's code segment in paging=2level with nx=on,
 * whose base and limit make execute permission out of a second mapping (see mm/pt_2level.c), and a thread's own three.
 *
 *     63    56 55  52 51  48 47      40 39            16 15             0
 *     | base  | flags| limit| access   |      base      |     limit     |
 *      31..24          19..16             23..0            15..0
 */
#include "kernel/x86/segments.h"

#include <asm/ldt.h>

#include "kernel/assert.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/selectors.h"
#include "kernel/x86/tss.h"

/* Access bytes. The accessed bit is set from the start, so that the processor need not write to the table. */
#define ACCESS_ACCESSED 0x01
#define ACCESS_WRITE_OR_READ 0x02 /* data: writable, code: readable */
#define ACCESS_CONTENTS_SHIFT 2   /* direction or conforming, and code or data: user_desc's `contents` */
#define ACCESS_CODE 0x08
#define ACCESS_SEGMENT 0x10
#define ACCESS_USER 0x60
#define ACCESS_PRESENT 0x80
#define ACCESS_KERNEL_DATA (ACCESS_PRESENT | ACCESS_SEGMENT | ACCESS_WRITE_OR_READ | ACCESS_ACCESSED)
#define ACCESS_KERNEL_CODE (ACCESS_KERNEL_DATA | ACCESS_CODE)
#define ACCESS_TSS (ACCESS_PRESENT | 0x09)

#define FLAG_AVAILABLE 0x1
#define FLAG_32_BIT 0x4
#define FLAG_PAGES 0x8
#define FLAGS_FLAT (FLAG_32_BIT | FLAG_PAGES)

#define LIMIT_FLAT 0xfffff
#define LIMIT_TSS (sizeof(struct tss) - 1)

static u64 table[SEGMENT_COUNT];
struct tss segments_tss;

static u64
make_descriptor(u32 base, u32 limit, u32 access, u32 flags)
{
    u32 low = base << 16 | (limit & 0xffff);
    u32 high = (base & 0xff000000) | flags << 20 | (limit & 0xf0000) | access << 8 | (base >> 16 & 0xff);

    return (u64)high << 32 | low;
}

static u32
index_of(u32 selector)
{
    return selector / sizeof(table[0]);
}

static void
load_tables(void)
{
    struct cpu_table gdt = {sizeof(table) - 1, (u32)table};

    asm volatile("lgdt %0\n\t"
                 "ljmp %1, $1f\n"
                 "1:\n\t"
                 "movl %2, %%ds\n\t"
                 "movl %2, %%es\n\t"
                 "movl %2, %%ss\n\t"
                 "movl %3, %%fs\n\t"
                 "movl %3, %%gs\n\t"
                 "lldt %w3\n\t"
                 "ltr %w4"
                 :
                 : "m"(gdt), "i"(SELECTOR_KERNEL_CODE), "r"(SELECTOR_KERNEL_DATA), "r"(0), "r"(SELECTOR_TSS)
                 : "memory");
}

void
segments_start(void)
{
    segments_tss.ss0 = SELECTOR_KERNEL_DATA;
    segments_tss.io_map = sizeof(struct tss);
    table[index_of(SELECTOR_KERNEL_CODE)] = make_descriptor(0, LIMIT_FLAT, ACCESS_KERNEL_CODE, FLAGS_FLAT);
    table[index_of(SELECTOR_KERNEL_DATA)] = make_descriptor(0, LIMIT_FLAT, ACCESS_KERNEL_DATA, FLAGS_FLAT);
    table[index_of(SELECTOR_USER_DATA)] = make_descriptor(0, LIMIT_FLAT, ACCESS_KERNEL_DATA | ACCESS_USER, FLAGS_FLAT);
    segments_set_code_base(0, LIMIT_FLAT + 1);
    table[index_of(SELECTOR_TSS)] = make_descriptor((u32)&segments_tss, LIMIT_TSS, ACCESS_TSS, 0);
    table[index_of(SELECTOR_DOUBLE_FAULT_TSS)] = make_descriptor((u32)&double_fault_tss, LIMIT_TSS, ACCESS_TSS, 0);
    load_tables();
}

void
segments_set_kernel_stack(u32 esp0)
{
    segments_tss.esp0 = esp0;
}

u32
segments_kernel_stack(void)
{
    return segments_tss.esp0;
}

void
segments_set_code_base(u32 base, u32 limit_pages)
{
    assert(limit_pages > 0 && limit_pages <= LIMIT_FLAT + 1);
    table[index_of(SELECTOR_USER_CODE)] =
        make_descriptor(base, limit_pages - 1, ACCESS_KERNEL_CODE | ACCESS_USER, FLAGS_FLAT);
}

void
segments_load_tls(const u64 descriptors[])
{
    for (u32 i = 0; i < SEGMENT_TLS_COUNT; i++)
        table[SEGMENT_TLS_FIRST + i] = descriptors[i];
}

/* All zero, or all zero but for the two bits that say "not there". */
bool
segments_tls_is_empty(const struct user_desc *request)
{
    return request->base_addr == 0 && request->limit == 0 && request->contents == 0 && !request->seg_32bit
        && !request->limit_in_pages && !request->useable && request->read_exec_only == request->seg_not_present;
}

u64
segments_make_tls(const struct user_desc *request)
{
    u32 access = ACCESS_SEGMENT | ACCESS_USER | ACCESS_ACCESSED | (u32)request->contents << ACCESS_CONTENTS_SHIFT;
    u32 flags = 0;

    if (segments_tls_is_empty(request))
        return 0;
    access |= (request->read_exec_only ? 0 : ACCESS_WRITE_OR_READ) | (request->seg_not_present ? 0 : ACCESS_PRESENT);
    flags |= (request->useable ? FLAG_AVAILABLE : 0) | (request->seg_32bit ? FLAG_32_BIT : 0) |
             (request->limit_in_pages ? FLAG_PAGES : 0);
    return make_descriptor(request->base_addr, request->limit, access, flags);
}

void
segments_describe_tls(u64 descriptor, struct user_desc *request)
{
    u32 low = (u32)descriptor;
    u32 high = (u32)(descriptor >> 32);
    u32 access = high >> 8 & 0xff;
    u32 flags = high >> 20 & 0xf;

    request->base_addr = low >> 16 | (high & 0xff) << 16 | (high & 0xff000000);
    request->limit = (low & 0xffff) | (high & 0xf0000);
    request->seg_32bit = (flags & FLAG_32_BIT) != 0;
    request->contents = access >> ACCESS_CONTENTS_SHIFT & 3;
    request->read_exec_only = !(access & ACCESS_WRITE_OR_READ);
    request->limit_in_pages = (flags & FLAG_PAGES) != 0;
    request->seg_not_present = !(access & ACCESS_PRESENT);
    request->useable = (flags & FLAG_AVAILABLE) != 0;
}
