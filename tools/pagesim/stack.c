/*
 * What both stacks share: counting hits by depth, and write-backs.
 *
 * Write-backs. A page that was written is dirty for every number of frames; one that went out and came back is clean for those
 * with which it went. So for each page it is dirty with `dirty_from` frames and more, as long as it is in memory. When it is
 * referenced at depth d, it has gone meanwhile with 1 to d - 1 frames, and was written back with dirty_from to d - 1.
 */
#include "tools/pagesim/stack.h"

#include <stdlib.h>

#include "tools/pagesim/common.h"
#include "tools/pagesim/stack_order.h"

#define CLEAN UINT32_MAX

struct stack {
    struct stack_order order;
    const struct trace *trace;
    uint32_t frames;
    uint64_t references;
    uint64_t *hits;             /* by depth; [frames + 1]: deeper, or not there */
    int64_t *write_backs;       /* differences between one number of frames and the next */
    uint32_t *dirty_from;       /* by page, in frames; 0: was never referenced */
    size_t page_capacity;
};

struct stack *
stack_start(uint32_t frames, const struct trace *trace, const uint32_t *future)
{
    struct stack *stack = allocate(1, sizeof(*stack));
    size_t depths = (size_t)frames + 2;

    *stack = (struct stack){.trace = trace, .frames = frames, .hits = allocate(depths, sizeof(*stack->hits)),
                            .write_backs = allocate(depths, sizeof(*stack->write_backs))};
    stack_order_start(&stack->order, frames, future);
    return stack;
}

/* The page has gone with 1 to depth - 1 frames since it was last referenced. */
static void
went(struct stack *stack, uint32_t page, uint32_t depth)
{
    uint32_t from = stack->dirty_from[page];

    if (from == 0 || from >= depth)
        return;
    stack->write_backs[from]++;
    stack->write_backs[depth]--;
}

static void
stack_reference(struct stack *stack, const struct trace_record *record)
{
    uint32_t page = record->page, *dirty_from = &stack->dirty_from[page];
    uint32_t depth = stack_order_use(&stack->order, page, stack->references);

    stack->references++;
    stack->hits[depth]++;
    went(stack, page, depth);
    if (record->event == TRACE_WRITE)
        *dirty_from = 1;
    else if (*dirty_from == 0)
        *dirty_from = CLEAN;
    else if (*dirty_from < depth)
        *dirty_from = depth;
}

void
stack_run(struct stack *stack, const struct trace_record *records, size_t count)
{
    stack->dirty_from = grow(stack->dirty_from, &stack->page_capacity, stack->trace->pages.count, sizeof(*stack->dirty_from));
    stack_order_grow(&stack->order, stack->trace->pages.count);
    for (size_t i = 0; i < count; i++) {
        if (trace_is_reference(&records[i]))
            stack_reference(stack, &records[i]);
        else if (records[i].event == TRACE_UNMAP && records[i].page < stack->page_capacity) {
            went(stack, records[i].page, stack_order_remove(&stack->order, records[i].page));
            stack->dirty_from[records[i].page] = 0;
        }
    }
}

void
stack_end(struct stack *stack, struct counts *counts)
{
    uint64_t hits = 0;
    int64_t write_backs = 0;

    for (uint32_t page = 0; page < stack->trace->pages.count; page++)
        went(stack, page, stack_order_depth(&stack->order, page));
    for (uint32_t n = 1; n <= stack->frames; n++) {
        hits += stack->hits[n];
        write_backs += stack->write_backs[n];
        counts[n - 1] = (struct counts){stack->references, stack->references - hits, (uint64_t)write_backs};
    }
    stack_order_stop(&stack->order);
    free(stack->hits);
    free(stack->write_backs);
    free(stack->dirty_from);
    free(stack);
}
