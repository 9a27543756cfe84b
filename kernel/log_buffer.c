/* The log's last lines, in a ring of bytes. */
#include "kernel/log_buffer.h"

#include "kernel/assert.h"
#include "kernel/x86/cpu.h"

static char bytes_kept[LOG_BUFFER_BYTES];
static u32 first;           /* start of the oldest line */
static u32 end;             /* behind the newest one; end - first <= LOG_BUFFER_BYTES */

static char *
byte_at(u32 position)
{
    return &bytes_kept[position % LOG_BUFFER_BYTES];
}

static void
byte_add(char byte)
{
    if (end - first == LOG_BUFFER_BYTES)
        first = log_buffer_next(first);
    *byte_at(end++) = byte;
}

void
log_buffer_add(u32 priority, const char *line, usize length)
{
    u32 state = interrupts_save();      /* a handler's line must not come into the midst of this one */

    byte_add('<');
    byte_add((char)('0' + priority));
    byte_add('>');
    for (usize i = 0; i < length; i++)
        byte_add(line[i] == '\n' ? ' ' : line[i]);
    byte_add('\n');
    interrupts_restore(state);
}

u32
log_buffer_first(void)
{
    return first;
}

u32
log_buffer_end(void)
{
    return end;
}

u32
log_buffer_next(u32 position)
{
    while (*byte_at(position++) != '\n')
        assert(position != end);
    return position;
}

void
log_buffer_copy(char *memory, u32 position, u32 bytes)
{
    assert(position - first <= end - first && end - position >= bytes);
    for (u32 i = 0; i < bytes; i++)
        memory[i] = *byte_at(position + i);
}
