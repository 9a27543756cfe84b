/*
 * Archives: made here in memory, some of them damaged, behind a block device.
 */
#include "drivers/block.h"
#include "kernel/command_line.h"
#include "kernel/cpio.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/path.h"
#include "kernel/selftest.h"
#include "kernel/text.h"
#include "mm/kmem.h"
#include "mm/object.h"
#include "mm/transfer.h"

#include <asm/errno.h>
#include <linux/limits.h>
#include <linux/stat.h>

#define HEADER_BYTES 110u
#define NAME_BYTES_OFFSET 94u      /* of the field with the length of the name */
#define FILE_BYTES_OFFSET 54u      /* of the field with the length of the data */
#define OWNER_OFFSET 22u           /* of the fields with the user and the group */
#define DEVICE_OFFSET 62u          /* of the fields with the device's two numbers */

static struct text_buffer archive;

static int
archive_read(struct block_device *device, u64 position, const struct block_piece *pieces, u32 count)
{
    (void)device;
    for (u32 i = 0; i < count; i++) {
        memcpy(pieces[i].buffer, archive.data + position, pieces[i].bytes);
        position += pieces[i].bytes;
    }
    return 0;
}

static const struct block_operations archive_operations = {.read = archive_read};
static struct block_device archive_device = {.name = "archive", .operations = &archive_operations};

static struct block_device *
device(void)
{
    archive_device.bytes = archive.length;
    return &archive_device;
}

static void
pad(void)
{
    while (archive.length % 4 != 0)
        text_append(&archive, "", 1);
}

/* Adds one entry to the archive. */
static void
add(const char *magic, u32 number, u32 mode, u32 links, const char *name, const char *data, u32 check)
{
    text_print(&archive, "%s%08x%08x%08x%08x%08x%08x%08x", magic, number, mode, 0, 0, links, 1000, (u32)strlen(data));
    text_print(&archive, "%08x%08x%08x%08x%08x%08x", 0, 0, 0, 0, (u32)strlen(name) + 1, check);
    text_append(&archive, name, strlen(name) + 1);
    pad();
    text_append(&archive, data, strlen(data));
    pad();
}

static void
add_file(const char *name, const char *data)
{
    add("070701", 1, S_IFREG | 0640, 1, name, data, 0);
}

static void
add_trailer(void)
{
    add("070701", 0, 0, 1, "TRAILER!!!", "", 0);
}

/* An archive with a directory and a file in it. */
static void
build(void)
{
    text_free(&archive);
    add("070701", 1, S_IFDIR | 0750, 2, "cpio-test", "", 0);
    add_file("cpio-test/file", "contents");
}

/* Takes away what the tests laid over the root. */
static void
clean(const char *const *names, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        struct path_end end;

        if (path_walk(path_root, names[i], PATH_NO_FOLLOW, &end) < 0)
            continue;
        if (end.inode != NULL)
            end.directory->operations->unlink(end.directory, end.name, end.inode);
        path_end_release(&end);
    }
    text_free(&archive);
}

/* Whether the file at path has these contents. */
static bool
has_contents(const char *path, const char *contents)
{
    struct inode *inode;
    char text[32] = "";
    bool same;

    if (path_lookup(path_root, path, 0, &inode) < 0)
        return false;
    same = inode_size(inode) == strlen(contents) && inode_size(inode) < sizeof(text) &&
           object_read_kernel(inode->object, 0, text, strlen(contents)) == (int)strlen(contents) &&
           strcmp(text, contents) == 0;
    inode_release(inode);
    return same;
}

static bool
exists(const char *path)
{
    struct inode *inode;

    if (path_lookup(path_root, path, PATH_NO_FOLLOW, &inode) < 0)
        return false;
    inode_release(inode);
    return true;
}

SELFTEST(cpio, lays_files, "an archive's files have its contents, modes and times")
{
    static const char *const names[] = {"cpio-test/file", "cpio-test"};
    struct inode *inode;

    build();
    add_trailer();
    check_equal(cpio_unpack(device(), "test"), 0);
    check_true(has_contents("/cpio-test/file", "contents"));
    check_equal(path_lookup(path_root, "/cpio-test", 0, &inode), 0);
    check_equal(inode->mode, S_IFDIR | 0750);
    check_true(inode->modified == 1000ull * 1000000000);
    inode_release(inode);
    clean(names, ARRAY_SIZE(names));
}

