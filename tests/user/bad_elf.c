/*
 * Damaged programs: exec of a file whose ELF headers are truncated, cross the
 * file's end, overlap, are misaligned or huge, belong to another machine, or lead
 * into the kernel. The caller gets an errno and lives. Where a kernel finds out
 * only after the old program is gone, the process may also be killed; nobody else
 * notices.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

#define FILE_NAME "/tmp/bad_elf"
#define LINKER_NAME "/tmp/bad_elf_linker"
#define KERNEL    0xC0100000 /* an address of the kernel's */

enum {
    BASE = 0x08048000,
    STATUS = 200,          /* with which the whole program exits; no errno is as large */
    SEGMENTS = 2,
    KILLED = 1 << 30,      /* among the answers: SIGSEGV or SIGKILL */
    UNLESS_MINE = 1 << 29, /* likewise: it may run where a process owns all 4 GiB, as under a 64-bit Linux */
};

/* A program that exits with STATUS: mov $1, %eax; mov $STATUS, %ebx; int $0x80 */
static const unsigned char code[] = { 0xb8, 1, 0, 0, 0, 0xbb, STATUS, 0, 0, 0, 0xcd, 0x80 };

/* The file: headers and code in the first page, one page of data in the second. */
static struct image {
    Elf32_Ehdr header;
    Elf32_Phdr segments[SEGMENTS];
    unsigned char code[sizeof code];
    unsigned char padding[PAGE_SIZE - sizeof(Elf32_Ehdr) - SEGMENTS * sizeof(Elf32_Phdr) - sizeof code];
    unsigned char data[PAGE_SIZE];
} image;

static size_t length; /* of the file that is written */
static mode_t mode;

#define TEXT image.segments[0]
#define DATA image.segments[1]

/* Makes the image whole: a program that runs. */
static void
image_make(void)
{
    image = (struct image) {
        .header = {
            .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
            .e_type = ET_EXEC, .e_machine = EM_386, .e_version = EV_CURRENT,
            .e_entry = BASE + offsetof(struct image, code), .e_phoff = offsetof(struct image, segments),
            .e_ehsize = sizeof(Elf32_Ehdr), .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = SEGMENTS,
        },
        .segments = {
            { PT_LOAD, 0, BASE, BASE, PAGE_SIZE, PAGE_SIZE, PF_R | PF_X, PAGE_SIZE },
            { PT_LOAD, PAGE_SIZE, BASE + PAGE_SIZE, BASE + PAGE_SIZE, PAGE_SIZE, 2 * PAGE_SIZE, PF_R | PF_W, PAGE_SIZE },
        },
    };
    memcpy(image.code, code, sizeof code);
    length = sizeof image;
    mode = 0755;
}

/* ---- Ways to damage it ----------------------------------------------------------------------------------------- */

static void whole(void) { }
static void empty(void) { length = 0; }
static void magic_alone(void) { length = SELFMAG; }
static void header_truncated(void) { length = sizeof(Elf32_Ehdr) - 1; }
static void segments_missing(void) { length = sizeof(Elf32_Ehdr); }
static void segments_truncated(void) { length = sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr) + 1; }
static void data_missing(void) { length = PAGE_SIZE; DATA.p_memsz = PAGE_SIZE; }
static void magic_wrong(void) { image.header.e_ident[EI_MAG3] = 'G'; }
static void machine_wrong(void) { image.header.e_machine = EM_ARM; }
static void type_relocatable(void) { image.header.e_type = ET_REL; }
static void type_core(void) { image.header.e_type = ET_CORE; }
static void segments_none(void) { image.header.e_phnum = 0; }
static void segments_too_many(void) { image.header.e_phnum = UINT16_MAX; }
static void segment_size_wrong(void) { image.header.e_phentsize = sizeof(Elf32_Phdr) - 1; }
static void segment_size_zero(void) { image.header.e_phentsize = 0; }
static void segments_beyond_end(void) { image.header.e_phoff = sizeof image; }
static void segments_huge_offset(void) { image.header.e_phoff = UINT32_MAX - 8; }
static void segments_not_loaded(void) { TEXT.p_type = DATA.p_type = PT_NULL; }
static void file_size_above_memory_size(void) { DATA.p_memsz = DATA.p_filesz - 1; }
static void file_size_huge(void) { DATA.p_filesz = DATA.p_memsz = UINT32_MAX; }
static void memory_size_huge(void) { DATA.p_memsz = 0xF0000000; }
static void memory_wraps(void) { DATA.p_memsz = UINT32_MAX - DATA.p_vaddr + 2; }
static void offset_beyond_end(void) { DATA.p_offset = 16 * PAGE_SIZE; }
static void offset_misaligned(void) { DATA.p_offset = PAGE_SIZE + 1; }
static void address_misaligned(void) { DATA.p_vaddr += 1; }
static void address_in_kernel(void) { DATA.p_vaddr = KERNEL; }
static void address_highest(void) { DATA.p_vaddr = 0xFFFFF000; }
static void address_below_kernel(void) { DATA.p_vaddr = 0xBFFFF000; DATA.p_memsz = 4 * PAGE_SIZE; }
static void address_null(void) { TEXT.p_vaddr = 0; image.header.e_entry -= BASE; }
static void segments_overlap(void) { DATA.p_vaddr = BASE; }
static void segments_descend(void) { DATA.p_vaddr = BASE - 16 * PAGE_SIZE; }
static void entry_in_kernel(void) { image.header.e_entry = KERNEL; }
static void entry_unmapped(void) { image.header.e_entry = BASE - PAGE_SIZE; }
static void entry_in_data(void) { image.header.e_entry = BASE + PAGE_SIZE; }
static void entry_above_all(void) { image.header.e_entry = UINT32_MAX; }
static void interpreter_missing(void) { TEXT.p_type = PT_INTERP; TEXT.p_filesz = EI_NIDENT; }
static void interpreter_unterminated(void) { TEXT.p_type = PT_INTERP; TEXT.p_offset = 1; TEXT.p_filesz = 3; }

