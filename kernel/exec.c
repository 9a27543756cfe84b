/*
 * The order of things in exec:
 *
 *     open       find the file; while it is a #! script, go on with its interpreter     elf_check_header
 *     load       a new address space: a region for each segment, bss, heap, stack      exec_load, exec_stack_build
 *     alone      the other threads end                                                 process_end_other_threads
 *     commit     nothing fails from here on: the old address space goes, signals and registers are reset
 */
#include "kernel/exec.h"

#include "kernel/assert.h"
#include "kernel/file.h"
#include "kernel/futex.h"
#include "kernel/inode.h"
#include "kernel/lib/string.h"
#include "kernel/path.h"
#include "kernel/posix_timer.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/text.h"
#include "kernel/x86/trap.h"
#include "mm/aspace.h"
#include "mm/replay.h"
#include "mm/trace.h"

#include <asm/errno.h>
#include <linux/fcntl.h>

/* A script's interpreter may be a script: this often. */
#define SCRIPT_DEPTH_MAXIMUM 5

/* ---- Open ---- */

static bool
is_blank(char character)
{
    return character == ' ' || character == '\t';
}

static char *
skip_blanks(char *cursor)
{
    while (is_blank(*cursor))
        cursor++;
    return cursor;
}

static char *
skip_word(char *cursor)
{
    while (*cursor != '\0' && !is_blank(*cursor))
        cursor++;
    return cursor;
}

/*
 * Where the first line of a script ends: where the file does, at the latest. If the line is longer than what was read,
 * its option is cut; NULL if its interpreter would be.
 */
static char *
exec_script_line_end(char *line)
{
    char *end = strchr(line, '\n');

    if (end != NULL || strlen(line) < EXEC_HEADER_BYTES)
        return end != NULL ? end : line + strlen(line);
    return *skip_word(skip_blanks(line + 2)) != '\0' ? line + EXEC_HEADER_BYTES - 1 : NULL;
}

/*
 * Splits the first line of a script, "#! interpreter [one option]", in place. False if it names no interpreter,
 * or is too long to be sure where the name ends.
 */
static bool
exec_parse_script(char *line, char **interpreter, char **option)
{
    char *end = exec_script_line_end(line);
    char *cursor = line + 2;

    if (end == NULL)
        return false;
    while (end > cursor && is_blank(end[-1]))
        end--;
    *end = '\0';
    *interpreter = skip_blanks(cursor);
    cursor = skip_word(*interpreter);
    *option = NULL;
    if (*cursor != '\0') {
        *cursor++ = '\0';
        *option = skip_blanks(cursor);
    }
    return **interpreter != '\0';
}

/* Takes over the caller's hold on the inode. */
static int
exec_open(struct exec_program *program, struct inode *inode, struct exec_strings *strings)
{
    char header[EXEC_HEADER_BYTES + 1] __attribute__((aligned(4)));
    char script[EXEC_HEADER_BYTES + 1];
    int result = exec_file_open_inode(&program->file, inode, header);

    for (int depth = 0; result >= 2 && header[0] == '#' && header[1] == '!'; depth++) {
        const char *script_path = depth == 0 ? program->path : script;
        char *interpreter, *option;

        if (depth == SCRIPT_DEPTH_MAXIMUM)
            return -ELOOP;
        if (!exec_parse_script(header, &interpreter, &option))
            return -ENOEXEC;
        if (program->path_is_closed)
            return -ENOENT;
        result = exec_strings_interpret(strings, interpreter, option, script_path);
        if (result < 0)
            return result;
        string_copy(script, interpreter, sizeof(script));
        result = exec_file_open(&program->file, script, header);
    }
    return result < 0 ? result : exec_file_check(&program->file, header, (u32)result, ELF_PROGRAM_BASE);
}

/* ---- Prepare ---- */

/* The rest that can fail. */
static int
exec_prepare(struct exec_program *program)
{
    struct process *process = current_process();

    program->actions = signal_exec_prepare(process);
    if (program->actions == NULL)
        return -ENOMEM;
    if (process->files->references > 1) {
        program->files = file_table_fork(process->files);
        if (program->files == NULL)
            return -ENOMEM;
    }
    return 0;
}

static void
exec_release(struct exec_program *program)
{
    exec_file_release(&program->file);
    exec_file_release(&program->linker);
    if (program->aspace != NULL)
        aspace_release(program->aspace);
    if (program->actions != NULL)
        signal_actions_release(program->actions);
    if (program->files != NULL)
        file_table_release(program->files);
}

/* ---- Commit ---- */

static void
exec_change_aspace(struct process *process, struct exec_program *program)
{
    struct aspace *left = process->aspace;
    bool traced = left != NULL && left->trace != NULL, shared = left != NULL && left->references > 1;

    if (left != NULL)
        process_usage_retire_aspace(process);
    process->aspace = program->aspace;
    program->aspace = NULL;
    aspace_activate(process->aspace);
    if (traced && !shared)
        aspace_trace_exec(process->aspace, left);
    else if (traced || trace_wants(program->path) || replay_wants(program->path))
        aspace_trace(process->aspace, process->id, program->path);
    if (left != NULL)
        aspace_release(left);
    process_vfork_release(process);
}

