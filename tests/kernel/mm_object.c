/*
 * Objects: pages of files read on demand, pages of anonymous objects made on demand, sizes that change, references.
 */
#include <asm/errno.h>
#include <linux/mman.h>

#include "kernel/lib/string.h"
#include "mm/transfer.h"
#include "mm/user.h"
#include "tests/kernel/mm_case.h"

#define RW (PROT_READ | PROT_WRITE)

static bool
is_file_text(const u8 *bytes, u64 position, u32 count)
{
    for (u32 i = 0; i < count; i++)
        if (bytes[i] != case_byte(position + i))
            return false;
    return true;
}

static bool
is_filled(const u8 *bytes, u32 count, u8 with)
{
    for (u32 i = 0; i < count; i++)
        if (bytes[i] != with)
            return false;
    return true;
}

SELFTEST(mm_object, file_reads_what_is_there, "any range of a file is read right, short at the end, from a position that need not be aligned")
{
    static u8 bytes[3 * PAGE_SIZE];
    const u64 position = 1234;
    const u32 size = 2 * PAGE_SIZE + 77;
    struct object *file = object_file_create(&case_device, position, size);

    check_true(file != NULL);
    check_equal(object_read_kernel(file, 0, bytes, 10), 10);
    check_true(is_file_text(bytes, position, 10));
    check_equal(object_read_kernel(file, PAGE_SIZE - 5, bytes, 10), 10);
    check_true(is_file_text(bytes, position + PAGE_SIZE - 5, 10));
    check_equal(object_read_kernel(file, 100, bytes, sizeof(bytes)), size - 100);
    check_true(is_file_text(bytes, position + 100, size - 100));
    check_equal(object_read_kernel(file, size, bytes, 10), 0);
    check_equal(object_read_kernel(file, (u64)1 << 40, bytes, 10), 0);
    check_equal(file->file.resident, 3);
    object_release(file);
}

SELFTEST(mm_object, file_pages_stay_and_go, "each page is read once while it is in memory; with the last reference all frames come back")
{
    struct case_usage before = case_usage();
    struct object *file = object_file_create(&case_device, 0, 5 * PAGE_SIZE);
    u64 transfers = case_device.transfers_read;
    u32 word;

    check_true(file != NULL);
    for (u32 round = 0; round < 3; round++)
        for (u32 i = 0; i < 5; i += 2)
            check_equal(object_read_kernel(file, i * PAGE_SIZE, &word, sizeof(word)), sizeof(word));
    check_equal(case_device.transfers_read - transfers, 3);
    check_equal(frame_count(FRAME_OBJECT), before.object + 3);
    check_true(object_resident(file, 2) && !object_resident(file, 1) && !object_resident(file, 99));
    object_hold(file);
    object_release(file);
    check_equal(frame_count(FRAME_OBJECT), before.object + 3);
    object_release(file);
    check_true(case_usage_is(&before));
}

SELFTEST(mm_object, mapping_holds_the_object, "a mapping keeps its object when everybody else has let go of it")
{
    struct case_usage before = case_usage();
    struct aspace *aspace = case_begin();
    struct object *file = object_file_create(&case_device, 0, 2 * PAGE_SIZE);
    u32 address = case_map_object(aspace, file, 0, 2, PROT_READ, MAP_PRIVATE), word;

    check_true(file != NULL && address != 0);
    check_equal(file->references, 2);
    object_release(file);
    word = case_get(aspace, address);
    check_equal(word & 0xFF, case_byte(0));
    check_equal(mmap_unmap(aspace, address, PAGE_SIZE), 0);
    check_equal(case_get(aspace, address + PAGE_SIZE) & 0xFF, case_byte(PAGE_SIZE));
    check_equal(mmap_unmap(aspace, address + PAGE_SIZE, PAGE_SIZE), 0);
    check_true(case_usage_is(&before));
    case_end();
}

