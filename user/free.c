/*
 * free: how much memory and swap area there is, and how much of it is free.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "user/lib/system.h"

static void
line_print(const char *name, const char *total_name, const char *free_name)
{
    unsigned long total = memory_bytes(total_name) >> 10, unused = memory_bytes(free_name) >> 10;
    printf("%-5s %10lu %10lu %10lu\n", name, total, total - unused, unused);
}

int
main(void)
{
    printf("%-5s %10s %10s %10s\n", "KiB", "total", "used", "free");
    line_print("Mem", "MemTotal", "MemFree");
    line_print("Swap", "SwapTotal", "SwapFree");
    return EXIT_SUCCESS;
}
