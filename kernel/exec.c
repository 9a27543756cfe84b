/*
 * The order of things in exec:
 *
 *     open       find the file; while it is a #! script, go on with its interpreter     elf_check_header
 *     check      the program headers                                                   elf_check_segments
 *     load       a new address space: a region for each segment, bss, heap, stack      mmap_map, exec_stack_build
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
#include "kernel/process.h"
#include "kernel/resource.h"
#include "kernel/syscall.h"
#include "kernel/x86/trap.h"
#include "mm/aspace.h"
#include "mm/kmem.h"
#include "mm/mmap.h"
#include "mm/transfer.h"
#include "mm/trace.h"

#include <asm/errno.h>
#include <linux/mman.h>

/* As much of a file as is looked at to see what it is: Linux's BINPRM_BUF_SIZE. */
#define HEADER_BYTES 256u

/* A script's interpreter may be a script: this often. */
#define SCRIPT_DEPTH_MAXIMUM 4

#define EFLAGS_INTERRUPT 0x200u
#define EFLAGS_ALWAYS_SET 0x002u

static struct elf_limits
exec_limits(const struct inode *inode)
{
    return (struct elf_limits){.file_size = inode_size(inode), .user_bottom = USER_BOTTOM, .user_top = user_top()};
}

/* ---- Open ---- */

static bool
is_blank(char character)
{
    return character == ' ' || character == '\t';
}

/*
 * Splits the first line of a script, "#! interpreter [one option]", in place. False if it names no interpreter,
 * or is too long to be sure where the name ends.
 */
static bool
exec_parse_script(char *line, char **interpreter, char **option)
{
    char *end = strchr(line, '\n');
    char *cursor = line + 2;

    if (end == NULL)
        return false;
    while (end > cursor && is_blank(end[-1]))
        end--;
    *end = '\0';
    while (is_blank(*cursor))
        cursor++;
    *interpreter = cursor;
    while (*cursor != '\0' && !is_blank(*cursor))
        cursor++;
    *option = NULL;
    if (*cursor != '\0') {
        *cursor++ = '\0';
        while (is_blank(*cursor))
            cursor++;
        *option = cursor;
    }
    return **interpreter != '\0';
}

/* Takes another file as the program's; its first bytes go to header, which is one longer for a terminator. */
static int
exec_open_file(struct exec_program *program, const char *path, char *header)
{
    struct inode *inode;
    int result = path_open_executable(path, &inode);

    if (result < 0)
        return result;
    inode_release(program->inode);
    program->inode = inode;
    result = object_read_kernel(inode->object, 0, header, HEADER_BYTES);
    if (result >= 0)
        header[result] = '\0';
    return result;
}

static int
exec_open(struct exec_program *program, struct exec_strings *strings)
{
    char header[HEADER_BYTES + 1] __attribute__((aligned(4)));
    char script[HEADER_BYTES + 1];
    int result = exec_open_file(program, program->path, header);

    for (int depth = 0; result >= 2 && header[0] == '#' && header[1] == '!'; depth++) {
        const char *script_path = depth == 0 ? program->path : script;
        char *interpreter, *option;

        if (depth == SCRIPT_DEPTH_MAXIMUM)
            return -ELOOP;
        if (!exec_parse_script(header, &interpreter, &option))
            return -ENOEXEC;
        result = exec_strings_interpret(strings, interpreter, option, script_path);
        if (result < 0)
            return result;
        string_copy(script, interpreter, sizeof(script));
        result = exec_open_file(program, script, header);
    }
    if (result < 0)
        return result;
    struct elf_limits limits = exec_limits(program->inode);

    return elf_check_header((const Elf32_Ehdr *)header, (u32)result, &limits, &program->layout);
}

/* ---- Check ---- */

static int
exec_read_segments(struct exec_program *program)
{
    u32 bytes = program->layout.header_count * (u32)sizeof(Elf32_Phdr);
    struct elf_limits limits = exec_limits(program->inode);
    int result;

    program->segments = kmem_allocate(bytes);
    if (program->segments == NULL)
        return -ENOMEM;
    result = object_read_kernel(program->inode->object, program->layout.header_offset, program->segments, bytes);
    if (result < 0)
        return result;
    if ((u32)result < bytes)
        return -ENOEXEC;
    return elf_check_segments(program->segments, &program->layout, &limits, &program->image);
}

/* ---- Load ---- */

static u32
exec_protection(u32 segment_flags)
{
    return ((segment_flags & PF_R) != 0 ? PROT_READ : 0) | ((segment_flags & PF_W) != 0 ? PROT_WRITE : 0)
        | ((segment_flags & PF_X) != 0 ? PROT_EXEC : 0);
}

