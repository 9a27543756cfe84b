/*
 * The one door to user memory.
 *
 * The copying instructions may fault: the page fault handler resolves the fault
 * if the program itself would have had the page, and otherwise goes on at the
 * landing that TRAP_FIXUP names. Between user_access_begin and user_access_end
 * a processor with SMAP lets the kernel touch user pages.
 */
#include "mm/user.h"

#include <asm/errno.h>

#include "kernel/lib/string.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/trap.h"
#include "mm/pmap.h"

/* Strings are copied in pieces of this size, which do not cross a page. */
#define STRING_PIECE 64u

bool
user_range_ok(u32 address, usize bytes)
{
    return bytes <= user_top() && address <= user_top() - bytes;
}

/* Copies words, then bytes; a word that faults is tried again byte by byte, so
 * that every byte before the bad one is copied. Returns the bytes not copied. */
static usize
door_copy(void *to, const void *from, usize bytes)
{
    usize left = bytes / sizeof(u32);

    user_access_begin();
    asm volatile("1: rep movsl\n"
                 "   movl %[tail], %%ecx\n"
                 "2: rep movsb\n"
                 "   jmp 4f\n"
                 "3: leal (%[tail], %%ecx, 4), %%ecx\n"
                 "   jmp 2b\n"
                 "4:\n"
                 TRAP_FIXUP("1b", "3b")
                 TRAP_FIXUP("2b", "4b")
                 : "+c"(left), "+S"(from), "+D"(to)
                 : [tail] "r"(bytes % sizeof(u32))
                 : "memory");
    user_access_end();
    return left;
}

usize
user_copy_in_partial(void *to, u32 from, usize bytes)
{
    if (!user_range_ok(from, bytes)) {
        if (from >= user_top())
            return 0;
        bytes = user_top() - from;
    }
    return bytes - door_copy(to, (const void *)from, bytes);
}

usize
user_copy_out_partial(u32 to, const void *from, usize bytes)
{
    if (!user_range_ok(to, bytes)) {
        if (to >= user_top())
            return 0;
        bytes = user_top() - to;
    }
    return bytes - door_copy((void *)to, from, bytes);
}

int
user_copy_in(void *to, u32 from, usize bytes)
{
    return user_range_ok(from, bytes) && door_copy(to, (const void *)from, bytes) == 0 ? 0 : -EFAULT;
}

int
user_copy_out(u32 to, const void *from, usize bytes)
{
    return user_range_ok(to, bytes) && door_copy((void *)to, from, bytes) == 0 ? 0 : -EFAULT;
}

int
user_read_word(u32 *value, u32 address)
{
    int error = 0;
    u32 word = 0;

    if (!user_range_ok(address, sizeof(word)))
        return -EFAULT;
    user_access_begin();
    asm volatile("1: movl %[from], %[word]\n"
                 "   jmp 3f\n"
                 "2: movl %[fault], %[error]\n"
                 "3:\n"
                 TRAP_FIXUP("1b", "2b")
                 : [word] "+r"(word), [error] "+r"(error)
                 : [from] "m"(*(const u32 *)address), [fault] "i"(-EFAULT));
    user_access_end();
    *value = word;
    return error;
}

int
user_write_word(u32 address, u32 value)
{
    int error = 0;

    if (!user_range_ok(address, sizeof(value)))
        return -EFAULT;
    user_access_begin();
    asm volatile("1: movl %[value], %[to]\n"
                 "   jmp 3f\n"
                 "2: movl %[fault], %[error]\n"
                 "3:\n"
                 TRAP_FIXUP("1b", "2b")
                 : [to] "=m"(*(u32 *)address), [error] "+r"(error)
                 : [value] "r"(value), [fault] "i"(-EFAULT));
    user_access_end();
    return error;
}

int
user_compare_exchange_word(u32 address, u32 expected, u32 value, u32 *found)
{
    int error = 0;

    if (!user_range_ok(address, sizeof(value)))
        return -EFAULT;
    user_access_begin();
    asm volatile("1: lock cmpxchgl %[value], %[to]\n"
                 "   jmp 3f\n"
                 "2: movl %[fault], %[error]\n"
                 "3:\n"
                 TRAP_FIXUP("1b", "2b")
                 : [to] "+m"(*(u32 *)address), "+a"(expected), [error] "+r"(error)
                 : [value] "r"(value), [fault] "i"(-EFAULT)
                 : "cc");
    user_access_end();
    *found = expected;
    return error;
}

int
user_copy_string(char *to, u32 from, usize size)
{
    usize done = 0;

    while (done < size) {
        usize piece = STRING_PIECE - (from + done) % STRING_PIECE, copied;
        const char *end;

        piece = piece < size - done ? piece : size - done;
        copied = user_copy_in_partial(to + done, (u32)(from + done), piece);
        end = memchr(to + done, '\0', copied);
        if (end)
            return (int)(end - to);
        if (copied < piece)
            return -EFAULT;
        done += piece;
    }
    return -ENAMETOOLONG;
}
