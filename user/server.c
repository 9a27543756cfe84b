/*
 * The web server of the lectures, built six ways: who serves a request, and who had
 * to be created for it?
 *
 *     client ── requests ──> master ──> fork ─> child ── answers ──> client      created for each request:
 *                                       vfork, exec ─> program                   process, program or thread
 *                                       thread
 *     client ── requests ──> whoever waits first ─────── answers ──> client      created before: prefork, pool
 *
 * Requests and answers go through two pipes, in records that are read and written whole.
 * Those who wait for a request take turns by a lock, as they would before accept: else one
 * request would wake them all.
 */
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/counters.h"
#include "user/lib/story.h"
#include "user/lib/system.h"

enum {
    REQUESTS = 200,
    AT_ONCE = 4,                        /* requests that the client has under way */
    DOCUMENTS = 16,                     /* of a page each */
    DOCUMENT_WORDS = PAGE_SIZE / sizeof(uint32_t),
    LARGE_PAGES = (4 << 20) / PAGE_SIZE,
    WORKERS = 8,
    THREADS = 100,
};

struct request {
    uint32_t number, document;
};

struct answer {
    uint32_t number, sum;               /* of the document's words */
    uint32_t free_kib;                  /* memory that was free while the request was served */
};

static uint32_t documents[DOCUMENTS][DOCUMENT_WORDS];
static int requests[2], answers[2];     /* pipes */
static pthread_mutex_t *turn;           /* held by the one who waits for a request; in shared memory */

/* ---- Serving one request ----------------------------------------------- */

static void
document_make(uint32_t document)
{
    for (uint32_t word = 0; word < DOCUMENT_WORDS; word++)
        documents[document][word] = document * 2654435761U + word;
}

static uint32_t
document_sum(uint32_t document)
{
    uint32_t sum = 0;
    for (uint32_t word = 0; word < DOCUMENT_WORDS; word++)
        sum += documents[document][word];
    return sum;
}

static uint32_t
memory_free_kib(void)
{
    struct sysinfo information;
    return sysinfo(&information) == 0 ? (uint64_t) information.freeram * information.mem_unit / 1024 : 0;
}

static void
request_serve(const struct request *request)
{
    struct answer answer = { request->number, document_sum(request->document), memory_free_kib() };
    write(answers[1], &answer, sizeof answer);
}

/* Waits for a request. False when there will be none any more. */
static bool
request_receive(struct request *request)
{
    return read(requests[0], request, sizeof *request) == sizeof *request;
}

/* ---- Six servers ------------------------------------------------------- */

static void
children_reap(int options)
{
    while (waitpid(-1, NULL, options) > 0)
        ;
}

static void
serve_by_fork(void)
{
    struct request request;

    while (request_receive(&request)) {
        if (fork() == 0) {
            request_serve(&request);
            _exit(EXIT_SUCCESS);
        }
        children_reap(WNOHANG);
    }
    children_reap(0);
}

static void
serve_by_fork_when_large(void)
{
    pages_write(pages_map(LARGE_PAGES), LARGE_PAGES, 'l');
    serve_by_fork();
}

/* The program that is executed is this one: `server DESCRIPTOR NUMBER DOCUMENT` (see main). */
static void
serve_by_exec(void)
{
    struct request request;
    char descriptor[16], number[16], document[16];

    sprintf(descriptor, "%d", answers[1]);
    while (request_receive(&request)) {
        /* The child may change nothing of its parent's, so what it needs is made ready here. */
        sprintf(number, "%u", request.number);
        sprintf(document, "%u", request.document);
        if (vfork() == 0) {
            execl("/proc/self/exe", "server", descriptor, number, document, (char *) NULL);
            _exit(EXIT_FAILURE);
        }
        children_reap(WNOHANG);
    }
    children_reap(0);
}

/* The life of one who was there before the request. */
static void *
work(void *unused)
{
    struct request request;
    bool received;

    do {
        pthread_mutex_lock(turn);
        received = request_receive(&request);
        pthread_mutex_unlock(turn);
        if (received)
            request_serve(&request);
    } while (received);
    return unused;
}

static void
serve_by_workers(void)
{
    for (int i = 0; i < WORKERS; i++)
        if (fork() == 0) {
            work(NULL);
            _exit(EXIT_SUCCESS);
        }
    children_reap(0);
}

static void *
thread_serve(void *request)
{
    request_serve(request);
    free(request);
    return NULL;
}

static void
serve_by_threads(void)
{
    pthread_attr_t detached;
    pthread_t thread;
    struct request *request;

    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    while ((request = malloc(sizeof *request)) != NULL && request_receive(request))
        if (pthread_create(&thread, &detached, thread_serve, request) != 0)
            return;
}