SELFTEST(mm_object, device_error_is_reported, "a read that the device fails is -EIO, or short if something was read; nothing stays behind")
{
    struct case_usage before = case_usage();
    struct object *file = object_file_create(&case_device, 0, 3 * PAGE_SIZE);
    u32 word;

    check_true(file != NULL);
    case_device_broken = true;
    check_equal(object_read_kernel(file, 0, &word, sizeof(word)), -EIO);
    check_equal(file->file.resident, 0);
    case_device_broken = false;
    check_equal(object_read_kernel(file, 0, &word, sizeof(word)), sizeof(word));
    object_release(file);
    /* Behind the end of the device. */
    file = object_file_create(&case_device, CASE_DEVICE_BYTES - 100, PAGE_SIZE);
    check_true(file != NULL);
    check_equal(object_read_kernel(file, 0, &word, sizeof(word)), -EIO);
    object_release(file);
    check_true(case_usage_is(&before));
}

SELFTEST(mm_object, anonymous_is_zero_at_first, "a hole reads as zero and takes no frame; what was written is there, its neighbours are zero")
{
    static u8 bytes[2 * PAGE_SIZE];
    struct case_usage before = case_usage();
    struct object *object;

    case_soil_frames();
    object = object_anonymous_create(100 * PAGE_SIZE);
    check_true(object != NULL);
    check_equal(object_read_kernel(object, 40 * PAGE_SIZE, bytes, sizeof(bytes)), sizeof(bytes));
    check_true(is_filled(bytes, sizeof(bytes), 0));
    check_equal(frame_count(FRAME_ANONYMOUS), before.anonymous);
    check_equal(object_write_kernel(object, 41 * PAGE_SIZE - 3, "abcdef", 6), 6);
    check_equal(frame_count(FRAME_ANONYMOUS), before.anonymous + 2);
    check_equal(object_read_kernel(object, 40 * PAGE_SIZE, bytes, sizeof(bytes)), sizeof(bytes));
    check_true(is_filled(bytes, PAGE_SIZE - 3, 0) && is_filled(bytes + PAGE_SIZE + 3, PAGE_SIZE - 3, 0));
    check_true(memcmp(bytes + PAGE_SIZE - 3, "abcdef", 6) == 0);
    object_release(object);
    check_true(case_usage_is(&before));
}

SELFTEST(mm_object, shrinking_takes_pages_away, "shrinking frees the pages behind the new end, out of every mapping; touching them is a bus error")
{
    struct case_usage before = case_usage();
    struct aspace *aspace = case_begin();
    struct object *object = object_anonymous_create(80 * PAGE_SIZE);
    u32 address = case_map_object(aspace, object, 0, 80, RW, MAP_SHARED), word;

    check_true(object != NULL && address != 0);
    case_fill(aspace, address, 80, 1);
    check_equal(object_resize(object, 37 * PAGE_SIZE), 0);
    check_equal(frame_count(FRAME_ANONYMOUS), before.anonymous + 37);
    check_equal(user_read_word(&word, address + 37 * PAGE_SIZE), -EFAULT);
    check_equal(user_read_word(&word, address + 79 * PAGE_SIZE), -EFAULT);
    check_text(case_fault(aspace, address + 37 * PAGE_SIZE, FAULT_READ), "fault_bus");
    check_true(case_holds(aspace, address, 37, 1));
    check_equal(object_resize(object, 80 * PAGE_SIZE), 0);
    check_equal(case_get(aspace, address + 37 * PAGE_SIZE), 0);
    check_equal(case_get(aspace, address + 64 * PAGE_SIZE), 0);
    object_release(object);
    case_end();
    check_true(case_usage_is(&before));
}

SELFTEST(mm_object, rest_of_the_last_page_is_cleared, "what lay behind the new end within its page is zero when the object grows again")
{
    struct aspace *aspace = case_begin();
    struct object *object = object_anonymous_create(2 * PAGE_SIZE);
    u32 address = case_map_object(aspace, object, 0, 2, RW, MAP_SHARED);
    static u8 bytes[PAGE_SIZE];

    check_true(object != NULL && address != 0);
    memset(bytes, 0x7F, sizeof(bytes));
    check_equal(object_write_kernel(object, 0, bytes, PAGE_SIZE), PAGE_SIZE);
    check_equal(object_resize(object, 1001), 0);
    check_equal(object_resize(object, 2 * PAGE_SIZE), 0);
    check_equal(object_read_kernel(object, 0, bytes, PAGE_SIZE), PAGE_SIZE);
    check_true(is_filled(bytes, 1001, 0x7F) && is_filled(bytes + 1001, PAGE_SIZE - 1001, 0));
    check_equal(case_get(aspace, address + 1004), 0);
    object_release(object);
    case_end();
}

