/*
 * One fault at a time: what it makes of the page, how it is counted, and how it is refused.
 */
#include <asm/errno.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/mman.h>

#include "kernel/lib/string.h"
#include "mm/chaos.h"
#include "mm/swap.h"
#include "mm/user.h"
#include "tests/kernel/mm_case.h"

#define RW (PROT_READ | PROT_WRITE)

static struct frame *
frame_at(struct aspace *aspace, u32 address, u32 *rights)
{
    return pmap_lookup(&aspace->pmap, page_of(address), rights);
}

static bool
refused(int signal, int code, u32 address)
{
    return case_verdict.signal == signal && case_verdict.code == code && case_verdict.address == address;
}

/* ---- Anonymous memory -------------------------------------------------- */

SELFTEST(mm_fault, first_write_fills_with_zeroes, "a first write gets a frame of zeroes of its own, whatever was in it, and can be repeated")
{
    struct aspace *aspace;
    u32 address, rights, word;

    case_soil_frames();
    aspace = case_begin();
    address = case_memory(aspace, 4);
    check_true(address != 0);
    check_text(case_fault(aspace, address + 8, FAULT_WRITE), "fault_zero_fill");
    check_true(frame_at(aspace, address, &rights) != object_zero_frame);
    check_true(rights & PMAP_WRITE);
    for (u32 i = 0; i < PAGE_SIZE; i += sizeof(word)) {
        check_equal(user_read_word(&word, address + i), 0);
        check_equal(word, 0);
    }
    check_text(case_fault(aspace, address, FAULT_WRITE), "fault_soft");
    check_equal(case_anon(aspace, address)->references, 1);
    check_true(case_anon(aspace, address + PAGE_SIZE) == NULL);
    case_end();
}

SELFTEST(mm_fault, first_read_maps_the_zero_frame, "a first read maps the one frame of zeroes, read-only; a write then gets a frame of its own")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 2), rights, anonymous = frame_count(FRAME_ANONYMOUS);

    check_true(address != 0);
    check_text(case_fault(aspace, address, FAULT_READ), "fault_zero_map");
    check_text(case_fault(aspace, address + PAGE_SIZE, FAULT_READ), "fault_zero_map");
    check_true(frame_at(aspace, address, &rights) == object_zero_frame);
    check_true(!(rights & PMAP_WRITE));
    check_true(frame_at(aspace, address + PAGE_SIZE, &rights) == object_zero_frame);
    check_equal(frame_count(FRAME_ANONYMOUS), anonymous);
    check_text(case_fault(aspace, address, FAULT_WRITE), "fault_zero_fill");
    check_true(frame_at(aspace, address, &rights) != object_zero_frame && rights & PMAP_WRITE);
    check_equal(frame_count(FRAME_ANONYMOUS), anonymous + 1);
    case_end();
}

SELFTEST(mm_fault, zero_frame_stays_zero, "no access to memory never written, however it ends, changes the frame of zeroes")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 3), word;
    const u32 *zeroes = frame_data(object_zero_frame);

    check_true(address != 0);
    for (u32 i = 0; i < 3; i++) {
        check_equal(user_read_word(&word, address + (i << PAGE_SHIFT)), 0);
        check_equal(user_write_word(address + (i << PAGE_SHIFT), ~0u), 0);
        check_equal(user_read_word(&word, address + (i << PAGE_SHIFT)), 0);
        check_equal(word, ~0u);
    }
    for (u32 i = 0; i < PAGE_SIZE / sizeof(u32); i++)
        check_equal(zeroes[i], 0);
    check_true(object_zero_frame->pins > 0 && object_zero_frame->first.pmap == NULL);
    case_end();
}

SELFTEST(mm_fault, dropped_entry_is_soft, "an entry that was dropped comes back, with the same page, for a soft fault")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 1), rights;
    struct frame *frame;

    check_true(address != 0);
    check_text(case_fault(aspace, address, FAULT_WRITE), "fault_zero_fill");
    frame = frame_at(aspace, address, &rights);
    pmap_remove(&aspace->pmap, page_of(address), page_add(page_of(address), 1));
    check_true(frame_at(aspace, address, &rights) == NULL);
    check_text(case_fault(aspace, address, FAULT_READ), case_soft());
    check_true(frame_at(aspace, address, &rights) == frame);
    case_end();
}

