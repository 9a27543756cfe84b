/*
 * Programs damaged at random: bytes of the headers flipped, or fields set to values that are near to something, in a
 * program that stands alone and in one with a dynamic linker. Each is executed; whatever comes of it, it ends, nobody
 * else notices, and afterwards memory is as free as before.
 *
 *     bad_elf_random [SEED [PROGRAMS]]
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/elf_image.h"
#include "user/lib/random.h"
#include "user/lib/system.h"

#define FILE_NAME "/tmp/bad_elf_random"
#define LINKER "/tmp/bad_elf_random.linker"
#define KERNEL 0xC0000000

enum {
    PROGRAMS = 400, WARM_UP = 50,   /* after which memory is looked at first */
    BASE = 0x08048000, LINKER_BASE = 0x20000000, USER_TOP = 0x60000000,
    TIME_LIMIT = 5,                 /* seconds, for one that comes to run in a circle */
    LEAK = 64 << 10,                /* bytes that may have stayed in the kernel's caches */
};

static struct elf_image image;

/* ---- Damage ---- */

static uint32_t
value_draw(uint32_t old)
{
    static const uint32_t near[] = { 0, 1, PAGE_SIZE, BASE, LINKER_BASE, USER_TOP, KERNEL, INT32_MAX, UINT32_MAX, (uint32_t) -PAGE_SIZE };

    switch (draw(4)) {
    case 0:
        return old ^ 1u << draw(32);
    case 1:
        return old + draw(2 * PAGE_SIZE) - PAGE_SIZE;
    case 2:
        return draw(UINT32_MAX);
    default:
        return near[draw(sizeof near / sizeof *near)] + draw(3) - 1;
    }
}

/* Something in the headers or the linker's name, of one, two or four bytes. */
static void
image_damage(void)
{
    size_t bytes = 1u << draw(3), offset = draw(offsetof(struct elf_image, code) / bytes) * bytes;
    uint32_t value = 0;

    memcpy(&value, (char *) &image + offset, bytes);
    value = value_draw(value);
    memcpy((char *) &image + offset, &value, bytes);
}

/* ---- Trying ---- */

/* How a child ends that execs it. */
static int
program_try(void)
{
    char *const arguments[] = { FILE_NAME, NULL }, *const environment[] = { NULL };
    pid_t child = check_fork();

    if (child == 0) {
        alarm(TIME_LIMIT);
        execve(FILE_NAME, arguments, environment);
        _exit(errno);
    }
    return check_wait(child);
}

static bool
is_stuck(int status)
{
    return !WIFEXITED(status) && WTERMSIG(status) == SIGALRM;
}

static uint64_t
memory_free(void)
{
    return memory_bytes("MemFree") + memory_bytes("SwapFree");
}

int
main(int count, char **arguments)
{
    uint32_t seed = count > 1 ? (uint32_t) atoi(arguments[1]) : 1;
    int programs = count > 2 ? atoi(arguments[2]) : PROGRAMS, stuck = 0;
    uint64_t before = 0;

    random_state = seed * 2654435761u + 1;
    elf_image_make(&image, LINKER_BASE, PT_NOTE, LINKER);
    elf_image_write(&image, LINKER);
    for (int i = 0; i < programs; i++) {
        if (i == WARM_UP)
            before = memory_free();
        elf_image_make(&image, draw(3) == 0 ? 0 : BASE, draw(2) == 0 ? PT_INTERP : PT_NOTE, LINKER);
        for (uint32_t damages = 1 + draw(3); damages > 0; damages--)
            image_damage();
        elf_image_write(&image, FILE_NAME);
        stuck += is_stuck(program_try());
    }
    elf_image_make(&image, BASE, PT_INTERP, LINKER);
    elf_image_write(&image, FILE_NAME);
    check_that(stuck == 0, "%d damaged programs end (seed %u)", programs, (unsigned) seed);
    check_that(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "nobody is left over");
    check_that(program_try() == ELF_IMAGE_STATUS << 8, "a whole one still runs");
    if (getpid() == 1) {
        uint64_t after = memory_free();
        check_that(programs <= WARM_UP || after + LEAK >= before, "memory is as free as before: %ld KiB less", (long) (before - after) / 1024);
    } else {
        check_skip("memory, which others use here as well");
    }
    unlink(FILE_NAME);
    unlink(LINKER);
    return check_end();
}