SELFTEST(mm_object, changes_survive_eviction, "what was written to a page that has a copy in the swap area, and what shrinking cleared in it, is not lost by eviction")
{
    struct object *object = object_anonymous_create(PAGE_SIZE);
    u32 word = 1, zero = 5;

    check_true(object != NULL);
    check_equal(object_write_kernel(object, 0, &word, sizeof(word)), sizeof(word));
    check_equal(object_write_kernel(object, 2000, &word, sizeof(word)), sizeof(word));
    for (u32 round = 2; round < 5; round++) {
        case_evict_all();
        check_equal(object_read_kernel(object, 0, &word, sizeof(word)), sizeof(word));
        check_equal(word, round - 1);
        check_equal(object_write_kernel(object, 0, &round, sizeof(round)), sizeof(round));
    }
    case_evict_all();
    check_equal(object_read_kernel(object, 2000, &word, sizeof(word)), sizeof(word));
    check_equal(word, 1);
    check_equal(object_resize(object, 1000), 0);
    case_evict_all();
    check_equal(object_resize(object, PAGE_SIZE), 0);
    check_equal(object_read_kernel(object, 2000, &zero, sizeof(zero)), sizeof(zero));
    check_equal(zero, 0);
    object_release(object);
}

SELFTEST(mm_object, budget_is_kept, "objects together get no more pages than their budget; what is cut off, punched out or released counts no longer, in memory or not")
{
    struct object_budget budget = {.limit = 4};
    struct object *one = object_anonymous_create(10 * PAGE_SIZE), *other = object_anonymous_create(10 * PAGE_SIZE);
    struct aspace *aspace = case_begin();
    u32 address, word = 1;

    check_true(one != NULL && other != NULL);
    one->budget = other->budget = &budget;
    address = case_map_object(aspace, other, 0, 10, RW, MAP_SHARED);
    check_equal(object_populate(one, 0, 3), 0);
    check_equal(object_write_kernel(other, 0, &word, sizeof(word)), sizeof(word));
    check_equal(object_write_kernel(other, PAGE_SIZE, &word, sizeof(word)), -ENOSPC);
    check_text(case_fault(aspace, address + PAGE_SIZE, FAULT_WRITE), "fault_bus");
    check_equal(object_write_kernel(other, 4, &word, sizeof(word)), sizeof(word));
    check_equal(budget.used, 4);
    case_evict_all();
    check_equal(budget.used, 4);
    check_equal(object_resize(one, 2 * PAGE_SIZE), 0);
    check_equal(budget.used, 3);
    object_punch(one, 0, 1);
    check_equal(budget.used, 2);
    object_release(one);
    check_equal(budget.used, 1);
    case_end();
    object_release(other);
    check_equal(budget.used, 0);
}