SELFTEST(cpio, later_replaces, "a later archive replaces files and merges directories")
{
    static const char *const names[] = {"cpio-test/file", "cpio-test/other", "cpio-test"};

    build();
    add_file("cpio-test/other", "stays");
    add_trailer();
    check_equal(cpio_unpack(device(), "first"), 0);
    check_true(has_contents("/cpio-test/other", "stays"));
    text_free(&archive);
    /* The device of the first archive is gone here: only the new file may be read. */
    add_file("./cpio-test/file", "newer");
    add_trailer();
    check_equal(cpio_unpack(device(), "second"), 0);
    check_true(has_contents("/cpio-test/file", "newer"));
    check_true(exists("/cpio-test/other"));
    clean(names, ARRAY_SIZE(names));
}

SELFTEST(cpio, hard_links_share, "names with the same number are one file, with the data of the one that has it")
{
    static const char *const names[] = {"cpio-a", "cpio-b"};
    struct inode *a, *b;

    text_free(&archive);
    add("070701", 7, S_IFREG | 0644, 2, "cpio-a", "", 0);
    add("070701", 7, S_IFREG | 0644, 2, "cpio-b", "shared", 0);
    add_trailer();
    check_equal(cpio_unpack(device(), "test"), 0);
    check_true(has_contents("/cpio-a", "shared"));
    check_equal(path_lookup(path_root, "/cpio-a", 0, &a), 0);
    check_equal(path_lookup(path_root, "/cpio-b", 0, &b), 0);
    check_true(a == b);
    check_equal(a->links, 2);
    inode_release(a);
    inode_release(b);
    clean(names, ARRAY_SIZE(names));
}

SELFTEST(cpio, makes_parents_and_links, "missing directories are made, and symbolic links say what the archive says")
{
    static const char *const names[] = {"cpio-p/q/link", "cpio-p/q", "cpio-p"};
    struct inode *link;

    text_free(&archive);
    add("070701", 1, S_IFLNK | 0777, 1, "/cpio-p/q/link", "../target", 0);
    add_trailer();
    check_equal(cpio_unpack(device(), "test"), 0);
    check_equal(path_lookup(path_root, "/cpio-p/q/link", PATH_NO_FOLLOW, &link), 0);
    check_text(link->target, "../target");
    inode_release(link);
    clean(names, ARRAY_SIZE(names));
}

/* Expects that the archive is damaged and nothing of it was applied. */
static bool
is_refused(void)
{
    struct cpio_damage damage;
    bool refused = !cpio_check(device(), &damage) && cpio_unpack(device(), "damaged") == -EINVAL &&
                   !exists("/cpio-test");

    text_free(&archive);
    return refused;
}

SELFTEST(cpio, needs_trailer, "an archive without its trailer is damaged")
{
    build();
    check_true(is_refused());
}

SELFTEST(cpio, truncated, "an archive cut off anywhere is damaged")
{
    struct cpio_damage damage;
    u32 whole;

    build();
    add_trailer();
    whole = archive.length;
    for (u32 length = HEADER_BYTES; length + 4 < whole; length += 7) {
        archive_device.bytes = length;
        check_true(!cpio_check(&archive_device, &damage));
    }
    text_free(&archive);
}

SELFTEST(cpio, bad_headers, "a wrong magic number, a field that is no number, absurd lengths: damaged")
{
    static const struct { u32 offset; const char *bytes; } damages[] = {
        {1, "6"}, {5, "3"}, {20, "g"},
        {NAME_BYTES_OFFSET, "ffffffff"}, {NAME_BYTES_OFFSET, "00000000"}, {FILE_BYTES_OFFSET, "ffffffff"},
    };

    for (u32 i = 0; i < ARRAY_SIZE(damages); i++) {
        u32 second;

        text_free(&archive);
        add("070701", 1, S_IFDIR | 0750, 2, "cpio-test", "", 0);
        second = archive.length;
        add_file("cpio-test/file", "contents");
        add_trailer();
        memcpy(archive.data + second + damages[i].offset, damages[i].bytes, strlen(damages[i].bytes));
        check_true(is_refused());
    }
}

SELFTEST(cpio, damage_is_placed, "it is said which entry is damaged: its number, its place, and its name if that is whole")
{
    struct cpio_damage damage;
    u32 second;

    text_free(&archive);
    add("070701", 1, S_IFDIR | 0750, 2, "cpio-test", "", 0);
    second = archive.length;
    add_file("cpio-test/file", "contents");
    check_true(!cpio_check(device(), &damage));
    check_equal(damage.entry, 3);
    check_equal(damage.position, archive.length);
    check_text(damage.name, "");
    archive.data[second + 20] = 'g';
    check_true(!cpio_check(device(), &damage));
    check_equal(damage.entry, 2);
    check_equal(damage.position, second);
    check_text(damage.name, "");
    build();
    memcpy(archive.data + second + FILE_BYTES_OFFSET, "00001000", 8);
    check_true(!cpio_check(device(), &damage));
    check_equal(damage.entry, 2);
    check_text(damage.name, "cpio-test/file");
    text_free(&archive);
}

