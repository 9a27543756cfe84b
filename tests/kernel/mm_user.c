/* The door to user memory: everything that may be touched is, nothing else, and the count tells how far it went. */
#include <asm/errno.h>
#include <linux/mman.h>

#include "kernel/lib/string.h"
#include "kernel/x86/cpu.h"
#include "mm/user.h"
#include "tests/kernel/mm_case.h"

#define RW (PROT_READ | PROT_WRITE)

/* Two pages, the second unmapped; its address. */
static u32
begin_edge(struct aspace **aspace)
{
    u32 address;

    *aspace = case_begin();
    address = case_memory(*aspace, 2);
    return address && mmap_unmap(*aspace, address + PAGE_SIZE, PAGE_SIZE) == 0 ? address + PAGE_SIZE : 0;
}

SELFTEST(mm_user, copies_every_byte, "copies of any length and alignment arrive whole and touch nothing beside")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 3);
    const u8 zeroes[64] = {0};
    u8 out[64], in[66];

    check_true(address != 0);
    for (u32 i = 0; i < sizeof(out); i++)
        out[i] = (u8)(i + 1);
    for (u32 length = 0; length < 40; length++)
        for (u32 shift = 0; shift < 8; shift++) {
            u32 to = address + PAGE_SIZE - 20 + shift;

            check_equal(user_copy_out(to - 1, zeroes, length + 2), 0);
            check_equal(user_copy_out(to, out + shift, length), 0);
            memset(in, 0xEE, sizeof(in));
            check_equal(user_copy_in(in, to - 1, length + 2), 0);
            check_true(in[0] == 0 && in[length + 1] == 0 && in[length + 2] == 0xEE);
            check_true(memcmp(in + 1, out + shift, length) == 0);
        }
    case_end();
}

SELFTEST(mm_user, stops_at_the_first_bad_byte, "a copy that meets unmapped memory has done every byte before it, and says how many")
{
    struct aspace *aspace;
    u32 edge = begin_edge(&aspace);
    u8 out[32], in[32];

    check_true(edge != 0);
    for (u32 i = 0; i < sizeof(out); i++)
        out[i] = (u8)(i + 1);
    for (u32 before = 0; before < 20; before++) {
        check_equal(user_copy_out_partial(edge - before, out, sizeof(out)), before);
        memset(in, 0, sizeof(in));
        check_equal(user_copy_in_partial(in, edge - before, sizeof(in)), before);
        check_true(memcmp(in, out, before) == 0 && in[before] == 0);
        check_equal(user_copy_out(edge - before, out, sizeof(out)), -EFAULT);
        check_equal(user_copy_in(in, edge - before, sizeof(in)), -EFAULT);
        check_equal(user_copy_out(edge - before, out, before), 0);
    }
    case_end();
}

SELFTEST(mm_user, the_kernel_is_out_of_reach, "no address at or above the end of user space is followed, nor a range that leads there or wraps round")
{
    struct aspace *aspace = case_begin();
    u32 word = 0x5555, kept = 0x6666, top = user_top();

    check_true(aspace != NULL);
    check_true(user_range_ok(top - 1, 1) && user_range_ok(top, 0) && user_range_ok(0, top));
    check_true(!user_range_ok(top, 1) && !user_range_ok(top - 1, 2) && !user_range_ok(1, top) && !user_range_ok(0, top + 1));
    check_true(!user_range_ok(0xFFFFFFFF, 1) && !user_range_ok(0xFFFFFFF0, 0x20) && !user_range_ok(0x1000, 0xFFFFF000));
    check_equal(user_read_word(&word, (u32)&kept), -EFAULT);
    check_equal(user_write_word((u32)&kept, 1), -EFAULT);
    check_equal(user_copy_out((u32)&kept, &word, sizeof(word)), -EFAULT);
    check_equal(user_copy_in(&word, (u32)&kept, sizeof(word)), -EFAULT);
    check_equal(user_copy_out_partial((u32)&kept, &word, sizeof(word)), 0);
    check_equal(user_copy_in_partial(&word, top - 2, sizeof(word)), 0);
    check_equal(kept, 0x6666);
    case_end();
}