/* ---- Refusals ---------------------------------------------------------- */

SELFTEST(mm_fault, nothing_mapped_is_maperr, "no region there: SIGSEGV, SEGV_MAPERR and the exact address, below, above and in between")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 3);

    check_true(address != 0);
    check_equal(mmap_unmap(aspace, address + PAGE_SIZE, PAGE_SIZE), 0);
    check_text(case_fault(aspace, address - 1, FAULT_READ), "fault_unmapped");
    check_true(refused(SIGSEGV, SEGV_MAPERR, address - 1));
    check_text(case_fault(aspace, address + PAGE_SIZE + 77, FAULT_WRITE), "fault_unmapped");
    check_true(refused(SIGSEGV, SEGV_MAPERR, address + PAGE_SIZE + 77));
    check_text(case_fault(aspace, address + 3 * PAGE_SIZE, FAULT_READ), "fault_unmapped");
    check_true(refused(SIGSEGV, SEGV_MAPERR, address + 3 * PAGE_SIZE));
    check_text(case_fault(aspace, 0, FAULT_READ), "fault_unmapped");
    check_text(case_fault(aspace, address + 2 * PAGE_SIZE, FAULT_READ), "fault_zero_map");
    check_equal(aspace->pmap.resident, 1);
    case_end();
}

SELFTEST(mm_fault, protection_is_accerr, "what the region forbids: SIGSEGV, SEGV_ACCERR; each protection permits exactly what it says")
{
    static const u8 permits[][3] = {    /* by PROT_*: read, write, execute */
        [PROT_NONE] = {0, 0, 0}, [PROT_READ] = {1, 0, 0}, [PROT_WRITE] = {1, 1, 0}, [RW] = {1, 1, 0},
        [PROT_EXEC] = {1, 0, 1}, [PROT_READ | PROT_EXEC] = {1, 0, 1}, [PROT_WRITE | PROT_EXEC] = {1, 1, 1},
        [RW | PROT_EXEC] = {1, 1, 1},
    };
    struct aspace *aspace = case_begin();

    for (u32 protection = 0; protection < 8; protection++)
        for (u32 access = FAULT_READ; access <= FAULT_EXECUTE; access++) {
            u32 address = case_map(aspace, 1, protection, MAP_PRIVATE) + 5, rights;
            const char *kind;

            check_true(address != 5);
            kind = case_fault(aspace, address, access);
            if (permits[protection][access]) {
                check_text(kind, access == FAULT_WRITE ? "fault_zero_fill" : "fault_zero_map");
                check_true(frame_at(aspace, address, &rights) != NULL);
                check_equal((rights & PMAP_EXECUTE) != 0, permits[protection][FAULT_EXECUTE]);
                check_equal((rights & PMAP_WRITE) != 0, access == FAULT_WRITE);
            } else {
                check_text(kind, access == FAULT_EXECUTE ? "fault_execute" : "fault_protection");
                check_true(refused(SIGSEGV, SEGV_ACCERR, address));
                check_true(frame_at(aspace, address, &rights) == NULL);
            }
            check_equal(mmap_unmap(aspace, address - 5, PAGE_SIZE), 0);
        }
    case_end();
}

SELFTEST(mm_fault, kernel_addresses_are_refused, "a program that touches the kernel's half is refused, and nothing is resolved")
{
    struct aspace *aspace = case_begin();
    struct fault_verdict verdict = {0, 0, 0};
    const u32 user_write_present = 0x7;

    check_true(aspace != NULL);
    check_equal(fault_handle(aspace, KERNEL_BASE + 16, &(struct trap_frame){.error = user_write_present, .eip = 0x1000}, true, &verdict), -EFAULT);
    check_true(verdict.signal == SIGSEGV && verdict.address == KERNEL_BASE + 16);
    check_equal(fault_handle(aspace, user_top(), &(struct trap_frame){.error = user_write_present, .eip = 0x1000}, true, &verdict), -EFAULT);
    case_end();
}

