/* clone by the system call itself. See clone.h. */
#include "user/lib/clone.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

enum { STACK_ALIGNMENT = 16 };      /* bytes, where a function is called */

int
clone_bare(int (*body)(void *), char *top, int flags, volatile int *word)
{
    /* The child finds on its stack what it runs, and below that the argument. */
    void **first = (void **) (((uintptr_t) top & -STACK_ALIGNMENT) - STACK_ALIGNMENT) - 1;
    int result;

    first[0] = (void *) body;
    first[1] = NULL;
    __asm__ volatile("int $0x80; test %%eax, %%eax; jnz 1f; pop %%eax; call *%%eax; mov %%eax, %%ebx; mov %2, %%eax; int $0x80; 1:"
                     : "=a"(result)
                     : "0"(SYS_clone), "i"(SYS_exit), "b"(flags), "c"(first), "d"(NULL), "S"(NULL), "D"(word)
                     : "memory", "cc");
    return result;
}
