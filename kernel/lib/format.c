/*
 * printf's conversions, written once for the log, /proc and the tests. A struct output counts all characters and keeps
 * those that fit, so that no conversion has to think of the buffer's end.
 */
#include "kernel/lib/format.h"

#include "kernel/lib/divide.h"
#include "kernel/lib/string.h"

/* 2^64 - 1 in octal. */
#define DIGITS_MAX 22

struct output {
    char *buffer;
    usize size;
    usize length;
};

/* One conversion, as it stands between % and its letter. */
struct conversion {
    bool left, zeroes, plus, space, alternative;
    int width;
    int precision; /* -1: none given */
    char length;   /* 'H' for hh, 'h', 'l', 'L' for ll, 'z', or 0 */
};

static void
put(struct output *output, char character)
{
    if (output->length + 1 < output->size)
        output->buffer[output->length] = character;
    output->length++;
}

static void
put_repeated(struct output *output, char character, int count)
{
    for (; count > 0; count--)
        put(output, character);
}

/* Prefix and text in a field: blanks before or behind, or zeroes between the two. */
static void
put_field(struct output *output, const struct conversion *conversion, const char *prefix, const char *text, int length,
          int zeroes)
{
    int blanks = conversion->width - (int)strlen(prefix) - zeroes - length;

    if (!conversion->left)
        put_repeated(output, ' ', blanks);
    while (*prefix)
        put(output, *prefix++);
    put_repeated(output, '0', zeroes);
    for (int i = 0; i < length; i++)
        put(output, text[i]);
    if (conversion->left)
        put_repeated(output, ' ', blanks);
}

static void
put_string(struct output *output, const struct conversion *conversion, const char *text)
{
    usize limit = conversion->precision >= 0 ? (usize)conversion->precision : SIZE_MAX;

    if (text == NULL)
        text = "(null)";
    put_field(output, conversion, "", text, (int)strnlen(text, limit), 0);
}

/* A number without its sign, which is in the prefix. */
static void
put_number(struct output *output, const struct conversion *conversion, u64 value, u32 base, bool capitals,
           const char *prefix)
{
    const char *digits = capitals ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[DIGITS_MAX];
    int start = DIGITS_MAX;
    int width = conversion->width - (int)strlen(prefix);
    int length, least; /* digits there are, and digits there must be */

    while (value > 0) {
        u32 digit;

        value = divide_u64(value, base, &digit);
        text[--start] = digits[digit];
    }
    length = DIGITS_MAX - start;
    least = conversion->precision >= 0 ? conversion->precision : 1;
    if (conversion->zeroes && !conversion->left && conversion->precision < 0 && width > least)
        least = width;
    put_field(output, conversion, prefix, text + start, length, least > length ? least - length : 0);
}

static int
read_count(const char **fmt, va_list *arguments)
{
    int count = 0;

    if (**fmt == '*') {
        (*fmt)++;
        return va_arg(*arguments, int);
    }
    for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
        count = count * 10 + (**fmt - '0');
    return count;
}

static void
read_flags(const char **fmt, struct conversion *conversion)
{
    for (;; (*fmt)++) {
        switch (**fmt) {
        case '-': conversion->left = true; break;
        case '0': conversion->zeroes = true; break;
        case '+': conversion->plus = true; break;
        case ' ': conversion->space = true; break;
        case '#': conversion->alternative = true; break;
        default: return;
        }
    }
}

/* Reads what stands before the letter of a conversion. */
static struct conversion
read_conversion(const char **fmt, va_list *arguments)
{
    struct conversion conversion = {.precision = -1};

    read_flags(fmt, &conversion);
    conversion.width = read_count(fmt, arguments);
    if (conversion.width < 0) {
        conversion.left = true;
        conversion.width = -conversion.width;
    }
    if (**fmt == '.') {
        (*fmt)++;
        conversion.precision = read_count(fmt, arguments);
    }
    if (**fmt == 'h' || **fmt == 'l' || **fmt == 'z') {
        conversion.length = *(*fmt)++;
        if (**fmt == conversion.length) {
            conversion.length = conversion.length == 'h' ? 'H' : 'L';
            (*fmt)++;
        }
    }
    return conversion;
}

static u64
read_unsigned(char length, va_list *arguments)
{
    switch (length) {
    case 'H': return (u8)va_arg(*arguments, unsigned);
    case 'h': return (u16)va_arg(*arguments, unsigned);
    case 'l': return va_arg(*arguments, unsigned long);
    case 'L': return va_arg(*arguments, unsigned long long);
    case 'z': return va_arg(*arguments, usize);
    default: return va_arg(*arguments, unsigned);
    }
}

static s64
read_signed(char length, va_list *arguments)
{
    switch (length) {
    case 'H': return (s8)va_arg(*arguments, int);
    case 'h': return (s16)va_arg(*arguments, int);
    case 'l': return va_arg(*arguments, long);
    case 'L': return va_arg(*arguments, long long);
    case 'z': return (s64)(ptrdiff_t)va_arg(*arguments, usize);
    default: return va_arg(*arguments, int);
    }
}

static void
put_signed(struct output *output, const struct conversion *conversion, s64 value)
{
    const char *sign = value < 0 ? "-" : conversion->plus ? "+" : conversion->space ? " " : "";

    put_number(output, conversion, value < 0 ? -(u64)value : (u64)value, 10, false, sign);
}

static void
put_conversion(struct output *output, const struct conversion *conversion, char letter, va_list *arguments)
{
    const char *prefix = conversion->alternative ? "0x" : "";
    char character;

    switch (letter) {
    case 'd':
    case 'i': put_signed(output, conversion, read_signed(conversion->length, arguments)); break;
    case 'u': put_number(output, conversion, read_unsigned(conversion->length, arguments), 10, false, ""); break;
    case 'o': put_number(output, conversion, read_unsigned(conversion->length, arguments), 8, false, ""); break;
    case 'x': put_number(output, conversion, read_unsigned(conversion->length, arguments), 16, false, prefix); break;
    case 'X': put_number(output, conversion, read_unsigned(conversion->length, arguments), 16, true, prefix); break;
    case 'p': put_number(output, conversion, (usize)va_arg(*arguments, void *), 16, false, "0x"); break;
    case 's': put_string(output, conversion, va_arg(*arguments, const char *)); break;
    case 'c':
        character = (char)va_arg(*arguments, int);
        put_field(output, conversion, "", &character, 1, 0);
        break;
    default: put(output, letter); break;
    }
}

int
vformat(char *buffer, usize size, const char *fmt, va_list arguments)
{
    struct output output = {.buffer = buffer, .size = size};
    va_list rest;

    va_copy(rest, arguments);
    while (*fmt) {
        if (*fmt != '%') {
            put(&output, *fmt++);
            continue;
        }
        fmt++;
        struct conversion conversion = read_conversion(&fmt, &rest);
        if (*fmt)
            put_conversion(&output, &conversion, *fmt++, &rest);
    }
    va_end(rest);
    if (size > 0)
        buffer[output.length < size ? output.length : size - 1] = '\0';
    return (int)output.length;
}

int
format(char *buffer, usize size, const char *fmt, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, fmt);
    length = vformat(buffer, size, fmt, arguments);
    va_end(arguments);
    return length;
}