SELFTEST(mm_user, the_door_is_shut_afterwards, "SMAP protects again after every way through the door, also after one that ended at a bad page")
{
    struct aspace *aspace;
    u32 edge = begin_edge(&aspace), word = 0, found = 0;
    char text[8];

    /* With SMAP it is this flag that lets user memory be touched. */
    check_true(edge != 0);
    check_equal(user_copy_out(edge - 8, "1234567", 8), 0);
    check_equal(cpu_read_eflags() & EFLAGS_ALIGNMENT_CHECK, 0);
    check_equal(user_copy_in(text, edge - 4, 8), -EFAULT);
    check_equal(cpu_read_eflags() & EFLAGS_ALIGNMENT_CHECK, 0);
    check_equal(user_read_word(&word, edge - 4), 0);
    check_equal(user_write_word(edge, word), -EFAULT);
    check_equal(cpu_read_eflags() & EFLAGS_ALIGNMENT_CHECK, 0);
    check_equal(user_copy_string(text, edge - 8, sizeof(text)), 7);
    check_equal(cpu_read_eflags() & EFLAGS_ALIGNMENT_CHECK, 0);
    check_equal(user_compare_exchange_word(edge - 4, word, word + 1, &found), 0);
    check_equal(found, word);
    check_equal(cpu_read_eflags() & EFLAGS_ALIGNMENT_CHECK, 0);
    check_equal(user_compare_exchange_word(edge, word, word + 1, &found), -EFAULT);
    check_equal(cpu_read_eflags() & EFLAGS_ALIGNMENT_CHECK, 0);
    case_end();
}

SELFTEST(mm_user, words_respect_protection, "a word is read and written where the region permits, and nowhere else")
{
    struct aspace *aspace = case_begin();
    u32 both = case_memory(aspace, 1), constant = case_map(aspace, 1, PROT_READ, MAP_PRIVATE);
    u32 nothing = case_map(aspace, 1, PROT_NONE, MAP_PRIVATE), word = 1;

    check_true(both != 0 && constant != 0 && nothing != 0);
    check_equal(user_write_word(both + 16, 0xCAFE), 0);
    check_equal(user_read_word(&word, both + 16), 0);
    check_equal(word, 0xCAFE);
    check_equal(user_read_word(&word, constant), 0);
    check_equal(word, 0);
    check_equal(user_write_word(constant, 1), -EFAULT);
    check_equal(user_read_word(&word, nothing), -EFAULT);
    check_equal(user_write_word(nothing, 1), -EFAULT);
    check_equal(user_read_word(&word, 0), -EFAULT);
    check_equal(COUNTED(fault_protection), 3);
    case_end();
}

SELFTEST(mm_user, strings_end_at_their_zero, "a string is copied with its zero and no further; without one in reach it is too long, or bad memory")
{
    struct aspace *aspace;
    u32 edge = begin_edge(&aspace);
    char text[200];

    check_true(edge != 0);
    for (u32 length = 0; length < 150; length += 7) {
        u32 address = edge - length - 1;

        memset(text, 'x', sizeof(text));
        check_equal(user_copy_out(address, text, length), 0);
        check_equal(user_copy_out(address + length, "", 1), 0);
        memset(text, 'y', sizeof(text));
        check_equal(user_copy_string(text, address, sizeof(text)), length);
        check_true(text[length] == '\0' && (length == 0 || text[length - 1] == 'x'));
        check_equal(user_copy_string(text, address, length + 1), length);
        check_equal(user_copy_string(text, address, length), -ENAMETOOLONG);
        memset(text, 'x', sizeof(text));
        check_equal(user_copy_out(address + length, "x", 1), 0);
        check_equal(user_copy_string(text, address, sizeof(text)), -EFAULT);
        check_equal(user_copy_string(text, address, length + 1), -ENAMETOOLONG);
    }
    check_equal(user_copy_string(text, KERNEL_BASE, sizeof(text)), -EFAULT);
    case_end();
}

SELFTEST(mm_user, copies_wait_for_pages, "copies bring in pages that are out of memory, or were never there, on both sides of a border")
{
    struct aspace *aspace = case_begin();
    u32 address = case_memory(aspace, 3);
    static u8 out[2 * PAGE_SIZE], in[2 * PAGE_SIZE];

    check_true(address != 0);
    for (u32 i = 0; i < sizeof(out); i++)
        out[i] = (u8)(i * 3);
    check_equal(user_copy_out(address + 100, out, sizeof(out)), 0);
    case_evict_all();
    check_equal(user_copy_in(in, address + 100, sizeof(in)), 0);
    check_true(memcmp(in, out, sizeof(in)) == 0);
    case_end();
}
