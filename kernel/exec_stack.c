/*
 * What a new program finds on its stack, by the i386 ABI and Linux's auxiliary vector, written in one piece:
 *
 *     stack_top  +---------------------------+
 *                | 0 (a word)                |
 *                | path of the program       |  AT_EXECFN
 *                | environment strings       |
 *                | argument strings          |
 *                | "i686"                    |  AT_PLATFORM
 *                | 16 random bytes           |  AT_RANDOM
 *                +---------------------------+
 *                | auxiliary vector, 0       |
 *                | environment pointers, 0   |
 *                | argument pointers, 0      |
 *     esp ->     | number of arguments       |  a multiple of 16
 *                +---------------------------+
 */
#include "kernel/exec.h"

#include "drivers/timer.h"
#include "kernel/entropy.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/x86/cpu.h"
#include "mm/aspace.h"
#include "mm/kmem.h"
#include "mm/mmap.h"
#include "mm/transfer.h"

#include <asm/errno.h>
#include <linux/auxvec.h>
#include <linux/mman.h>

#define STACK_ALIGNMENT 16u

/* Mapped below what exec writes, as Linux does, so that small programs need no growth; less where RLIMIT_STACK is low. */
#define STACK_ROOM (128u << 10)

#define RANDOM_BYTES 16u

static const char stack_platform[] = "i686";

/* The image of the upper end of the stack while it is put together. */
struct stack_image {
    u8 *bytes;               /* kernel memory for [start, top) */
    u32 start, top;          /* user addresses */
    u32 strings;             /* where the strings' part begins */
    u32 *next;               /* where the next word of the tables goes */
};

/* User addresses within the strings' part. */
struct stack_strings {
    u32 random, platform, arguments, environment, path;
};

struct auxiliary_entry {
    u32 type, value;
};

#define AUXILIARY_ENTRIES 17

static void
stack_fill_auxiliary(struct auxiliary_entry *vector, const struct exec_program *program,
                     const struct stack_strings *strings)
{
    const struct process *process = current_process();
    const struct identity identity =
        identity_after_exec(&process->identity, program->file.inode, process->no_new_privileges);
    const struct auxiliary_entry entries[AUXILIARY_ENTRIES] = {
        {AT_HWCAP, cpu_identity.features_edx},
        {AT_PAGESZ, PAGE_SIZE},
        {AT_CLKTCK, TIMER_HERTZ},
        {AT_PHDR, program->file.image.header_address},
        {AT_PHENT, sizeof(Elf32_Phdr)},
        {AT_PHNUM, program->file.layout.header_count},
        {AT_BASE, program->linker.layout.base},
        {AT_FLAGS, 0},
        {AT_ENTRY, program->file.layout.entry},
        {AT_UID, identity.user.real},
        {AT_EUID, identity.user.effective},
        {AT_GID, identity.group.real},
        {AT_EGID, identity.group.effective},
        {AT_SECURE, identity.user.real != identity.user.effective || identity.group.real != identity.group.effective},
        {AT_RANDOM, strings->random},
        {AT_EXECFN, strings->path},
        {AT_PLATFORM, strings->platform},
    };

    memcpy(vector, entries, sizeof(entries));
}

static u32
stack_put_bytes(struct stack_image *image, u32 address, const void *bytes, u32 count)
{
    memcpy(image->bytes + (address - image->start), bytes, count);
    return address + count;
}

/* Lays the strings out from image->strings upwards. */
static void
stack_put_strings(struct stack_image *image, const char *path, const struct exec_strings *strings,
                  struct stack_strings *placed)
{
    u32 address = image->strings;
    u8 random[RANDOM_BYTES];

    entropy_fill(random, sizeof(random));
    placed->random = address;
    address = stack_put_bytes(image, address, random, sizeof(random));
    placed->platform = address;
    address = stack_put_bytes(image, address, stack_platform, sizeof(stack_platform));
    placed->arguments = address;
    placed->environment = address + strings->argument_bytes;
    address = stack_put_bytes(image, address, strings->data, strings->length);
    placed->path = address;
    address = stack_put_bytes(image, address, path, (u32)strlen(path) + 1);
    memset(image->bytes + (address - image->start), 0, image->top - address);
}

