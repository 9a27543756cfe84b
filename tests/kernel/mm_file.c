/*
 * Files that have their place on a device: what is written to a page in memory goes back to its place, once, and nothing else does.
 */
#include <asm/errno.h>
#include <linux/mman.h>

#include "kernel/lib/string.h"
#include "mm/pool.h"
#include "mm/transfer.h"
#include "mm/user.h"
#include "tests/kernel/mm_case.h"

#define RW (PROT_READ | PROT_WRITE)

/* The file lies between others, at no alignment, and ends within its fourth page. */
#define POSITION 1234u
#define PAGES    4u
#define BYTES    (3 * PAGE_SIZE + 100)

static u8 bytes[8 * PAGE_SIZE];        /* of the device */
static bool broken;                    /* it fails */
static void (*meanwhile)(void);        /* what happens while it writes */
static struct object *file;

static int
disk_read(struct block_device *device, u64 position, const struct block_piece *pieces, u32 count)
{
    (void)device;
    for (u32 i = 0; i < count; position += pieces[i++].bytes)
        memcpy(pieces[i].buffer, bytes + position, pieces[i].bytes);
    return broken ? -EIO : 0;
}

static int
disk_write(struct block_device *device, u64 position, const struct block_piece *pieces, u32 count)
{
    void (*happens)(void) = meanwhile;

    (void)device;
    meanwhile = NULL;
    if (happens)
        happens();
    if (broken)
        return -EIO;
    for (u32 i = 0; i < count; position += pieces[i++].bytes)
        memcpy(bytes + position, pieces[i].buffer, pieces[i].bytes);
    return 0;
}

static const struct block_operations disk_operations = {disk_read, disk_write};
static struct block_device disk = {.name = "disk", .bytes = sizeof(bytes), .operations = &disk_operations};

static void
begin(void)
{
    for (u32 i = 0; i < sizeof(bytes); i++)
        bytes[i] = case_byte(i);
    broken = false;
    meanwhile = NULL;
    file = object_file_create(&disk, POSITION, BYTES);
    case_count();
}

/* Bytes of the device that are not as they were at first. */
static u32
changed_bytes(void)
{
    u32 changed = 0;

    for (u32 i = 0; i < sizeof(bytes); i++)
        changed += bytes[i] != case_byte(i);
    return changed;
}

static u32
word_of_disk(u32 offset)
{
    u32 word;

    memcpy(&word, bytes + POSITION + offset, sizeof(word));
    return word;
}

static u32
word_of_file(u32 offset)
{
    u32 word = 0;

    object_read_kernel(file, offset, &word, sizeof(word));
    return word;
}

static void
write_word(u32 offset, u32 word)
{
    check_equal(object_write_kernel(file, offset, &word, sizeof(word)), sizeof(word));
}

/* A shared mapping that may be written to. */
static u32
map_file(struct aspace *aspace)
{
    return case_map_object(aspace, file, 0, PAGES, RW, MAP_SHARED);
}

SELFTEST(mm_file, evicting_writes_dirty_pages_alone, "a dirty page goes to its place when it is evicted, a clean one does not; read again it is as it was left")
{
    begin();
    write_word(PAGE_SIZE + 8, 0x11111111);
    word_of_file(0);
    word_of_file(2 * PAGE_SIZE);
    case_evict_all();
    check_equal(file->file.resident, 0);
    check_equal(COUNTED(file_write_back), 1);
    check_equal(COUNTED(reclaim_write_back), 1);
    check_equal(word_of_disk(PAGE_SIZE + 8), 0x11111111);
    check_equal(changed_bytes(), 4);
    check_equal(word_of_file(PAGE_SIZE + 8), 0x11111111);
    /* It is clean now. */
    case_evict_all();
    check_equal(COUNTED(file_write_back), 1);
    object_release(file);
}

SELFTEST(mm_file, mapping_makes_dirty, "a write through a shared mapping is found when pages are written back, each time anew; reading makes nothing dirty")
{
    struct aspace *aspace = case_begin();
    u32 address;

    begin();
    address = map_file(aspace);
    for (u32 round = 1; round < 4; round++) {
        check_equal(user_write_word(address + 2 * PAGE_SIZE, round), 0);
        case_get(aspace, address);
        check_equal(object_write_back(file, 0, PAGES), 0);
        check_equal(COUNTED(file_write_back), round);
        check_equal(word_of_disk(2 * PAGE_SIZE), round);
        check_equal(object_write_back(file, 0, PAGES), 0);
        check_equal(COUNTED(file_write_back), round);
        check_equal(case_get(aspace, address + 2 * PAGE_SIZE), round);
    }
    case_end();
    object_release(file);
}

