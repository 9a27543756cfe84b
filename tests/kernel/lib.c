/* The kernel's small library: what others take for granted. */
#include "kernel/lib/divide.h"
#include "kernel/lib/format.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/selftest.h"

/* Ends the test unless the format and its arguments give `expected`. */
#define check_format(expected, ...)                       \
    do {                                                  \
        char text[80];                                    \
        int length = format(text, sizeof(text), __VA_ARGS__); \
        check_text(text, expected);                       \
        check_equal(length, strlen(expected));            \
    } while (0)

SELFTEST(lib, format_numbers, "numbers are printed as C's printf does")
{
    check_format("-2147483648 0 7", "%d %i %d", -2147483647 - 1, 0, 7);
    check_format("4294967295 ff FF 17", "%u %x %X %o", 0xffffffffu, 255, 255, 15);
    check_format("18446744073709551615", "%llu", ~0ull);
    check_format("-9223372036854775808", "%lld", -9223372036854775807ll - 1);
    check_format("deadbeef 65535 -1 255", "%lx %hu %hd %hhu", 0xdeadbeeful, 0xffff, 0xffff, 0xff);
    check_format("1000", "%zu", (usize)1000);
    check_format("0xc0100000", "%p", (void *)0xc0100000);
}

SELFTEST(lib, format_fields, "width, precision and flags are obeyed")
{
    check_format("[   42][42   ][00042]", "[%5d][%-5d][%05d]", 42, 42, 42);
    check_format("[-0042][+42][ 42][0x2a]", "[%05d][%+d][% d][%#x]", -42, 42, 42, 42);
    check_format("[0007][   7]", "[%.4d][%*d]", 7, 4, 7);
    check_format("[  abc][abc  ][ab]", "[%5s][%-5s][%.2s]", "abc", "abc", "abc");
    check_format("[abc  ][ab]", "[%*s][%.*s]", -5, "abc", 2, "abc");
    check_format("[x][%]", "[%c][%%]", 'x');
}

SELFTEST(lib, format_cuts, "a text that does not fit is cut, ends in zero, and its whole length is returned")
{
    char text[4] = "zzz";

    check_equal(format(text, sizeof(text), "%s", "abcdef"), 6);
    check_text(text, "abc");
    check_equal(format(NULL, 0, "%d", 12345), 5);
}

SELFTEST(lib, memory_moves, "overlapping memory moves whole in both directions")
{
    char text[] = "0123456789";

    memmove(text + 2, text, 6);
    check_text(text, "0101234589");
    memmove(text, text + 2, 6);
    check_text(text, "0123454589");
}

SELFTEST(lib, memory_blocks, "copying and filling stop at the last byte, for every length modulo the word")
{
    u8 from[16], to[16];

    memset(from, 0xa5, sizeof(from));
    for (usize bytes = 0; bytes < sizeof(to); bytes++) {
        memset(to, 0, sizeof(to));
        check_true(memcpy(to, from, bytes) == to);
        check_equal(memcmp(to, from, bytes), 0);
        check_equal(to[bytes], 0);
        memset(to, 0x7f, bytes);
        check_equal(to[bytes], 0);
        check_true(bytes == 0 || to[bytes - 1] == 0x7f);
    }
}

SELFTEST(lib, strings, "comparing and searching agree with C")
{
    check_true(strcmp("a", "b") < 0 && strcmp("b", "a") > 0 && strcmp("", "") == 0);
    check_true(strcmp("a\x80", "a\x01") > 0);
    check_equal(strncmp("abcx", "abcy", 3), 0);
    check_text(strchr("a/b/c", '/'), "/b/c");
    check_text(strrchr("a/b/c", '/'), "/c");
    check_true(strchr("abc", 'x') == NULL && *strchr("abc", '\0') == '\0');
    check_text(strstr("aab", "ab"), "ab");
    check_true(strstr("aab", "abc") == NULL);
    check_equal(strnlen("abc", 2), 2);
}

SELFTEST(lib, string_copy, "a copy is cut to fit, and says so")
{
    char text[4];

    check_true(string_copy(text, "abc", sizeof(text)));
    check_true(!string_copy(text, "abcd", sizeof(text)));
    check_text(text, "abc");
}

SELFTEST(lib, string_matches, "* and ? match as in a shell")
{
    check_true(string_matches("fork.lazy", "fork.*") && string_matches("fork.lazy", "*"));
    check_true(string_matches("abcabd", "*abd") && string_matches("abc", "a?c") && string_matches("", "*"));
    check_true(!string_matches("fork", "for") && !string_matches("fork", "?") && !string_matches("", "?"));
    check_true(string_matches("aaab", "*a*b") && !string_matches("aaab", "*a*c"));
}

SELFTEST(lib, numbers_read, "a number is read to its end; one that is too large is refused")
{
    const char *text = "123x";
    u64 number;

    check_true(string_read_number(&text, &number));
    check_equal(number, 123);
    check_text(text, "x");
    text = "0xFFFFFFFFFFFFFFFF";
    check_true(string_read_number(&text, &number) && number == ~0ull);
    text = "18446744073709551616";
    check_true(!string_read_number(&text, &number));
    text = "x";
    check_true(!string_read_number(&text, &number));
}

SELFTEST(lib, divide, "64-bit quotients and remainders are exact")
{
    u32 rest;

    check_equal(divide_u64(1000000000000ull, 7, &rest), 142857142857ull);
    check_equal(rest, 1);
    check_true(divide_u64(~0ull, 1, &rest) == ~0ull && rest == 0);
    check_true(divide_u64(~0ull, 0xffffffff, &rest) == 0x100000001ull && rest == 0);
    check_equal(divide_u64(5, 7, NULL), 0);
}

SELFTEST(lib, random, "a seed gives one sequence, other seeds others, and numbers stay below their limit")
{
    struct random first, second, third;

    random_seed(&first, 7);
    random_seed(&second, 7);
    random_seed(&third, 8);
    for (u32 i = 0; i < 100; i++) {
        u32 number = random_next(&first);

        check_equal(number, random_next(&second));
        check_true(number != random_next(&third));
    }
    for (u32 i = 0; i < 100; i++)
        check_true(random_below(&first, 3) < 3);
}
