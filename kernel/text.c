/*
 * Text that grows. The memory doubles, so that printing n bytes copies at most 2n.
 *
 * Invariant: data is NULL and capacity 0, or data[length] is NUL and length < capacity.
 */
#include "kernel/text.h"

#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "mm/kmem.h"

#include <stdarg.h>

#define TEXT_FIRST_BYTES 128u

/* Makes room for `more` bytes and the NUL. */
static bool
text_reserve(struct text_buffer *text, usize more)
{
    usize capacity = text->capacity == 0 ? TEXT_FIRST_BYTES : text->capacity;
    char *data;

    if (text->failed)
        return false;
    if (more < text->capacity - text->length)
        return true;
    while (capacity - text->length <= more)
        capacity *= 2;
    data = kmem_allocate(capacity);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    memcpy(data, text->data, text->length);
    data[text->length] = '\0';
    kmem_free(text->data);
    text->data = data;
    text->capacity = capacity;
    return true;
}

void
text_append(struct text_buffer *text, const void *data, usize length)
{
    if (!text_reserve(text, length))
        return;
    memcpy(text->data + text->length, data, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void
text_prepend(struct text_buffer *text, const char *data, usize length)
{
    if (!text_reserve(text, length))
        return;
    memmove(text->data + length, text->data, text->length + 1);
    memcpy(text->data, data, length);
    text->length += length;
}

void
text_print(struct text_buffer *text, const char *format, ...)
{
    va_list arguments;
    usize room = text->capacity - text->length;
    int length;

    if (text->failed)
        return;
    va_start(arguments, format);
    length = vformat(room == 0 ? NULL : text->data + text->length, room, format, arguments);
    va_end(arguments);
    if ((usize)length >= room) {
        if (!text_reserve(text, length))
            return;
        va_start(arguments, format);
        vformat(text->data + text->length, text->capacity - text->length, format, arguments);
        va_end(arguments);
    }
    text->length += length;
}

void
text_free(struct text_buffer *text)
{
    kmem_free(text->data);
    *text = (struct text_buffer){0};
}