/* The addresses of `count` strings that lie one behind the other from `address` on, and a null pointer. */
static void
stack_put_pointers(struct stack_image *image, u32 address, u32 count)
{
    while (count-- > 0) {
        *image->next++ = address;
        address += (u32)strlen((char *)image->bytes + (address - image->start)) + 1;
    }
    *image->next++ = 0;
}

static void
stack_put_tables(struct stack_image *image, const struct exec_program *program, const struct exec_strings *strings,
                 const struct stack_strings *placed)
{
    image->next = (u32 *)image->bytes;
    *image->next++ = strings->argument_count;
    stack_put_pointers(image, placed->arguments, strings->argument_count);
    stack_put_pointers(image, placed->environment, strings->environment_count);
    stack_fill_auxiliary((struct auxiliary_entry *)image->next, program, placed);
    image->next += 2 * AUXILIARY_ENTRIES;
    *image->next++ = AT_NULL;
    *image->next++ = 0;
}

/* Decides where everything goes and gets the memory for the image. */
static bool
stack_lay_out(struct stack_image *image, u32 top, const char *path, const struct exec_strings *strings)
{
    u32 string_bytes = RANDOM_BYTES + sizeof(stack_platform) + strings->length + (u32)strlen(path) + 1 + sizeof(u32);
    u32 pointers = 1 + strings->argument_count + 1 + strings->environment_count + 1 + 2 * (AUXILIARY_ENTRIES + 1);

    image->top = top;
    image->strings = (top - string_bytes) & ~(STACK_ALIGNMENT - 1);
    image->start = (image->strings - pointers * sizeof(u32)) & ~(STACK_ALIGNMENT - 1);
    image->bytes = kmem_allocate(top - image->start);
    return image->bytes != NULL;
}

/* How much to map at first, of which exec writes `written` bytes. */
static u32
stack_first_bytes(const struct aspace *aspace, u32 written)
{
    u32 pages = (written + PAGE_MASK) >> PAGE_SHIFT, most = aspace->stack_limit_pages;
    u32 roomy = pages + (STACK_ROOM >> PAGE_SHIFT);

    if (roomy > most)
        roomy = most > pages ? most : pages;
    return roomy << PAGE_SHIFT;
}

static int
stack_map(struct exec_program *program, u32 bytes)
{
    u32 protection = PROT_READ | PROT_WRITE | (program->file.image.executable_stack ? PROT_EXEC : 0);
    struct mmap_request request = {
        .address = program->aspace->stack_top - bytes,
        .bytes = bytes,
        .protection = protection,
        .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN,
        .maximum = PROT_READ | PROT_WRITE | PROT_EXEC,
    };

    return mmap_map(program->aspace, &request) < 0 ? -ENOMEM : 0;
}

int
exec_stack_build(struct exec_program *program, const struct exec_strings *strings)
{
    struct aspace *aspace = program->aspace;
    struct stack_strings placed;
    struct stack_image image;
    int result;

    if (!stack_lay_out(&image, aspace->stack_top, program->path, strings))
        return -ENOMEM;
    result = stack_map(program, stack_first_bytes(aspace, image.top - image.start));
    if (result == 0) {
        stack_put_strings(&image, program->path, strings, &placed);
        stack_put_tables(&image, program, strings, &placed);
        result = aspace_write(aspace, image.start, image.bytes, image.top - image.start);
        aspace->arguments_start = placed.arguments;
        aspace->arguments_end = placed.environment;
        aspace->environment_end = placed.path;
        aspace->auxiliary_end = image.start + (u32)((u8 *)image.next - image.bytes);
        aspace->auxiliary_start = aspace->auxiliary_end - 2 * (AUXILIARY_ENTRIES + 1) * sizeof(u32);
        program->stack_pointer = image.start;
    }
    kmem_free(image.bytes);
    return result;
}