SELFTEST(cpio, any_damage_is_survived,
         "whatever bytes are wrong, an archive is found good or damaged, and nothing else happens")
{
    static char whole[1024];
    struct cpio_damage damage;
    struct random random;
    u32 length;

    random_seed(&random, command_line_seed);
    build();
    add("070701", 3, S_IFLNK | 0777, 1, "cpio-test/link", "file", 0);
    add_trailer();
    length = archive.length;
    check_true(length <= sizeof(whole));
    memcpy(whole, archive.data, length);
    for (u32 turn = 0; turn < 2000; turn++) {
        memcpy(archive.data, whole, length);
        for (u32 changes = 1 + random_below(&random, 4); changes > 0; changes--)
            archive.data[random_below(&random, length)] = (char)random_next(&random);
        cpio_check(device(), &damage);
    }
    text_free(&archive);
}

SELFTEST(cpio, stays_inside_root, "a name that leads out of the root is damage")
{
    build();
    add_file("cpio-test/../../outside", "x");
    add_trailer();
    check_true(is_refused());
}

/* What is wrong with the first bytes of the archive; "" if nothing is. */
static const char *
damage_within(u32 bytes)
{
    struct cpio_damage damage;

    archive_device.bytes = bytes;
    return cpio_check(&archive_device, &damage) ? "" : damage.what;
}

/* The same for an archive of one entry and a trailer. */
static const char *
damage_of(u32 mode, const char *name, const char *data)
{
    const char *what;

    text_free(&archive);
    add("070701", 1, mode, 1, name, data, 0);
    add_trailer();
    what = damage_within(archive.length);
    text_free(&archive);
    return what;
}

/* A name of so many bytes, in parts of at most NAME_MAX. */
static const char *
long_name(u32 length)
{
    static char name[PATH_MAX + 1];

    for (u32 i = 0; i < length; i++)
        name[i] = i % (NAME_MAX + 1) == NAME_MAX ? '/' : 'n';
    name[length] = '\0';
    return name;
}

SELFTEST(cpio, bad_names, "each way in which a name can be wrong is damage of its own, and what is just right is none")
{
    static char part[NAME_MAX + 2];

    memset(part, 'n', NAME_MAX + 1);
    check_text(damage_of(S_IFREG, part, ""), "a name is too long");
    part[NAME_MAX] = '\0';
    check_text(damage_of(S_IFREG, part, ""), "");
    check_text(damage_of(S_IFREG, long_name(PATH_MAX), ""), "a name has an impossible length");
    check_text(damage_of(S_IFREG, long_name(PATH_MAX - 1), ""), "");
    check_text(damage_of(S_IFDIR, "", ""), "a name has an impossible length");
    check_text(damage_of(S_IFREG, "./", ""), "a file has no name");
    check_text(damage_of(S_IFDIR, "./", ""), "");
    check_text(damage_of(S_IFREG, "..", ""), "a name leads out of the root");
    check_text(damage_of(S_IFREG, "a/../b", ""), "a name leads out of the root");
    check_text(damage_of(S_IFREG, "a/..", ""), "a name leads out of the root");
    check_text(damage_of(S_IFREG, "..a/b../.c", ""), "");
}

SELFTEST(cpio, bad_entries, "a type that there is not, a link that leads nowhere, and a name or a file that goes on behind the end are damage of their own")
{
    check_text(damage_of(0, "a", ""), "a file has an unknown type");
    check_text(damage_of(S_IFLNK, "a", ""), "a symbolic link has an impossible length");
    check_text(damage_of(S_IFLNK, "a", "b"), "");
    check_text(damage_of(S_IFLNK, "a", long_name(PATH_MAX)), "a symbolic link has an impossible length");
    /* Padding follows the name: as a part of it, it is a zero too many. */
    add_file("name", "");
    memcpy(archive.data + NAME_BYTES_OFFSET, "00000006", 8);
    check_text(damage_within(archive.length), "a name has another length than its header says");
    check_text(damage_within(HEADER_BYTES + 5), "it ends within a name");
    memcpy(archive.data + NAME_BYTES_OFFSET, "00000005", 8);
    memcpy(archive.data + FILE_BYTES_OFFSET, "00000100", 8);
    check_text(damage_within(archive.length), "it ends within a file");
    text_free(&archive);
}

