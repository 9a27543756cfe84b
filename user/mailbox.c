/*
 * A mailbox: one process hands another a megabyte by moving its pages.
 *
 *     sender's table ─► anon ◄─ slot of the pipe      vmsplice: lent, write access withheld
 *                       anon ◄─ receiver's table      read: mapped there, nothing copied
 *
 * The pipe is the mailbox: it holds references to pages and no bytes. What both
 * have is shared copy-on-write, so whoever writes first pays for a copy, of that
 * page alone.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "user/lib/story.h"

enum {
    LETTER_BYTES = 1 << 20,
    PAGES = LETTER_BYTES / PAGE_SIZE,
    ANSWERED = 16,      /* pages that the receiver writes to */
    STRAY = 4,          /* pages that a fault may bring in along the way */
};

static bool
letter_send(int end, char *letter)
{
    for (size_t sent = 0; sent < LETTER_BYTES;) {
        struct iovec rest = { letter + sent, LETTER_BYTES - sent };
        ssize_t now = vmsplice(end, &rest, 1, SPLICE_F_GIFT);
        if (now <= 0)
            return false;
        sent += now;
    }
    return true;
}

static bool
letter_receive(int end, char *letter)
{
    size_t got = 0;

    for (ssize_t now; got < LETTER_BYTES && (now = read(end, letter + got, LETTER_BYTES - got)) > 0;)
        got += now;
    return got == LETTER_BYTES;
}

/* The sender writes a letter, sends it, and stays until the receiver has read it. */
static _Noreturn void
sender_run(int mail, int done)
{
    char *letter = pages_map(PAGES), byte;

    pages_write(letter, PAGES, 'l');
    expect(letter_send(mail, letter), "the sender puts a megabyte into the mailbox");
    expect(read(done, &byte, 1) == 1 && pages_hold(letter, PAGES, 'l'), "what the receiver wrote did not reach the sender");
    story_leave();
}

static void
letter_check(int mail, int done)
{
    char *letter = pages_map(PAGES);

    story_count();
    expect(letter_receive(mail, letter), "the receiver takes a megabyte out");
    story_counted();
    expect_counter("pages_moved", PAGES, PAGES, "each of its pages was moved");
    expect_counter("pages_copied", 0, 0, "and none was copied");

    story_count();
    expect(pages_hold(letter, PAGES, 'l'), "the letter is what the sender wrote");
    story_counted();
    expect_counter("fault_soft", story_entries_vanish() ? 0 : PAGES, NO_LIMIT, "each page is mapped when it is first read");
    expect_counter("fault_cow_copy", 0, STRAY, "and still not copied");

    story_tell("The receiver writes into %d of these pages, which the sender has, too:", ANSWERED);
    story_count();
    pages_write(letter, ANSWERED, 'a');
    story_counted();
    expect_counter("fault_cow_copy", ANSWERED, ANSWERED + STRAY, "each page that is written is copied now");
    write(done, "!", 1);
}

int
main(void)
{
    int mail[2], done[2];

    story_begin("mailbox", "Moving pages instead of bytes. A sender puts a megabyte into a pipe by vmsplice; a receiver reads "
                "it into memory of its own. The pages themselves change hands.");
    if (pipe(mail) != 0 || pipe(done) != 0 || fcntl(mail[1], F_SETPIPE_SZ, LETTER_BYTES) < 0)
        return EXIT_FAILURE;
    pid_t sender = story_fork();
    if (sender == 0)
        sender_run(mail[1], done[0]);
    letter_check(mail[0], done[1]);
    story_await(sender, "the sender");
    return story_end();
}
