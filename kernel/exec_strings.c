/* The strings of exec: a growing block. */
#include "kernel/exec_strings.h"

#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/kmem.h"
#include "mm/units.h"
#include "mm/user.h"

#include <asm/errno.h>

/* Linux's limits (MAX_ARG_STRLEN, ARG_MAX, and three quarters of the default stack). */
#define STRING_BYTES_MAXIMUM (32 * PAGE_SIZE)
#define STRINGS_LIMIT_LEAST (128u << 10)
#define STRINGS_LIMIT_MOST (6u << 20)

#define STRINGS_FIRST_CAPACITY 1024u

static void
exec_strings_initialize(struct exec_strings *strings)
{
    u32 stack = (u32)current_process()->limits[RLIMIT_STACK].rlim_cur & ~PAGE_MASK;
    u32 limit = stack / 4;

    *strings = (struct exec_strings){0};
    if (limit < STRINGS_LIMIT_LEAST)
        limit = STRINGS_LIMIT_LEAST;
    if (limit > STRINGS_LIMIT_MOST)
        limit = STRINGS_LIMIT_MOST;
    strings->limit = limit;
    strings->stack = stack > PAGE_SIZE ? stack : PAGE_SIZE;
}

void
exec_strings_release(struct exec_strings *strings)
{
    kmem_free(strings->data);
    strings->data = NULL;
}

/* Makes room for at least one byte more. */
static int
exec_strings_grow(struct exec_strings *strings)
{
    u32 capacity = strings->capacity == 0 ? STRINGS_FIRST_CAPACITY : 2 * strings->capacity;
    char *data;

    if (strings->capacity >= strings->limit)
        return -E2BIG;
    data = kmem_allocate(capacity);
    if (data == NULL)
        return -ENOMEM;
    memcpy(data, strings->data, strings->length);
    kmem_free(strings->data);
    strings->data = data;
    strings->capacity = capacity;
    return 0;
}

/* Counts a string that lies behind the others now. */
static int
exec_strings_accept(struct exec_strings *strings, u32 bytes)
{
    u32 pointers = (strings->argument_count + strings->environment_count + 1) * sizeof(u32);

    strings->length += bytes;
    return strings->length + pointers > strings->limit || strings->length > strings->stack ? -E2BIG : 0;
}

static int
exec_strings_add_user(struct exec_strings *strings, u32 address)
{
    for (;;) {
        u32 room = strings->capacity - strings->length;
        int result = room == 0 ? -ENAMETOOLONG
                               : user_copy_string(strings->data + strings->length, address,
                                                  room < STRING_BYTES_MAXIMUM ? room : STRING_BYTES_MAXIMUM);

        if (result >= 0)
            return exec_strings_accept(strings, (u32)result + 1);
        if (result != -ENAMETOOLONG)
            return result;
        if (room >= STRING_BYTES_MAXIMUM)
            return -E2BIG;
        result = exec_strings_grow(strings);
        if (result < 0)
            return result;
    }
}

static int
exec_strings_add(struct exec_strings *strings, const char *text)
{
    u32 bytes = (u32)strlen(text) + 1;

    while (strings->capacity - strings->length < bytes) {
        int result = exec_strings_grow(strings);

        if (result < 0)
            return result;
    }
    memcpy(strings->data + strings->length, text, bytes);
    return exec_strings_accept(strings, bytes);
}

/* Copies one array of strings, counting them. */
static int
exec_strings_add_user_array(struct exec_strings *strings, u32 array, u32 *count)
{
    u32 address;
    int result = 0;

    while (array != 0 && result == 0) {
        if (user_read_word(&address, array) < 0)
            return -EFAULT;
        if (address == 0)
            break;
        result = exec_strings_add_user(strings, address);
        (*count)++;
        array += sizeof(u32);
    }
    return result;
}

static int
exec_strings_add_array(struct exec_strings *strings, const char *const *array, u32 *count)
{
    int result = 0;

    for (; *array != NULL && result == 0; array++) {
        result = exec_strings_add(strings, *array);
        (*count)++;
    }
    return result;
}

/* No program expects to be without argument 0: an empty one is added, as Linux does. */
static int
exec_strings_end_arguments(struct exec_strings *strings)
{
    int result = 0;

    if (strings->argument_count == 0) {
        result = exec_strings_add(strings, "");
        strings->argument_count = 1;
    }
    strings->argument_bytes = strings->length;
    return result;
}

int
exec_strings_copy_in(struct exec_strings *strings, u32 arguments, u32 environment)
{
    int result;

    exec_strings_initialize(strings);
    result = exec_strings_add_user_array(strings, arguments, &strings->argument_count);
    if (result == 0)
        result = exec_strings_end_arguments(strings);
    if (result == 0)
        result = exec_strings_add_user_array(strings, environment, &strings->environment_count);
    return result;
}

int
exec_strings_copy(struct exec_strings *strings, const char *const *arguments, const char *const *environment)
{
    int result;

    exec_strings_initialize(strings);
    result = exec_strings_add_array(strings, arguments, &strings->argument_count);
    if (result == 0)
        result = exec_strings_end_arguments(strings);
    if (result == 0)
        result = exec_strings_add_array(strings, environment, &strings->environment_count);
    return result;
}

int
exec_strings_interpret(struct exec_strings *strings, const char *interpreter, const char *option, const char *script)
{
    const char *const before[] = {interpreter, option != NULL ? option : script, option != NULL ? script : NULL,
                                  NULL};
    struct exec_strings replaced = {.limit = strings->limit, .stack = strings->stack};
    u32 skipped = (u32)strlen(strings->data) + 1;
    u32 rest = strings->length - skipped;
    int result = exec_strings_add_array(&replaced, before, &replaced.argument_count);

    while (result == 0 && replaced.capacity - replaced.length < rest)
        result = exec_strings_grow(&replaced);
    if (result < 0) {
        exec_strings_release(&replaced);
        return result;
    }
    replaced.argument_bytes = replaced.length + strings->argument_bytes - skipped;
    memcpy(replaced.data + replaced.length, strings->data + skipped, rest);
    replaced.length += rest;
    replaced.argument_count += strings->argument_count - 1;
    replaced.environment_count = strings->environment_count;
    exec_strings_release(strings);
    *strings = replaced;
    return 0;
}
