/*
 * Numbers in a hash table of chains, which doubles when chains get longer than one on average; and a bitmap of those in
 * use, where the next one is found.
 */
#include "kernel/pid.h"

#include "kernel/assert.h"
#include "kernel/command_line.h"
#include "kernel/lib/bitmap.h"
#include "kernel/x86/cpu.h"
#include "mm/kmem.h"

#define PID_LIMIT_DEFAULT 32768u

u32 pid_limit = PID_LIMIT_DEFAULT;
BOOT_NUMBER(pid_max, pid_limit, PID_WRAP_START + 1, PID_LIMIT_DEFAULT, "process numbers lie below this");

#define PID_FIRST_BUCKETS 64u

LIST_HEAD(pid_chain, pid);

static struct kmem_cache pid_cache = KMEM_CACHE("pid", sizeof(struct pid), _Alignof(struct pid));
static struct pid_chain pid_first_table[PID_FIRST_BUCKETS];
static struct pid_chain *pid_table = pid_first_table;
static u32 pid_buckets = PID_FIRST_BUCKETS;    /* a power of two */
static u32 pid_used[BITMAP_WORDS(PID_LIMIT_DEFAULT)];    /* a bit for each number */
static u32 pid_count;
static u32 pid_newest;

static struct pid_chain *
pid_chain_of(u32 number)
{
    return &pid_table[number & (pid_buckets - 1)];
}

struct pid *
pid_find(u32 number)
{
    struct pid *pid;

    LIST_FOREACH(pid, pid_chain_of(number), hash_link) {
        if (pid->number == number)
            return pid;
    }
    return NULL;
}

/* Failing to grow costs speed only. */
static void
pid_grow_table(void)
{
    u32 old_buckets = pid_buckets;
    struct pid_chain *old = pid_table;
    struct pid_chain *larger = kmem_allocate_zeroed(2 * old_buckets * sizeof(*larger));
    u32 interrupts;

    if (larger == NULL)
        return;
    interrupts = interrupts_save();
    pid_table = larger;
    pid_buckets = 2 * old_buckets;
    for (u32 bucket = 0; bucket < old_buckets; bucket++) {
        struct pid *pid;

        while ((pid = LIST_FIRST(&old[bucket])) != NULL) {
            LIST_REMOVE(pid, hash_link);
            LIST_INSERT_HEAD(pid_chain_of(pid->number), pid, hash_link);
        }
    }
    interrupts_restore(interrupts);
    if (old != pid_first_table)
        kmem_free(old);
}

u32
pid_in_use(void)
{
    return pid_count;
}

u32
pid_next(u32 number)
{
    u32 mask = UINT32_MAX << number % BITMAP_WORD_BITS;     /* of the first word, from this number on; of others all */

    for (u32 word = number / BITMAP_WORD_BITS; word < ARRAY_SIZE(pid_used); word++) {
        u32 bits = pid_used[word] & mask;

        if (bits != 0)
            return word * BITMAP_WORD_BITS + (u32)__builtin_ctz(bits);
        mask = UINT32_MAX;
    }
    return 0;
}

static u32
pid_next_free(void)
{
    u32 number = pid_newest;

    do {
        if (++number >= pid_limit)
            number = PID_WRAP_START;
    } while (bitmap_test(pid_used, number));
    return number;
}

struct pid *
pid_allocate(void)
{
    struct pid *pid;
    u32 interrupts;

    if (pid_count >= pid_limit - PID_WRAP_START)
        return NULL;
    pid = kmem_cache_allocate(&pid_cache);
    if (pid == NULL)
        return NULL;
    if (pid_count >= pid_buckets)
        pid_grow_table();
    pid->number = pid_newest = pid_next_free();
    bitmap_set(pid_used, pid->number);
    pid->references = 1;
    pid->process = NULL;
    pid->thread = NULL;
    LIST_INIT(&pid->group);
    interrupts = interrupts_save();
    LIST_INSERT_HEAD(pid_chain_of(pid->number), pid, hash_link);
    interrupts_restore(interrupts);
    pid_count++;
    return pid;
}

struct pid *
pid_hold(struct pid *pid)
{
    pid->references++;
    return pid;
}

void
pid_release(struct pid *pid)
{
    u32 interrupts;

    assert(pid->references > 0);
    if (--pid->references > 0)
        return;
    interrupts = interrupts_save();
    LIST_REMOVE(pid, hash_link);
    interrupts_restore(interrupts);
    bitmap_clear(pid_used, pid->number);
    pid_count--;
    kmem_cache_free(&pid_cache, pid);
}

u32
pid_last(void)
{
    return pid_newest;
}