SELFTEST(mm_fault, error_code_is_decoded, "the error code's bits say read, write or execute")
{
    struct aspace *aspace = case_begin();
    u32 read_only = case_map(aspace, 1, PROT_READ, MAP_PRIVATE), base = page_format.mirror_pages << PAGE_SHIFT;
    struct fault_verdict verdict;

    check_true(read_only != 0);
    check_equal(fault_handle(aspace, read_only, &(struct trap_frame){.error = 0x4, .eip = 0x1000}, true, &verdict), 0);
    check_equal(fault_handle(aspace, read_only, &(struct trap_frame){.error = 0x7, .eip = 0x1000}, true, &verdict), -EFAULT);
    check_true(verdict.code == SEGV_ACCERR);
    check_equal(COUNTED(fault_protection), 1);
    if (page_format.no_execute || base) {
        check_equal(fault_handle(aspace, read_only + base, &(struct trap_frame){.error = base ? 0x4 : 0x15, .eip = read_only}, true, &verdict), -EFAULT);
        check_equal(verdict.address, read_only);
        check_equal(COUNTED(fault_execute), 1);
    }
    case_end();
}

/* ---- The stack --------------------------------------------------------- */

/* A stack of one page below its top. */
static u32
make_stack(struct aspace *aspace, u32 limit_pages)
{
    struct mmap_request request = {
        .address = aspace->stack_top - PAGE_SIZE, .bytes = PAGE_SIZE, .protection = RW, .maximum = 7,
        .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN,
    };

    aspace->stack_limit_pages = limit_pages;
    return mmap_map(aspace, &request) == 0 ? aspace->stack_top : 0;
}

SELFTEST(mm_fault, stack_grows_to_its_limit, "the stack grows to the page touched, up to its limit and not a page further")
{
    struct aspace *aspace = case_begin();
    u32 top = make_stack(aspace, 64);

    check_true(top != 0);
    check_text(case_fault(aspace, top - 10 * PAGE_SIZE, FAULT_WRITE), "fault_zero_fill");
    check_equal(COUNTED(fault_stack_growth), 1);
    check_equal(aspace->counters.fault_stack_growth, 1);
    check_equal(aspace->regions.pages, 10);
    check_text(case_fault(aspace, top - 64 * PAGE_SIZE, FAULT_WRITE), "fault_zero_fill");
    check_equal(aspace->regions.pages, 64);
    check_text(case_fault(aspace, top - 64 * PAGE_SIZE - 1, FAULT_WRITE), "fault_unmapped");
    check_true(refused(SIGSEGV, SEGV_MAPERR, top - 64 * PAGE_SIZE - 1));
    check_equal(aspace->regions.pages, 64);
    check_equal(COUNTED(fault_stack_growth), 2);
    case_end();
}

SELFTEST(mm_fault, stack_keeps_its_guard_gap, "the stack does not grow to within 256 pages of what lies below")
{
    struct aspace *aspace = case_begin();
    u32 top = make_stack(aspace, 4096), below;
    struct mmap_request request = {
        .bytes = PAGE_SIZE, .protection = RW, .maximum = 7, .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED};

    check_true(top != 0);
    below = top - 600 * PAGE_SIZE;
    request.address = below - PAGE_SIZE;
    check_equal(mmap_map(aspace, &request), 0);
    check_text(case_fault(aspace, below + 255 * PAGE_SIZE, FAULT_WRITE), "fault_unmapped");
    check_text(case_fault(aspace, below + 256 * PAGE_SIZE, FAULT_WRITE), "fault_zero_fill");
    check_text(case_fault(aspace, below + 255 * PAGE_SIZE, FAULT_WRITE), "fault_unmapped");
    check_equal(COUNTED(fault_stack_growth), 1);
    case_end();
}

SELFTEST(mm_fault, only_the_stack_grows, "a fault below any other region is refused")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 1);

    check_true(address != 0);
    check_text(case_fault(aspace, address - PAGE_SIZE, FAULT_WRITE), "fault_unmapped");
    check_equal(aspace->regions.pages, 1);
    check_equal(COUNTED(fault_stack_growth), 0);
    case_end();
}

