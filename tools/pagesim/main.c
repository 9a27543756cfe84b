/*
 * pagesim: page replacement on paper, by the kernel's own policies (mm/policy/). See --help and FORMAT.md.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/pagesim/common.h"
#include "tools/pagesim/convert.h"
#include "tools/pagesim/tasks.h"

int
main(int count, char **words)
{
    struct options options;
    struct trace trace;
    bool agree = true;

    options_read(&options, count, words);
    trace_open(&trace, options.trace, options.page_size);
    switch (options.task) {
    case TASK_SWEEP: sweep(&trace, &options); break;
    case TASK_EXPLAIN: explain(&trace, &options); break;
    case TASK_COMPARE: agree = compare(&trace, &options); break;
    case TASK_WORKING_SET: working_set(&trace, &options); break;
    case TASK_CONVERT_TEXT: convert(&trace, false); break;
    case TASK_CONVERT_BINARY: convert(&trace, true); break;
    }
    trace_close(&trace);
    free(options.policies);
    free(options.frames.values);
    free(options.windows.values);
    if (fflush(stdout) || ferror(stdout))
        die("standard output: %s", strerror(errno));
    return agree ? EXIT_SUCCESS : EXIT_DIFFERENT;
}