/* Has the program be given to a dynamic linker: a file with these bytes. */
static void
linker_make(const void *bytes, size_t count)
{
    int file = open(LINKER_NAME, O_CREAT | O_WRONLY | O_TRUNC, 0755);

    write(file, bytes, count);
    close(file);
    DATA.p_type = PT_INTERP;
    DATA.p_filesz = DATA.p_memsz = sizeof LINKER_NAME;
    memcpy(image.data, LINKER_NAME, sizeof LINKER_NAME);
}

static void linker_of_zeroes(void) { linker_make(image.padding, sizeof image.padding); }
static void linker_in_the_way(void) { linker_make(&image, sizeof image); }
static void not_executable(void) { mode = 0644; }
static void text_without_mark(void) { memcpy(&image, "echo hello\n", 11); length = 11; }
static void script_without_interpreter(void) { memcpy(&image, "#!\n", 3); length = 3; }
static void script_of_itself(void) { memcpy(&image, "#!" FILE_NAME "\n", length = sizeof "#!" FILE_NAME); }
static void zeroes_alone(void) { memset(&image, 0, sizeof image); }

/* `answers` lists the errnos that are right, STATUS for a program that runs, and KILLED. */
static const struct damage {
    const char *what;
    void (*make)(void);
    int answers[5];
} damages[] = {
    { "nothing", whole, { STATUS } },
    { "an empty file", empty, { ENOEXEC } },
    { "only the magic number", magic_alone, { ENOEXEC } },
    { "the file header is cut off", header_truncated, { ENOEXEC } },
    { "no program headers", segments_missing, { ENOEXEC, EIO } },
    { "the program headers are cut off", segments_truncated, { ENOEXEC, EIO } },
    { "the data lies beyond the end of the file", data_missing, { STATUS, ENOEXEC } },
    { "wrong magic number", magic_wrong, { ENOEXEC } },
    { "another machine's program", machine_wrong, { ENOEXEC } },
    { "an object file", type_relocatable, { ENOEXEC } },
    { "a core file", type_core, { ENOEXEC } },
    { "zero program headers", segments_none, { ENOEXEC } },
    { "65535 program headers", segments_too_many, { ENOEXEC, ENOMEM, EIO } },
    { "program headers of a wrong size", segment_size_wrong, { ENOEXEC } },
    { "program headers of size 0", segment_size_zero, { ENOEXEC } },
    { "program headers beyond the end", segments_beyond_end, { ENOEXEC, EIO } },
    { "program headers at an offset that wraps", segments_huge_offset, { ENOEXEC, EIO, EINVAL } },
    { "no segment is to be loaded", segments_not_loaded, { ENOEXEC, KILLED } },
    { "larger in the file than in memory", file_size_above_memory_size, { ENOEXEC, EINVAL, KILLED } },
    { "4 GiB in the file", file_size_huge, { ENOEXEC, ENOMEM, EINVAL, KILLED } },
    { "almost 4 GiB in memory", memory_size_huge, { ENOEXEC, ENOMEM, EINVAL, KILLED, UNLESS_MINE } },
    { "memory that wraps round", memory_wraps, { ENOEXEC, ENOMEM, EINVAL, KILLED } },
    { "data at an offset beyond the end", offset_beyond_end, { STATUS, ENOEXEC, KILLED } },
    { "a misaligned offset", offset_misaligned, { ENOEXEC, EINVAL, KILLED } },
    { "a misaligned address", address_misaligned, { ENOEXEC, EINVAL, KILLED } },
    { "a segment in the kernel", address_in_kernel, { ENOEXEC, ENOMEM, EINVAL, KILLED, UNLESS_MINE } },
    { "a segment in the highest page", address_highest, { ENOEXEC, ENOMEM, EINVAL, KILLED } },
    { "a segment that reaches into the kernel", address_below_kernel, { ENOEXEC, ENOMEM, EINVAL, KILLED, UNLESS_MINE } },
    { "a segment at null", address_null, { ENOEXEC, EPERM, STATUS, KILLED } },
    { "segments that overlap", segments_overlap, { ENOEXEC, EINVAL, KILLED } },
    { "segments in descending order", segments_descend, { STATUS, ENOEXEC, KILLED } },
    { "an entry in the kernel", entry_in_kernel, { ENOEXEC, EINVAL, KILLED } },
    { "an entry where nothing is", entry_unmapped, { ENOEXEC, KILLED } },
    { "an entry in data", entry_in_data, { ENOEXEC, KILLED } },
    { "an entry at the end of all addresses", entry_above_all, { ENOEXEC, EINVAL, KILLED } },
    { "an interpreter that does not exist", interpreter_missing, { ENOENT, ENOEXEC, EINVAL } },
    { "an interpreter whose name does not end", interpreter_unterminated, { ENOEXEC } },
    { "an interpreter of zeroes", linker_of_zeroes, { ELIBBAD } },
    { "an interpreter for the same addresses", linker_in_the_way, { STATUS } },
    { "not executable", not_executable, { EACCES } },
    { "a text without #!", text_without_mark, { ENOEXEC } },
    { "#! and nothing more", script_without_interpreter, { ENOEXEC, ENOENT } },
    { "a script that is its own interpreter", script_of_itself, { ELOOP, ENOEXEC, EACCES } },
    { "nothing but zeroes", zeroes_alone, { ENOEXEC } },
};