static void
serve_by_pool(void)
{
    pthread_t threads[THREADS];
    int started = 0;

    while (started < THREADS && pthread_create(&threads[started], NULL, work, NULL) == 0)
        started++;
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

/* ---- The client -------------------------------------------------------- */

struct cost {
    uint64_t instructions;
    long long faults;                   /* of the whole system */
    uint32_t memory_kib;                /* by which the free memory was less while a request was served, at most */
    unsigned right;                     /* answers */
};

static void
request_send(uint32_t number)
{
    struct request request = { number, number % DOCUMENTS };
    write(requests[1], &request, sizeof request);
}

/* Sends `count` requests, so many under way at a time, and looks at the answers. */
static void
client_run(uint32_t count, uint32_t free_before, struct cost *cost)
{
    struct answer answer;

    for (uint32_t sent = 0, done = 0; done < count; done++) {
        while (sent < count && sent < done + AT_ONCE)
            request_send(sent++);
        if (read(answers[0], &answer, sizeof answer) != sizeof answer)
            return;
        cost->right += answer.number < count && answer.sum == document_sum(answer.number % DOCUMENTS);
        if (free_before > answer.free_kib && free_before - answer.free_kib > cost->memory_kib)
            cost->memory_kib = free_before - answer.free_kib;
    }
}

struct way {
    const char *name;
    void (*serve)(void);
};

static const struct way ways[] = {
    { "fork", serve_by_fork }, { "fork when large", serve_by_fork_when_large }, { "vfork and exec", serve_by_exec },
    { "prefork, 8 processes", serve_by_workers }, { "thread", serve_by_threads }, { "pool of 100 threads", serve_by_pool },
};

enum { FORK, FORK_LARGE, EXEC, PREFORK, THREAD, POOL, WAYS };

static pid_t
server_start(const struct way *way)
{
    if (pipe(requests) != 0 || pipe(answers) != 0)
        exit(EXIT_FAILURE);
    pid_t server = story_fork();
    if (server == 0) {
        close(requests[1]);             /* so that the end of the client is the end of the requests */
        close(answers[0]);
        way->serve();
        story_leave();
    }
    close(requests[0]);
    close(answers[1]);
    return server;
}

static struct cost
way_run(const struct way *way)
{
    static struct counters before, after;
    struct cost first = { 0 }, cost = { 0 };

    counters_prepare(&before, COUNTERS_OF_SYSTEM);
    counters_prepare(&after, COUNTERS_OF_SYSTEM);
    uint32_t free_before = memory_free_kib();
    pid_t server = server_start(way);
    client_run(1, free_before, &first);     /* once this is answered, the server has started */
    counters_take(&before, COUNTERS_OF_SYSTEM);
    uint64_t start = instructions_now();
    client_run(REQUESTS, free_before, &cost);
    cost.instructions = instructions_now() - start;
    counters_take(&after, COUNTERS_OF_SYSTEM);
    cost.faults = counter_difference(&before, &after, "pgfault");
    close(requests[1]);
    close(answers[0]);
    story_await(server, way->name);
    printf("    %-22s %11u %14.1f %14llu\n", way->name, cost.memory_kib, (double) cost.faults / REQUESTS,
           (unsigned long long) cost.instructions / REQUESTS);
    return cost;
}

/* ---- What theory says -------------------------------------------------- */

/* Whether what other programs do meanwhile is counted along (Linux): counts of the whole system say nothing then. */
static bool
counts_are_shared(void)
{
    return story_counter("fault_cow_copy") == COUNTER_MISSING;
}

static void
creation_judge(const struct cost *costs)
{
    expect(costs[PREFORK].instructions < costs[FORK].instructions && costs[POOL].instructions < costs[EXEC].instructions,
           "who is there before the request costs less than who is created for it");
    if (counts_are_shared() || story_entries_vanish()) {
        story_skip("who waits has all pages that serving needs (faults are not counted exactly here)");
        return;
    }
    expect(costs[PREFORK].faults < REQUESTS && costs[POOL].faults < REQUESTS, "who waits has all pages that serving needs");
    expect(costs[FORK].faults > costs[THREAD].faults && costs[THREAD].faults >= REQUESTS,
           "a new process copies pages that it writes; a new thread needs a stack only");
    expect(costs[EXEC].faults > costs[FORK].faults, "a new program starts with no page at all");
}

static void
memory_judge(const struct cost *costs)
{
    if (counts_are_shared()) {
        story_skip("memory (that of others is counted along)");
        return;
    }
    expect(costs[FORK_LARGE].memory_kib >= LARGE_PAGES * (PAGE_SIZE / 1024), "the large server has its %d MiB",
           LARGE_PAGES / ((1 << 20) / PAGE_SIZE));
    if (!switch_is("fork", "lazy", "copy"))
        expect(costs[FORK_LARGE].memory_kib < 2 * LARGE_PAGES * (PAGE_SIZE / 1024), "its children share them, and have none of their own");
    expect(costs[POOL].memory_kib / THREADS < costs[PREFORK].memory_kib / WORKERS, "a waiting thread takes less memory than a waiting "
           "process: %u KiB against %u", costs[POOL].memory_kib / THREADS, costs[PREFORK].memory_kib / WORKERS);
}

static void
servers_show(void)
{
    struct cost costs[WAYS];
    bool right = true;

    story_tell("%d requests, each for one of %d documents of a page, %d of them under way at a time:", REQUESTS, DOCUMENTS, AT_ONCE);
    printf("    %-22s %11s %14s %14s\n", "way", "memory, KiB", "faults each", "instructions");
    story_count();
    for (int way = 0; way < WAYS; way++) {
        costs[way] = way_run(&ways[way]);
        right = right && costs[way].right == REQUESTS;
    }
    story_counted_silently();
    expect(right, "each of the six answered every request");
    creation_judge(costs);
    memory_judge(costs);
}

/* The program that serve_by_exec executes: serves one request. */
static int
answer_one(char **arguments)
{
    struct request request = { strtoul(arguments[1], NULL, 10), strtoul(arguments[2], NULL, 10) % DOCUMENTS };

    answers[1] = atoi(arguments[0]);
    document_make(request.document);
    request_serve(&request);
    return EXIT_SUCCESS;
}

int
main(int count, char **arguments)
{
    pthread_mutexattr_t shared;

    if (count == 4)
        return answer_one(arguments + 1);
    story_begin("server", "A web server, built six ways: a process, a program or a thread created for each request, or processes and "
                "threads that were there before it. Creating is what costs.");
    for (uint32_t document = 0; document < DOCUMENTS; document++)
        document_make(document);
    turn = mmap(NULL, sizeof *turn, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(turn, &shared);
    servers_show();
    return story_end();
}