SELFTEST(cpio, links_are_of_one_device, "names with the same number on different devices are different files")
{
    static const char *const names[] = {"cpio-a", "cpio-b", "cpio-c"};
    u32 second, third;

    text_free(&archive);
    add("070701", 7, S_IFREG | 0644, 2, "cpio-a", "one", 0);
    second = archive.length;
    add("070701", 7, S_IFREG | 0644, 2, "cpio-b", "two", 0);
    third = archive.length;
    add("070701", 7, S_IFREG | 0644, 2, "cpio-c", "three", 0);
    add_trailer();
    memcpy(archive.data + second + DEVICE_OFFSET, "00000001", 8);
    memcpy(archive.data + third + DEVICE_OFFSET + 8, "00000001", 8);
    check_equal(cpio_unpack(device(), "test"), 0);
    check_true(has_contents("/cpio-a", "one"));
    check_true(has_contents("/cpio-b", "two"));
    check_true(has_contents("/cpio-c", "three"));
    clean(names, ARRAY_SIZE(names));
}

SELFTEST(cpio, links_have_one_number, "names with different numbers are different files, and a name without data takes none away")
{
    static const char *const names[] = {"cpio-a", "cpio-b", "cpio-c", "cpio-d"};

    text_free(&archive);
    add("070701", 7, S_IFREG | 0644, 2, "cpio-a", "one", 0);
    add("070701", 8, S_IFREG | 0644, 2, "cpio-b", "two", 0);
    add("070701", 7, S_IFREG | 0644, 2, "cpio-c", "", 0);
    add("070701", 8, S_IFREG | 0644, 2, "cpio-d", "", 0);
    add_trailer();
    check_equal(cpio_unpack(device(), "test"), 0);
    check_true(has_contents("/cpio-a", "one") && has_contents("/cpio-c", "one"));
    check_true(has_contents("/cpio-b", "two") && has_contents("/cpio-d", "two"));
    clean(names, ARRAY_SIZE(names));
}

SELFTEST(cpio, owners_and_devices, "a file has the user and the group that the archive says, a device its numbers")
{
    static const char *const names[] = {"cpio-device"};
    struct inode *inode;

    text_free(&archive);
    add("070701", 1, S_IFCHR | 0600, 1, "cpio-device", "", 0);
    memcpy(archive.data + OWNER_OFFSET, "0000000500000006", 16);
    memcpy(archive.data + DEVICE_OFFSET + 16, "0000000400012345", 16);
    add_trailer();
    check_equal(cpio_unpack(device(), "test"), 0);
    check_equal(path_lookup(path_root, "/cpio-device", 0, &inode), 0);
    check_equal(inode->user, 5);
    check_equal(inode->group, 6);
    check_equal(inode->device, 0x12300445);
    inode_release(inode);
    clean(names, ARRAY_SIZE(names));
}

SELFTEST(cpio, full_directories_stay, "a file is left out where a directory has something in it")
{
    static const char *const names[] = {"cpio-test/file", "cpio-test"};

    build();
    add_trailer();
    check_equal(cpio_unpack(device(), "first"), 0);
    text_free(&archive);
    add_file("cpio-test", "a file");
    add_trailer();
    check_equal(cpio_unpack(device(), "second"), 0);
    check_true(exists("/cpio-test/file"));
    clean(names, ARRAY_SIZE(names));
}

SELFTEST(cpio, checksum, "in the crc format a file whose bytes do not add up is damage")
{
    static const char *const names[] = {"cpio-sum"};

    text_free(&archive);
    add("070702", 1, S_IFREG | 0644, 1, "cpio-sum", "ab", 'a' + 'b');
    add_trailer();
    check_equal(cpio_unpack(device(), "test"), 0);
    check_true(has_contents("/cpio-sum", "ab"));
    clean(names, ARRAY_SIZE(names));
    add("070702", 1, S_IFREG | 0644, 1, "cpio-test", "ab", 'a');
    add_trailer();
    check_true(is_refused());
}

SELFTEST(cpio, no_archive, "something that is no archive is told apart from a damaged one")
{
    text_free(&archive);
    text_print(&archive, "%s", "this is just some text and not an archive");
    check_equal(cpio_unpack(device(), "text"), -ENOEXEC);
    text_free(&archive);
}