SELFTEST(mm_object, holes_are_found, "pages and holes are found, whole chunks of holes too; a cleared range is zero to the byte, and whole pages of it are holes")
{
    struct object *object = object_anonymous_create(200 * PAGE_SIZE);
    static u8 bytes[3 * PAGE_SIZE];

    check_true(object != NULL);
    check_equal(object_find_page(object, 0, 200), 200);
    check_equal(object_populate(object, 100, 103), 0);
    check_equal(object_find_page(object, 0, 200), 100);
    check_equal(object_find_page(object, 102, 200), 102);
    check_equal(object_find_page(object, 103, 200), 200);
    check_equal(object_find_page(object, 0, 50), 50);
    check_equal(object_find_hole(object, 100, 200), 103);
    check_equal(object_find_hole(object, 100, 102), 102);
    check_equal(object_find_hole(object, 5, 200), 5);
    memset(bytes, 7, sizeof(bytes));
    check_equal(object_write_kernel(object, 100 * PAGE_SIZE, bytes, sizeof(bytes)), (int)sizeof(bytes));
    check_equal(object_clear(object, 100 * PAGE_SIZE + 10, 2 * PAGE_SIZE), 0);
    check_equal(object_find_hole(object, 100, 200), 101);
    case_evict_all();
    check_equal(object_read_kernel(object, 100 * PAGE_SIZE, bytes, sizeof(bytes)), (int)sizeof(bytes));
    check_true(is_filled(bytes, 10, 7) && is_filled(bytes + 10, 2 * PAGE_SIZE, 0)
               && is_filled(bytes + 2 * PAGE_SIZE + 10, PAGE_SIZE - 10, 7));
    object_release(object);
}

SELFTEST(mm_object, mapping_and_writing_are_one, "what is written to the object shows in a shared mapping and the other way; a private one keeps its copy")
{
    struct aspace *aspace = case_begin(), *other = case_another();
    struct object *object = object_anonymous_create(2 * PAGE_SIZE);
    u32 shared = case_map_object(aspace, object, 0, 2, RW, MAP_SHARED), private = case_map_object(other, object, 0, 2, RW, MAP_PRIVATE);
    u32 word = 0x11111111;

    check_true(object != NULL && shared != 0 && private != 0);
    check_equal(object_write_kernel(object, 8, &word, sizeof(word)), sizeof(word));
    check_equal(case_get(aspace, shared + 8), 0x11111111);
    check_equal(case_get(other, private + 8), 0x11111111);
    check_equal(user_write_word(shared + 8, 0x22222222), 0);
    check_equal(object_read_kernel(object, 8, &word, sizeof(word)), sizeof(word));
    check_equal(word, 0x22222222);
    check_equal(case_get(other, private + 8), 0x22222222);
    case_put(other, private + 8, 0x33333333);
    check_equal(case_get(aspace, shared + 8), 0x22222222);
    check_equal(user_write_word(shared + 8, 0x44444444), 0);
    check_equal(case_get(other, private + 8), 0x33333333);
    object_release(object);
    case_end();
}

SELFTEST(mm_object, user_transfers_stop_at_bad_memory, "reading into and writing from bad memory ends there, with the count so far, or -EFAULT if none")
{
    struct aspace *aspace = case_begin();
    struct object *object = object_anonymous_create(4 * PAGE_SIZE);
    u32 address = case_memory(aspace, 2);

    check_true(object != NULL && address != 0);
    check_equal(mmap_unmap(aspace, address + PAGE_SIZE, PAGE_SIZE), 0);
    check_equal(user_write_word(address + PAGE_SIZE - 4, 0x01020304), 0);
    check_equal(object_write_user(object, 10, address + PAGE_SIZE - 4, 100), 4);
    check_equal(object_write_user(object, 10, address + PAGE_SIZE, 100), -EFAULT);
    check_equal(object_read_user(object, 10, address + PAGE_SIZE - 2, 100), 2);
    check_equal(object_read_user(object, 10, address + PAGE_SIZE, 100), -EFAULT);
    check_equal(object_read_user(object, 10, KERNEL_BASE, 100), -EFAULT);
    check_equal(case_get(aspace, address + PAGE_SIZE - 4), 0x03040304);
    object_release(object);
    case_end();
}

SELFTEST(mm_object, names_are_copied, "the name shown in maps is a copy, replaced as a whole")
{
    struct object *object = object_anonymous_create(PAGE_SIZE);
    char name[] = "/tmp/one";

    check_true(object != NULL);
    check_equal(object_set_name(object, name, 5), 0);
    name[5] = 'X';
    check_text(object->name, "/tmp/one");
    check_equal(object_set_name(object, "/tmp/two", 6), 0);
    check_text(object->name, "/tmp/two");
    check_equal(object->inode_number, 6);
    object_release(object);
}