SELFTEST(mm_file, writing_back_keeps_to_its_range, "only pages of the range are written, each once; object_write_back_all writes what is left")
{
    begin();
    for (u32 page = 0; page < PAGES; page++)
        write_word(page * PAGE_SIZE, 0xAAAA0000 + page);
    check_equal(object_write_back(file, 1, 3), 0);
    check_equal(COUNTED(file_write_back), 2);
    check_true(word_of_disk(0) != 0xAAAA0000 && word_of_disk(3 * PAGE_SIZE) != 0xAAAA0003);
    check_true(word_of_disk(PAGE_SIZE) == 0xAAAA0001 && word_of_disk(2 * PAGE_SIZE) == 0xAAAA0002);
    object_write_back_all();
    check_equal(COUNTED(file_write_back), PAGES);
    check_true(word_of_disk(0) == 0xAAAA0000 && word_of_disk(3 * PAGE_SIZE) == 0xAAAA0003);
    check_equal(object_write_back(file, 3, UINT32_MAX), 0);
    check_equal(COUNTED(file_write_back), PAGES);
    object_release(file);
}

SELFTEST(mm_file, nothing_behind_the_end_is_written, "what a mapping writes behind the file's end does not reach the device, nor the file when it is read again")
{
    struct aspace *aspace = case_begin();
    u32 address;

    begin();
    address = map_file(aspace);
    case_put(aspace, address + BYTES - 2, 0x55555555);
    case_put(aspace, address + BYTES + 50, 0x55555555);
    case_evict_all();
    check_equal(COUNTED(file_write_back), 1);
    check_equal(changed_bytes(), 2);
    check_equal(case_get(aspace, address + BYTES + 50), 0);
    check_equal(case_get(aspace, address + BYTES - 2), 0x5555);
    case_end();
    object_release(file);
}

SELFTEST(mm_file, unmapping_writes, "munmap and the end of an address space write what was written through a shared mapping; a private one, or one that is for reading only, writes nothing")
{
    struct aspace *aspace = case_begin(), *other = case_another();
    u32 address, private;
    struct mmap_request reading = {.bytes = PAGE_SIZE, .protection = PROT_READ, .maximum = PROT_READ, .flags = MAP_SHARED};

    begin();
    address = map_file(aspace);
    private = case_map_object(other, file, 0, PAGES, RW, MAP_PRIVATE);
    case_put(other, private, 0x33333333);
    case_put(aspace, address + PAGE_SIZE, 0x11111111);
    case_put(aspace, address + 2 * PAGE_SIZE, 0x22222222);
    check_equal(mmap_unmap(aspace, address, 2 * PAGE_SIZE), 0);
    check_equal(COUNTED(file_write_back), 1);
    check_equal(word_of_disk(PAGE_SIZE), 0x11111111);
    case_release(other);
    check_equal(COUNTED(file_write_back), 1);
    reading.object = file;
    check_equal(mmap_map(aspace, &reading), 0);
    write_word(0, 0x44444444);
    check_equal(mmap_unmap(aspace, reading.address, PAGE_SIZE), 0);
    check_equal(COUNTED(file_write_back), 1);
    case_end();
    check_equal(COUNTED(file_write_back), 2);
    check_equal(word_of_disk(2 * PAGE_SIZE), 0x22222222);
    object_release(file);
}

SELFTEST(mm_file, sync_writes_its_pages, "msync(MS_SYNC) writes the dirty pages of its range, MS_ASYNC none; a hole is -ENOMEM with the rest done; locked pages are not invalidated")
{
    struct aspace *aspace = case_begin();
    u32 address;

    begin();
    address = map_file(aspace);
    for (u32 page = 0; page < 3; page++)
        case_put(aspace, address + page * PAGE_SIZE, page + 1);
    check_equal(mmap_sync(aspace, address, PAGES * PAGE_SIZE, MS_ASYNC), 0);
    check_equal(COUNTED(file_write_back), 0);
    check_equal(mmap_sync(aspace, address, 1, MS_SYNC), 0);
    check_equal(COUNTED(file_write_back), 1);
    check_equal(mmap_protect(aspace, address + PAGE_SIZE, PAGE_SIZE, PROT_READ), 0);
    case_put(aspace, address, 5);
    check_equal(mmap_unmap(aspace, address, PAGE_SIZE), 0);
    case_count();
    check_equal(mmap_sync(aspace, address, PAGES * PAGE_SIZE, MS_SYNC), -ENOMEM);
    check_equal(COUNTED(file_write_back), 2);
    check_equal(word_of_disk(2 * PAGE_SIZE), 3);
    check_equal(mmap_sync(aspace, address + PAGE_SIZE, PAGE_SIZE, MS_INVALIDATE), 0);
    check_equal(mmap_lock(aspace, address + PAGE_SIZE, PAGE_SIZE), 0);
    check_equal(mmap_sync(aspace, address + PAGE_SIZE, PAGE_SIZE, MS_INVALIDATE), -EBUSY);
    case_end();
    object_release(file);
}

