/*
 * Questions to the kernel, asked through /proc. See system.h.
 *
 * Nothing here is fast, and everything allocates: a program that counts faults
 * asks before it starts to count, or takes a few of them as tolerance.
 */
#include "user/lib/system.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* How often a page is touched and looked for: between the two its entry may vanish again, but hardly each time. */
enum { ATTEMPTS = 10 };

/* Frames more than asked for that may be left free. */
enum { SLACK = 8 };

char *
file_text(const char *path)
{
    int file = open(path, O_RDONLY);
    if (file < 0)
        return NULL;

    size_t length = 0, capacity = PAGE_SIZE;
    char *text = malloc(capacity);
    ssize_t got = -1;
    while (text != NULL && (got = read(file, text + length, capacity - 1 - length)) > 0) {
        length += got;
        if (length == capacity - 1) {
            char *larger = realloc(text, capacity *= 2);
            if (larger == NULL)
                free(text);
            text = larger;
        }
    }
    close(file);
    if (text == NULL || got < 0) {
        free(text);
        return NULL;
    }
    text[length] = '\0';
    return text;
}

bool
system_is_belady(void)
{
    char *version = file_text("/proc/version");
    bool is_belady = version != NULL && strncmp(version, "Belady ", strlen("Belady ")) == 0;

    free(version);
    return is_belady;
}

bool
setting_write(const char *path, const char *value)
{
    int file = open(path, O_WRONLY);
    bool taken = file >= 0 && write(file, value, strlen(value)) == (ssize_t) strlen(value);
    int error = errno;

    if (file >= 0)
        close(file);
    errno = error;
    return taken;
}

const char *
switch_value(const char *name, const char *otherwise)
{
    char *line = file_text("/proc/cmdline");
    const char *value = otherwise;
    size_t length = strlen(name);

    for (char *word = line == NULL ? NULL : strtok(line, " \n"); word != NULL; word = strtok(NULL, " \n")) {
        if (strcmp(word, "--") == 0)
            break;
        if (strncmp(word, name, length) == 0 && word[length] == '=')
            value = word + length + 1;
    }
    /* The line is not freed: the answer points into it. */
    return value;
}

bool
switch_is(const char *name, const char *otherwise, const char *value)
{
    return strcmp(switch_value(name, otherwise), value) == 0;
}

uint64_t
memory_bytes(const char *name)
{
    char *text = file_text("/proc/meminfo");
    size_t length = strlen(name);
    uint64_t bytes = 0;

    for (char *line = text == NULL ? NULL : strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            bytes = strtoull(line + length + 1, NULL, 10) * 1024;
    free(text);
    return bytes;
}

bool
memory_leave(size_t frames)
{
    size_t pages;

    /* Bit by bit, since locking takes memory for the kernel too. */
    while ((pages = memory_bytes("MemFree") / PAGE_SIZE) > frames + SLACK) {
        size_t bytes = (pages - frames) * 7 / 8 * PAGE_SIZE;
        void *filling = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (filling == MAP_FAILED || mlock(filling, bytes) != 0 || madvise(filling, bytes, MADV_DONTFORK) != 0)
            return false;
    }
    return true;
}

void
frames_limit(unsigned frames)
{
    struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

    if (frames != FRAMES_UNLIMITED)
        limit.rlim_cur = (rlim_t) frames * PAGE_SIZE;
    setrlimit(RLIMIT_RSS, &limit);
}

uint64_t
pagemap_entry(const void *address)
{
    /* Opened each time: a descriptor that a child inherits would go on showing its parent's pages. */
    int file = open("/proc/self/pagemap", O_RDONLY);
    uint64_t entry = 0;

    if (file < 0)
        return 0;
    if (pread(file, &entry, sizeof entry, (uintptr_t) address / PAGE_SIZE * sizeof entry) != sizeof entry)
        entry = 0;
    close(file);
    return entry;
}

uint64_t
pagemap_frame(const void *address)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        (void) *(const volatile char *) address;
        uint64_t entry = pagemap_entry(address);
        if (entry & PAGEMAP_PRESENT)
            return entry & PAGEMAP_FRAME;
    }
    return 0;
}

size_t
pagemap_present(const void *address, size_t pages)
{
    size_t present = 0;
    for (size_t page = 0; page < pages; page++)
        if (pagemap_entry((const char *) address + page * PAGE_SIZE) & PAGEMAP_PRESENT)
            present++;
    return present;
}
