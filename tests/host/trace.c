/*
 * The group of pages that an instruction under way has touched: each access is recorded once, and their frames are needed exactly until
 * it is over.
 */
#include "tests/host/reclaim_case.h"

#include "kernel/x86/cpu.h"
#include "mm/trace.h"

#define PAGE 0x8048u
#define FRAMES 3u

static struct trace *trace;
static struct pmap pmap;
static struct anon *anons[FRAMES];

static bool
touch(u32 page, u32 frame, enum trace_event access)
{
    return trace_touch(trace, (page_t){page}, anons[frame]->frame, access);
}

static u32
needed(u32 frame)
{
    return anons[frame]->frame->needed;
}

static void
begin(void)
{
    begin_memory();
    check(pmap_create(&pmap));
    trace = trace_start(1);
    for (u32 i = 0; i < FRAMES; i++)
        anons[i] = make_anon(i);
}

static void
end(void)
{
    pmap_destroy(&pmap);
    for (u32 i = 0; i < FRAMES; i++) {
        check_equal(needed(i), 0);
        anon_release(anons[i]);
    }
    nothing_is_left();
}

static void
each_access_is_recorded_once(void)
{
    struct trap_frame frame = {0};

    begin();
    check(touch(PAGE, 0, TRACE_EXECUTE));
    check(!touch(PAGE, 0, TRACE_EXECUTE));
    check(touch(PAGE, 0, TRACE_READ) && touch(PAGE + 1, 1, TRACE_READ));
    check(!touch(PAGE, 0, TRACE_READ) && !touch(PAGE + 1, 1, TRACE_READ));
    trace_step(trace, &pmap, &frame);
    check(frame.eflags & EFLAGS_TRAP);
    check(touch(PAGE, 0, TRACE_EXECUTE));
    trace_end(trace);
    end();
}

static void
frames_are_needed_until_the_step(void)
{
    struct trap_frame frame = {0};

    begin();
    touch(PAGE, 0, TRACE_EXECUTE);
    touch(PAGE, 0, TRACE_WRITE);
    touch(PAGE + 1, 1, TRACE_READ);
    check(needed(0) == 1 && needed(1) == 1 && needed(2) == 0);
    trace_step(trace, &pmap, &frame);
    check(needed(0) == 0 && needed(1) == 0);
    trace_end(trace);
    end();
}

static void
a_page_in_another_frame_needs_that(void)
{
    begin();
    touch(PAGE, 0, TRACE_READ);
    touch(PAGE, 2, TRACE_WRITE);
    check(needed(0) == 0 && needed(2) == 1);
    trace_touch(trace, (page_t){PAGE}, NULL, TRACE_WRITE);
    check_equal(needed(2), 0);
    trace_end(trace);
    end();
}

static void
who_ends_needs_nothing(void)
{
    begin();
    touch(PAGE, 0, TRACE_READ);
    touch(PAGE + 1, 1, TRACE_READ);
    trace_end(trace);
    end();
}

/* Rule: the group has room for what one instruction needs; a system call that touches more makes several. */
static void
a_full_group_makes_room_for_another(void)
{
    begin();
    for (u32 i = 0; i < INSTRUCTION_PAGES; i++) {
        trace_fault(trace, &pmap, (page_t){PAGE + i});
        touch(PAGE + i, 0, TRACE_READ);
    }
    check_equal(needed(0), INSTRUCTION_PAGES);
    trace_fault(trace, &pmap, (page_t){PAGE});          /* that one is in it */
    check_equal(needed(0), INSTRUCTION_PAGES);
    trace_fault(trace, &pmap, (page_t){PAGE + INSTRUCTION_PAGES});
    check_equal(needed(0), 0);
    check(touch(PAGE + INSTRUCTION_PAGES, 1, TRACE_READ));
    check_equal(needed(1), 1);
    trace_end(trace);
    end();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_CASE(each_access_is_recorded_once, ""),
        HOST_CASE(frames_are_needed_until_the_step, ""),
        HOST_CASE(a_page_in_another_frame_needs_that, ""),
        HOST_CASE(who_ends_needs_nothing, ""),
        HOST_CASE(a_full_group_makes_room_for_another, ""),
    };
    return host_run(tests);
}