/* ---- Objects ----------------------------------------------------------- */

SELFTEST(mm_fault, file_page_is_read_once, "a file's page is read by its first fault, which is a major one, and mapped by the next; read-only if private")
{
    struct aspace *aspace = case_begin(), *other = case_another();
    struct object *file = object_file_create(&case_device, 4096 + 5, 3 * PAGE_SIZE);
    u32 address = case_map_object(aspace, file, 1, 2, RW, MAP_PRIVATE), again = case_map_object(other, file, 0, 3, RW, MAP_PRIVATE);
    u32 rights, word, expected = 0;
    u64 transfers = case_device.transfers_read;

    check_true(file != NULL && address != 0 && again != 0);
    check_text(case_fault(aspace, address, FAULT_READ), "fault_file");
    check_equal(COUNTED(pgmajfault), 1);
    check_equal(case_device.transfers_read - transfers, 1);
    check_true(frame_at(aspace, address, &rights) != NULL && !(rights & PMAP_WRITE));
    check_text(case_fault(other, again + PAGE_SIZE, FAULT_READ), "fault_file");
    check_equal(COUNTED(pgmajfault), 1);
    check_true(frame_at(aspace, address, &rights) == frame_at(other, again + PAGE_SIZE, &rights));
    check_equal(case_device.transfers_read - transfers, 1);
    for (u32 i = 0; i < 4; i++)
        expected |= (u32)case_byte(4096 + 5 + PAGE_SIZE + 12 + i) << 8 * i;
    check_equal(user_read_word(&word, address + 12), 0);
    check_equal(word, expected);
    object_release(file);
    case_end();
}

SELFTEST(mm_fault, private_write_copies_the_page, "a private write to a file's page copies it; the file and other mappings keep theirs")
{
    struct aspace *aspace = case_begin(), *other = case_another();
    struct object *file = object_file_create(&case_device, 0, PAGE_SIZE);
    u32 address = case_map_object(aspace, file, 0, 1, RW, MAP_PRIVATE), again = case_map_object(other, file, 0, 1, PROT_READ, MAP_PRIVATE);
    u32 rights, original;

    check_true(file != NULL && address != 0 && again != 0);
    check_text(case_fault(other, again, FAULT_READ), "fault_file");
    original = case_get(other, again + 64);
    check_text(case_fault(aspace, address + 8, FAULT_WRITE), "fault_file_copy");
    check_true(frame_at(aspace, address, &rights) != frame_at(other, again, &rights));
    check_true(frame_at(aspace, address, &rights) != NULL && rights & PMAP_WRITE);
    check_equal(case_get(aspace, address + 64), original);
    case_put(aspace, address + 64, ~original);
    check_equal(case_get(other, again + 64), original);
    check_equal(case_get(aspace, address + 64), ~original);
    object_release(file);
    case_end();
}

SELFTEST(mm_fault, beyond_the_end_is_a_bus_error, "a page wholly behind the object's end is SIGBUS, BUS_ADRERR; the rest of the last page reads as zero")
{
    struct aspace *aspace = case_begin();
    struct object *file = object_file_create(&case_device, 0, PAGE_SIZE + 100);
    u32 address = case_map_object(aspace, file, 0, 4, PROT_READ, MAP_PRIVATE);

    check_true(file != NULL && address != 0);
    case_soil_frames();
    check_text(case_fault(aspace, address + 2 * PAGE_SIZE + 3, FAULT_READ), "fault_bus");
    check_true(refused(SIGBUS, BUS_ADRERR, address + 2 * PAGE_SIZE + 3));
    check_text(case_fault(aspace, address + PAGE_SIZE, FAULT_READ), "fault_file");
    check_true(case_get(aspace, address + PAGE_SIZE + 96) != 0);
    check_equal(case_get(aspace, address + PAGE_SIZE + 100), 0);
    check_equal(case_get(aspace, address + 2 * PAGE_SIZE - 4), 0);
    object_release(file);
    case_end();
}

