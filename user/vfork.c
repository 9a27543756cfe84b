/*
 * vfork: the child runs in its parent's address space, and the parent sleeps
 * until the child calls exec or exits. Nothing is copied, not even later.
 *
 *     fork                          vfork
 *     parent: own space             parent: asleep ┐
 *     child:  a copy of it          child:  awake  ┴ one space
 */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/story.h"
#include "user/lib/system.h"

enum {
    PAGES = 64,
    STRAY = 4,               /* pages that a fault may bring in along the way */
    NAP_MICROSECONDS = 20000,
    CHILD_STATUS = 7,
};

/* Shared by construction: whatever the child writes here, the parent reads. */
static volatile pid_t written_by;
static volatile uint64_t frame_in_child;

static void
exit_show(char *base)
{
    story_tell("A child of vfork naps, writes %d pages of its parent's, and exits:", PAGES);
    story_count();
    pid_t child = vfork();
    if (child == 0) {
        usleep(NAP_MICROSECONDS);
        pages_write(base, PAGES, 'c');
        frame_in_child = pagemap_frame(base);
        written_by = getpid();
        _exit(CHILD_STATUS);
    }
    expect(written_by == child, "the parent did not go on before the child had exited");
    expect(pages_hold(base, PAGES, 'c'), "the child wrote into the parent's own pages");
    expect(frame_in_child == pagemap_frame(base), "child and parent saw the same frame");
    story_counted();
    expect_counter("fault_cow_copy", 0, STRAY, "no page was copied");
    expect_counter("vfork", 1, NO_LIMIT, "it is counted as a vfork");

    int status;
    waitpid(child, &status, 0);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == CHILD_STATUS, "its exit status arrives");
}

static void
exec_show(void)
{
    char *const arguments[] = { "true", NULL };

    story_tell("A child of vfork calls exec: it moves out into a space of its own.");
    written_by = 0;
    pid_t child = vfork();
    if (child == 0) {
        written_by = getpid();
        execv("/bin/true", arguments);
        _exit(EXIT_FAILURE);
    }
    expect(written_by == child, "the parent slept until the exec");
    int status;
    waitpid(child, &status, 0);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS, "the new program ran");

    story_tell("A child of vfork whose exec fails is still in its parent's space, and must exit:");
    child = vfork();
    if (child == 0) {
        execv("/nowhere/true", arguments);
        _exit(CHILD_STATUS);
    }
    waitpid(child, &status, 0);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == CHILD_STATUS, "it went on and exited");
}

int
main(void)
{
    story_begin("vfork", "vfork. The child borrows its parent's address space until it calls exec or exits, and the "
                "parent waits for so long.");
    char *base = pages_map(PAGES);
    pages_write(base, PAGES, 'p');
    exit_show(base);
    exec_show();
    return story_end();
}