SELFTEST(mm_file, failed_write_loses_nothing, "where the device fails, a page stays in memory and dirty, writing back is -EIO, and a later attempt succeeds")
{
    begin();
    write_word(0, 0x77777777);
    broken = true;
    check_equal(object_write_back(file, 0, PAGES), -EIO);
    case_evict_all();
    check_equal(file->file.resident, 1);
    check_equal(COUNTED(file_write_back), 0);
    check_equal(changed_bytes(), 0);
    broken = false;
    check_equal(word_of_file(0), 0x77777777);
    check_equal(object_write_back(file, 0, PAGES), 0);
    check_equal(COUNTED(file_write_back), 1);
    check_equal(word_of_disk(0), 0x77777777);
    object_release(file);
}

SELFTEST(mm_file, failed_sync_is_told, "msync where the device fails is -EIO, each time, until the page is on the device")
{
    struct aspace *aspace = case_begin();
    u32 address;

    begin();
    address = map_file(aspace);
    case_put(aspace, address, 0x33333333);
    broken = true;
    check_equal(mmap_sync(aspace, address, PAGE_SIZE, MS_SYNC), -EIO);
    check_equal(mmap_sync(aspace, address, PAGES * PAGE_SIZE, MS_SYNC), -EIO);
    broken = false;
    check_equal(mmap_sync(aspace, address, PAGE_SIZE, MS_SYNC), 0);
    check_equal(word_of_disk(0), 0x33333333);
    case_end();
    object_release(file);
}

static struct aspace *writer;
static u32 writer_address;

static void
write_again(void)
{
    case_put(writer, writer_address, 0x2222);
}

static void
cut_off(void)
{
    check_equal(object_resize(file, PAGE_SIZE), 0);
}

SELFTEST(mm_file, change_while_writing, "a page written to while it goes to the device is dirty again; one that is cut off meanwhile is gone when the transfer is over")
{
    struct case_usage before = case_usage();

    writer = case_begin();
    begin();
    writer_address = map_file(writer) + PAGE_SIZE;
    case_put(writer, writer_address, 0x1111);
    /* The entry is there, or else who writes would wait for the transfer. */
    if (case_counters.pgfault + 1 == counters.pgfault && !pmap_traps_first_write()) {
        meanwhile = write_again;
        check_equal(object_write_back(file, 1, 2), 0);
        check_equal(object_write_back(file, 1, 2), 0);
        check_equal(COUNTED(file_write_back), 2);
        check_equal(word_of_disk(PAGE_SIZE), 0x2222);
    }
    case_put(writer, writer_address, 0x3333);
    meanwhile = cut_off;
    check_equal(object_write_back(file, 0, PAGES), 0);
    check_equal(file->bytes, PAGE_SIZE);
    check_true(!object_resident(file, 1));
    write_word(0, 0x4444);
    meanwhile = NULL;
    case_end();
    object_release(file);
    check_true(case_usage_is(&before));
}

SELFTEST(mm_file, growing_moves_the_last_page, "a file that grows keeps its whole pages on the device; its last page and those beyond are memory, which never reaches the device; mappings see them")
{
    struct case_usage before = case_usage();
    struct aspace *aspace = case_begin();
    u32 address;

    begin();
    address = case_map_object(aspace, file, 0, PAGES + 2, RW, MAP_SHARED);
    case_put(aspace, address + BYTES, 0x99999999);
    write_word(BYTES - 4, 0x12345678);
    check_equal(object_resize(file, (PAGES + 2) * PAGE_SIZE), 0);
    check_equal(object_pages(file), PAGES);
    check_equal(case_get(aspace, address + BYTES - 4), 0x12345678);
    check_equal(case_get(aspace, address + BYTES), 0);
    write_word(BYTES, 0x23456789);
    case_put(aspace, address + 5 * PAGE_SIZE, 0x34567890);
    case_put(aspace, address + PAGE_SIZE, 0x45678901);
    case_evict_all();
    check_equal(COUNTED(file_write_back), 1);
    check_equal(changed_bytes(), 4);
    check_equal(word_of_disk(PAGE_SIZE), 0x45678901);
    check_equal(word_of_file(BYTES - 4), 0x12345678);
    check_equal(word_of_file(5 * PAGE_SIZE), 0x34567890);
    check_equal(case_get(aspace, address + BYTES), 0x23456789);
    check_equal(word_of_file(4 * PAGE_SIZE), 0);
    case_end();
    object_release(file);
    check_true(case_usage_is(&before));
}