/* ---- Trying ---------------------------------------------------------------------------------------------------- */

static void
image_write(void)
{
    unlink(FILE_NAME);
    int file = open(FILE_NAME, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (write(file, &image, length) != (ssize_t) length || fchmod(file, mode) != 0)
        check_note("%s: %s", FILE_NAME, strerror(errno));
    close(file);
}

/* What became of a child that execs `path`: STATUS, an errno, or KILLED. Anything else is its wait status, negated. */
static int
answer_of(const char *path)
{
    char *const arguments[] = { (char *) path, NULL }, *const environment[] = { NULL };
    pid_t child = check_fork();

    if (child == 0) {
        execve(path, arguments, environment);
        _exit(errno);
    }
    int status = check_wait(child);
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    return WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGKILL ? KILLED : -status;
}

static const char *
answer_name(int answer)
{
    return answer == STATUS ? "it runs" : answer == KILLED ? "it is killed" : answer < 0 ? "another signal"
           : strerror(answer);
}

static void
damage_check(const struct damage *damage)
{
    bool right = false;

    image_make();
    damage->make();
    image_write();
    int answer = answer_of(FILE_NAME);
    for (size_t i = 0; i < sizeof damage->answers / sizeof *damage->answers; i++) {
        int right_answer = damage->answers[i] == UNLESS_MINE && (uintptr_t) &right > KERNEL ? STATUS : damage->answers[i];
        right |= right_answer != 0 && right_answer == answer;
    }
    check_that(right, "%s: %s", damage->what, answer_name(answer));
}

int
main(void)
{
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++)
        damage_check(&damages[i]);
    unlink(FILE_NAME);
    unlink(LINKER_NAME);
    check_that(answer_of(FILE_NAME) == ENOENT, "no such file");
    check_that(answer_of("/tmp") == EACCES, "a directory");
    check_that(answer_of("/tmp/") == EACCES, "a directory, with a slash");
    check_that(answer_of("") == ENOENT, "an empty name");
    return check_end();
}
