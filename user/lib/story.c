/*
 * Telling, counting and judging for the programs in user/. See story.h.
 *
 * One story may be told by several processes, so the books lie in shared memory.
 */
#include "user/lib/story.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/counters.h"
#include "user/lib/system.h"

enum {
    WIDTH = 78,         /* columns */
    WRONG_USE = 2,      /* exit status */
};

static const char *title;

/* What was expected so far, by this process and its children: in shared memory, so that they keep one set of books. */
static struct {
    unsigned held, failed, skipped;
} *books;

static struct counters process_before, process_after, system_before, system_after;

/* Prints `text`, breaking lines between words: it starts at `column`, and further lines at `indent`. */
static void
text_fill(const char *text, int column, int indent)
{
    for (bool begins = true; *text != '\0'; begins = false) {
        int length = strcspn(text, " ");
        if (!begins && column + 1 + length > WIDTH) {
            printf("\n%*s", indent, "");
            column = indent;
        } else if (!begins) {
            column += printf(" ");
        }
        column += printf("%.*s", length, text);
        text += length;
        text += *text == ' ';
    }
    putchar('\n');
}

static void
verdict_print(const char *verdict, const char *format, va_list arguments)
{
    char *text;

    if (vasprintf(&text, format, arguments) < 0)
        exit(EXIT_FAILURE);
    int column = printf("  [%s] ", verdict);
    text_fill(text, column, column);
    free(text);
    fflush(stdout);
}

void
story_begin(const char *name, const char *summary)
{
    title = name;
    books = mmap(NULL, sizeof *books, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (books == MAP_FAILED) {
        perror("story_begin");
        exit(EXIT_FAILURE);
    }
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    printf("\n== %s ", name);
    for (int column = strlen(name) + 4; column < WIDTH; column++)
        putchar('=');
    putchar('\n');
    story_tell("%s", summary);
    counters_prepare(&process_before, COUNTERS_OF_PROCESS);
    counters_prepare(&process_after, COUNTERS_OF_PROCESS);
    counters_prepare(&system_before, COUNTERS_OF_SYSTEM);
    counters_prepare(&system_after, COUNTERS_OF_SYSTEM);
}

bool
story_argument(int count, char **arguments, const char *allowed)
{
    const char *given = count > 1 ? arguments[1] : NULL;

    if (given == NULL)
        return false;
    if (allowed != NULL && count == 2 && strcmp(given, allowed) == 0)
        return true;
    if (allowed != NULL)
        fprintf(stderr, "%s: \"%s\"%s: the one argument that it takes is %s\n", arguments[0], given, count > 2 ? " and more" : "", allowed);
    else
        fprintf(stderr, "%s: \"%s\": it takes no arguments; what can be chosen are switches of the kernel (help=yes lists them)\n",
                arguments[0], given);
    exit(WRONG_USE);
}

void
story_tell(const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        exit(EXIT_FAILURE);
    va_end(arguments);
    text_fill(text, 0, 0);
    free(text);
    fflush(stdout);
}

void
story_count(void)
{
    counters_take(&system_before, COUNTERS_OF_SYSTEM);
    counters_take(&process_before, COUNTERS_OF_PROCESS);
}

void
story_counted_silently(void)
{
    counters_take(&process_after, COUNTERS_OF_PROCESS);
    counters_take(&system_after, COUNTERS_OF_SYSTEM);
}

void
story_counted(void)
{
    story_counted_silently();
    counters_print(&process_before, &process_after, COUNTERS_FAULTS);
    counters_print(&system_before, &system_after, COUNTERS_OTHERS);
}

long long
story_counter(const char *name)
{
    return counter_kind(name) == COUNTERS_FAULTS ? counter_difference(&process_before, &process_after, name)
           : counter_difference(&system_before, &system_after, name);
}

bool
expect(bool condition, const char *theory, ...)
{
    va_list arguments;

    if (condition)
        books->held++;
    else
        books->failed++;
    va_start(arguments, theory);
    verdict_print(condition ? " yes" : " NO ", theory, arguments);
    va_end(arguments);
    return condition;
}

void
expect_counter(const char *name, long long least, long long most, const char *theory)
{
    long long went = story_counter(name);

    if (went == COUNTER_MISSING)
        story_skip("%s (%s is not counted here)", theory, name);
    else if (went >= least && went <= most)
        expect(true, "%s: %s %+lld", theory, name, went);
    else if (most == NO_LIMIT)
        expect(false, "%s: %s %+lld, expected at least %lld", theory, name, went, least);
    else
        expect(false, "%s: %s %+lld, expected %lld to %lld", theory, name, went, least, most);
}

void
story_skip(const char *why, ...)
{
    va_list arguments;

    books->skipped++;
    va_start(arguments, why);
    verdict_print("skip", why, arguments);
    va_end(arguments);
}

bool
story_may_have(long frames)
{
    struct rlimit limit;

    getrlimit(RLIMIT_RSS, &limit);
    if (limit.rlim_cur / PAGE_SIZE >= (rlim_t) frames)
        return true;
    story_skip("this takes %ld frames, and the limit of this process (ulimit -m, RLIMIT_RSS) is %lld", frames,
               (long long) (limit.rlim_cur / PAGE_SIZE));
    return false;
}

bool
story_entries_vanish(void)
{
    return !switch_is("chaos", "0", "0") || switch_is("accessed", "hardware", "software");
}

pid_t
story_fork(void)
{
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        exit(EXIT_FAILURE);
    }
    return child;
}

void
story_leave(void)
{
    fflush(stdout);
    _exit(EXIT_SUCCESS);
}

void
story_await(pid_t child, const char *who)
{
    int status;

    if (waitpid(child, &status, 0) != child)
        expect(false, "%s can be waited for", who);
    else if (WIFSIGNALED(status))
        expect(false, "%s lives (it was killed by signal %d)", who, WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        expect(false, "%s ends with status 0, not %d", who, WEXITSTATUS(status));
}

int
story_end(void)
{
    printf("%s: %u as theory says, %u not, %u skipped\n", title, books->held, books->failed,
           books->skipped);
    fflush(stdout);
    return books->failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

char *
pages_map(size_t pages)
{
    /* An inaccessible page on either side keeps the kernel from joining this region with its neighbours. */
    size_t length = (pages + 2) * PAGE_SIZE;
    char *base = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED || mprotect(base + PAGE_SIZE, pages * PAGE_SIZE, PROT_READ | PROT_WRITE) != 0) {
        perror("pages_map");
        exit(EXIT_FAILURE);
    }
    /* On Linux, a huge page would answer 512 first writes by one fault. Belady has none. */
    madvise(base + PAGE_SIZE, pages * PAGE_SIZE, MADV_NOHUGEPAGE);
    return base + PAGE_SIZE;
}

void
pages_write(char *base, size_t pages, char value)
{
    for (size_t page = 0; page < pages; page++)
        *(volatile char *) (base + page * PAGE_SIZE) = value;
}

void
pages_read(const char *base, size_t pages)
{
    for (size_t page = 0; page < pages; page++)
        (void) *(const volatile char *) (base + page * PAGE_SIZE);
}

bool
pages_hold(const char *base, size_t pages, char value)
{
    for (size_t page = 0; page < pages; page++)
        if (base[page * PAGE_SIZE] != value)
            return false;
    return true;
}