SELFTEST(mm_file, shrinking_gives_room_up, "what was cut off reads as zero when the file grows again, in the last page too, in memory or not, and its room on the device is left alone")
{
    for (u32 in_memory = 0; in_memory < 2; in_memory++) {
        begin();
        if (in_memory) {
            word_of_file(PAGE_SIZE);
            write_word(2 * PAGE_SIZE, 1);
        }
        check_equal(object_resize(file, PAGE_SIZE + 500), 0);
        check_equal(object_pages(file), 2);
        check_equal(object_resize(file, BYTES), 0);
        check_equal(word_of_file(PAGE_SIZE + 496) & 0xFF, case_byte(POSITION + PAGE_SIZE + 496));
        check_equal(word_of_file(PAGE_SIZE + 500), 0);
        check_equal(word_of_file(2 * PAGE_SIZE), 0);
        write_word(PAGE_SIZE + 600, 5);
        write_word(2 * PAGE_SIZE, 5);
        case_evict_all();
        object_write_back_all();
        check_equal(changed_bytes(), 0);
        check_equal(word_of_file(2 * PAGE_SIZE), 5);
        object_release(file);
    }
}

SELFTEST(mm_file, private_copy_leaves_the_page, "without a quota a private copy leaves the file's page in memory, for whoever reads it next")
{
    struct aspace *aspace = case_begin();
    u32 address;

    if (pool_is_local()) {
        case_end();
        return;                 /* each process has a quota */
    }
    begin();
    address = case_map_object(aspace, file, 0, PAGES, RW, MAP_PRIVATE);
    word_of_file(0);
    case_put(aspace, address, 1);
    check_true(object_resident(file, 0) && object_resident(file, 0)->evictable);
    check_true(object_resident(file, 0) != case_anon(aspace, address)->frame);
    case_end();
    object_release(file);
}

SELFTEST(mm_file, quota_spares_dirty_pages, "under a quota a private copy gives its source up only if that is clean")
{
    struct aspace *aspace = case_begin();
    u32 address;

    begin();
    aspace_limit_frames(aspace, 30);
    address = case_map_object(aspace, file, 0, PAGES, RW, MAP_PRIVATE);
    write_word(0, 0x66666666);
    word_of_file(PAGE_SIZE);
    case_put(aspace, address, 1);
    case_put(aspace, address + PAGE_SIZE, 1);
    check_true(object_resident(file, 0) && !object_resident(file, 1));
    check_equal(word_of_file(0), 0x66666666);
    case_end();
    object_release(file);
}

SELFTEST(mm_file, neighbours_end_with_the_room, "what is read in anticipation ends where pages have no place on the device")
{
    struct prefetch prefetch = {.pages = 10};
    struct frame *frame;

    begin();
    check_equal(object_resize(file, 2 * PAGE_SIZE), 0);
    check_equal(object_resize(file, 6 * PAGE_SIZE), 0);
    check_equal(object_page(file, 0, false, &frame, &prefetch), OBJECT_PAGE_READ);
    check_equal(prefetch.read, 1);
    check_equal(file->file.resident, 2);
    check_equal(object_page(file, 2, false, &frame, NULL), OBJECT_PAGE_NONE);
    object_release(file);
}

SELFTEST(mm_file, resizing_takes_pages_from_mappings, "a page cut off a file is in no page table any more: touching it is a bus error")
{
    struct aspace *aspace = case_begin();
    u32 address, word;

    begin();
    address = map_file(aspace);
    case_put(aspace, address + 2 * PAGE_SIZE, 1);
    check_equal(object_resize(file, 2 * PAGE_SIZE), 0);
    check_equal(user_read_word(&word, address + 2 * PAGE_SIZE), -EFAULT);
    check_text(case_fault(aspace, address + 2 * PAGE_SIZE, FAULT_WRITE), "fault_bus");
    check_equal(object_resize(object_zero(), 5), -EINVAL);
    case_end();
    check_equal(COUNTED(file_write_back), 0);
    object_release(file);
}

SELFTEST(mm_file, growing_without_memory_changes_nothing, "where there is no memory for the last page, growing is -ENOMEM, and the file is as it was")
{
    begin();
    write_word(BYTES - 4, 0x12345678);
    case_hoard(0);
    check_equal(object_resize(file, 10 * PAGE_SIZE), -ENOMEM);
    case_unhoard();
    check_equal(file->bytes, BYTES);
    check_equal(object_write_back(file, 0, PAGES), 0);
    check_equal(word_of_disk(BYTES - 4), 0x12345678);
    object_release(file);
}