static void
exec_change_files(struct process *process, struct exec_program *program)
{
    struct inode *inode = process->executable;

    if (program->files != NULL) {
        struct file_table *shared = process->files;

        process->files = program->files;
        program->files = shared;
    }
    file_table_close_on_exec(process->files);
    process->executable = program->file.inode;
    program->file.inode = inode;
}

/* The first instruction: the dynamic linker's, where there is one. */
static u32
exec_entry(const struct exec_program *program)
{
    return program->linker.inode != NULL ? program->linker.layout.entry : program->file.layout.entry;
}

static void
exec_change_registers(struct thread *thread, const struct exec_program *program)
{
    struct trap_frame *frame = thread->frame;

    *frame = (struct trap_frame){
        .ds = SELECTOR_USER_DATA,
        .es = SELECTOR_USER_DATA,
        .vector = VECTOR_SYSTEM_CALL,
        .eip = exec_entry(program),
        .cs = SELECTOR_USER_CODE,
        .eflags = EFLAGS_INTERRUPT | EFLAGS_ALWAYS_SET,
        .esp = program->stack_pointer,
        .ss = SELECTOR_USER_DATA,
    };
    memset(thread->tls, 0, sizeof(thread->tls));
    thread->fs = 0;
    thread->gs = 0;
    fpu_init_state(&thread->fpu);
    interrupts_disable();
    thread->has_user_state = true;
    thread_load_user_state(thread);
    interrupts_enable();
}

static void
exec_commit(struct exec_program *program)
{
    struct thread *thread = current_thread();
    struct process *process = thread->process;

    assert(exec_entry(program) < user_top());
    futex_thread_ends(thread);
    posix_timers_end(process);
    thread_become_first(thread);
    process->exit_status = 0;
    exec_change_aspace(process, program);
    exec_change_files(process, program);
    signal_exec_commit(process, program->actions);
    program->actions = NULL;
    process->has_executed = true;
    process->dumpable = true;
    process->identity = identity_after_exec(&process->identity, process->executable, process->no_new_privileges);
    process_set_name(process, program->path);
    exec_change_registers(thread, program);
    aspace_step(process->aspace, thread->frame);
}

/* Takes over the caller's hold on the inode. */
static int
exec_run_inode(struct exec_program *program, struct inode *inode, struct exec_strings *strings)
{
    int result = exec_open(program, inode, strings);

    if (result == 0)
        result = exec_load(program);
    if (result == 0)
        result = exec_stack_build(program, strings);
    if (result == 0)
        result = exec_prepare(program);
    if (result == 0)
        result = process_end_other_threads(current_process());
    if (result == 0)
        exec_commit(program);
    exec_release(program);
    return result;
}

int
exec_run(const char *path, struct exec_strings *strings)
{
    struct exec_program program = {.path = path};
    struct inode *inode;
    int error = path_lookup(NULL, path, 0, &inode);

    return error < 0 ? error : exec_run_inode(&program, inode, strings);
}

s32
sys_execve(u32 path_address, u32 arguments, u32 environment)
{
    struct exec_strings strings;
    char *path;
    int result = path_copy_in(path_address, &path);

    if (result < 0)
        return result;
    result = exec_strings_copy_in(&strings, arguments, environment);
    if (result == 0)
        result = exec_run(path, &strings);
    exec_strings_release(&strings);
    path_free(path);
    return result;
}

/* What execveat's program is called: its path, or the way to it through the descriptor that it is relative to. */
struct exec_name {
    struct text_buffer text;
    bool through_descriptor;
};

static int
exec_name_print(struct exec_name *name, s32 directory, u32 path_address, u32 flags)
{
    char *path = NULL;
    int error = path_copy_in(path_address, &path);
    bool is_empty = error == -ENOENT;

    if (error < 0 && !(is_empty && flags & AT_EMPTY_PATH))
        return error;
    name->through_descriptor = directory != AT_FDCWD && (is_empty || path[0] != '/');
    if (name->through_descriptor)
        text_print(&name->text, "/dev/fd/%d%s", directory, is_empty ? "" : "/");
    text_print(&name->text, "%s", is_empty ? "" : path);
    path_free(path);
    return name->text.failed ? -ENOMEM : 0;
}

/* The interpreter of a script is told its name, which leads nowhere if exec closes the descriptor. */
static int
exec_run_at(s32 directory, u32 path_address, u32 flags, const struct exec_name *name, struct exec_strings *strings)
{
    const struct descriptor *entry = file_descriptor(current_process()->files, directory);
    struct exec_program program = {
        .path = name->text.data,
        .path_is_closed = name->through_descriptor && entry != NULL && entry->close_on_exec,
    };
    struct inode *inode;
    int error;

    if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    error = path_lookup_at(directory, path_address, flags, &inode);
    return error < 0 ? error : exec_run_inode(&program, inode, strings);
}

s32
sys_execveat(s32 directory, u32 path, u32 arguments, u32 environment, u32 flags)
{
    struct exec_name name = {0};
    struct exec_strings strings = {0};
    int result = exec_name_print(&name, directory, path, flags);

    if (result == 0)
        result = exec_strings_copy_in(&strings, arguments, environment);
    if (result == 0)
        result = exec_run_at(directory, path, flags, &name, &strings);
    exec_strings_release(&strings);
    text_free(&name.text);
    return result;
}