/* Maps [start, end) rounded to pages, of the file from `offset` on if it is not NULL. */
static int
exec_map(struct exec_program *program, u32 start, u32 end, u32 protection, struct object *object, u32 offset,
         u64 data_end)
{
    struct mmap_request request = {
        .address = start & ~PAGE_MASK,
        .bytes = end - (start & ~PAGE_MASK),
        .protection = protection,
        .flags = MAP_PRIVATE | MAP_FIXED | (object == NULL ? MAP_ANONYMOUS : 0),
        .maximum = PROT_READ | PROT_WRITE | PROT_EXEC,
        .object = object,
        .object_page = offset >> PAGE_SHIFT,
        .data_end = data_end,
    };

    return mmap_map(program->aspace, &request);
}

/*
 * A segment is its part of the file, and zeroes for the rest of its memory. Where the two meet within a page,
 * mm keeps the page's rest zero (data_end) when somebody touches it.
 */
static int
exec_load_segment(struct exec_program *program, const Elf32_Phdr *segment)
{
    u32 protection = exec_protection(segment->p_flags);
    u32 file_end = segment->p_vaddr + segment->p_filesz;
    u32 memory_end = segment->p_vaddr + segment->p_memsz;
    u32 zero_start = segment->p_filesz > 0 ? (file_end + PAGE_MASK) & ~PAGE_MASK : segment->p_vaddr & ~PAGE_MASK;
    u64 data_end = segment->p_memsz > segment->p_filesz ? (u64)segment->p_offset + segment->p_filesz : 0;
    int result = 0;

    if (segment->p_filesz > 0)
        result = exec_map(program, segment->p_vaddr, file_end, protection, program->inode->object, segment->p_offset,
                          data_end);
    if (result == 0 && memory_end > zero_start)
        result = exec_map(program, zero_start, memory_end, protection, NULL, 0, 0);
    return result;
}

static int
exec_load(struct exec_program *program, const struct exec_strings *strings)
{
    int result = 0;

    program->aspace = aspace_create();
    if (program->aspace == NULL)
        return -ENOMEM;
    resource_apply_limits(current_process(), program->aspace);
    for (u32 i = 0; i < program->layout.header_count && result == 0; i++) {
        const Elf32_Phdr *segment = &program->segments[i];

        if (segment->p_type == PT_LOAD && segment->p_memsz > 0)
            result = exec_load_segment(program, segment);
    }
    if (result < 0)
        return result;
    program->aspace->heap_start = (program->image.end + PAGE_MASK) & ~PAGE_MASK;
    program->aspace->heap_end = program->aspace->heap_start;
    return exec_stack_build(program, strings);
}

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
    inode_release(program->inode);
    kmem_free(program->segments);
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
    bool traced = trace_wants(program->path) || (left != NULL && left->trace != NULL);

    if (left != NULL)
        process_usage_retire_aspace(process);
    process->aspace = program->aspace;
    program->aspace = NULL;
    aspace_activate(process->aspace);
    if (traced)
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
    process->executable = program->inode;
    program->inode = inode;
}

static void
exec_change_registers(struct thread *thread, const struct exec_program *program)
{
    struct trap_frame *frame = thread->frame;

    *frame = (struct trap_frame){
        .ds = SELECTOR_USER_DATA,
        .es = SELECTOR_USER_DATA,
        .vector = VECTOR_SYSTEM_CALL,
        .eip = program->layout.entry,
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

    assert(program->layout.entry < user_top());
    futex_thread_ends(thread);
    thread_become_first(thread);
    process->exit_status = 0;
    exec_change_aspace(process, program);
    exec_change_files(process, program);
    signal_exec_commit(process, program->actions);
    program->actions = NULL;
    process->has_executed = true;
    process->identity = identity_after_exec(&process->identity, process->executable);
    process_set_name(process, program->path);
    exec_change_registers(thread, program);
    aspace_step(process->aspace, thread->frame);
}

int
exec_run(const char *path, struct exec_strings *strings)
{
    struct exec_program program = {.path = path};
    int result = exec_open(&program, strings);

    if (result == 0)
        result = exec_read_segments(&program);
    if (result == 0)
        result = exec_load(&program, strings);
    if (result == 0)
        result = exec_prepare(&program);
    if (result == 0)
        result = process_end_other_threads(current_process());
    if (result == 0)
        exec_commit(&program);
    exec_release(&program);
    return result;
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