SELFTEST(mm_fault, device_error_is_a_bus_error, "a page that cannot be read is SIGBUS; when the device works again, so does the page")
{
    struct aspace *aspace = case_begin();
    struct object *file = object_file_create(&case_device, 0, PAGE_SIZE);
    u32 address = case_map_object(aspace, file, 0, 1, PROT_READ, MAP_PRIVATE);
    u32 objects = frame_count(FRAME_OBJECT);

    check_true(file != NULL && address != 0);
    case_device_broken = true;
    check_text(case_fault(aspace, address, FAULT_READ), "fault_bus");
    check_true(refused(SIGBUS, BUS_ADRERR, address));
    check_equal(frame_count(FRAME_OBJECT), objects);
    case_device_broken = false;
    check_text(case_fault(aspace, address, FAULT_READ), "fault_file");
    object_release(file);
    case_end();
}

SELFTEST(mm_fault, tail_of_data_is_zero, "behind the end of a program's data, its last page reads as zero though the file goes on")
{
    struct aspace *aspace = case_begin();
    struct object *file = object_file_create(&case_device, 0, 2 * PAGE_SIZE);
    struct mmap_request request = {
        .bytes = PAGE_SIZE, .protection = RW, .maximum = 7, .flags = MAP_PRIVATE, .object = file, .data_end = 200};

    check_true(file != NULL);
    check_equal(mmap_map(aspace, &request), 0);
    check_true(case_get(aspace, request.address + 196) != 0);
    check_equal(case_get(aspace, request.address + 200), 0);
    check_equal(case_get(aspace, request.address + PAGE_SIZE - 4), 0);
    check_equal(COUNTED(fault_file_copy), 1);
    object_release(file);
    case_end();
}

/* ---- dirty=software ---------------------------------------------------- */

SELFTEST(mm_fault, first_write_is_trapped, "under dirty=software the first write to a clean page is a fault of its own kind; under hardware there is none")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 1), rights;
    struct anon *anon;

    check_true(address != 0);
    case_put(aspace, address, 1);
    anon = case_anon(aspace, address);
    if (swap_total() && case_evict(anon)) {
        check_text(case_fault(aspace, address, FAULT_READ), "fault_swap_in");
        check_true(frame_at(aspace, address, &rights) != NULL);
        check_equal((rights & PMAP_WRITE) != 0, !pmap_traps_first_write());
        if (pmap_traps_first_write()) {
            check_text(case_fault(aspace, address, FAULT_WRITE), "fault_dirty");
            check_true(frame_at(aspace, address, &rights) != NULL && rights & PMAP_WRITE);
            check_true(anon->frame->dirty);
        }
    }
    case_end();
}

SELFTEST(mm_fault, exhaustion_refuses_cleanly, "with no frame left and nothing to evict a fault is refused by SIGKILL, and nothing has changed")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 2), resident;

    check_true(address != 0);
    if (swap_total() == 0) {
        case_put(aspace, address, 1);
        case_evict_all();
        case_hoard(2);
        resident = aspace->pmap.resident;
        check_text(case_fault(aspace, address + PAGE_SIZE, FAULT_WRITE), "fault_no_memory");
        check_equal(case_verdict.signal, SIGKILL);
        check_equal(aspace->pmap.resident, resident);
        case_unhoard();
        check_equal(case_get(aspace, address), 1);
        check_text(case_fault(aspace, address + PAGE_SIZE, FAULT_WRITE), "fault_zero_fill");
    }
    case_end();
}

SELFTEST(mm_fault, chaos_drops_entries, "chaos=1: every fault takes some entries away, and no page loses its word")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 8), interval = chaos_interval, least;

    check_true(address != 0);
    case_fill(aspace, address, 8, 1);
    least = aspace->pmap.resident;
    chaos_interval = 1;
    for (u32 i = 0; i < 20; i++) {
        chaos_on_fault(aspace);
        least = aspace->pmap.resident < least ? aspace->pmap.resident : least;
    }
    chaos_interval = interval;
    check_true(least < 4);
    check_true(case_holds(aspace, address, 8, 1));
    case_end();
}
