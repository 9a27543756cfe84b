/*
 * Laying cpio archives over the root.
 *
 *     header (110 bytes: magic, 13 numbers of 8 hexadecimal digits) | name, NUL | to 4 | data | to 4 |   next header …
 *
 * An archive is walked three times: to check it (nothing is changed until all of it was found good), to make its
 * files, and to give the directories the times which making files in them has changed. Names are taken relative to
 * the root; one that contains ".." is damage.
 */
#include "kernel/cpio.h"

#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "kernel/path.h"
#include "kernel/ramfs.h"
#include "kernel/time.h"
#include "mm/kmem.h"
#include "mm/object.h"
#include "mm/units.h"

#include <asm/errno.h>
#include <bsd/sys/queue.h>
#include <linux/stat.h>

#define CPIO_MAGIC_BYTES 6u
#define CPIO_NUMBER_BYTES 8u
#define CPIO_ALIGNMENT 4u
#define CPIO_TRAILER "TRAILER!!!"

/* The numbers of a header, in their order. */
enum cpio_number {
    CPIO_INODE, CPIO_MODE, CPIO_USER, CPIO_GROUP, CPIO_LINKS, CPIO_TIME, CPIO_BYTES, CPIO_MAJOR, CPIO_MINOR,
    CPIO_DEVICE_MAJOR, CPIO_DEVICE_MINOR, CPIO_NAME_BYTES, CPIO_CHECK, CPIO_NUMBERS,
};

#define CPIO_HEADER_BYTES (CPIO_MAGIC_BYTES + CPIO_NUMBERS * CPIO_NUMBER_BYTES)

/* Files with several names: found again by inode and device number. */
struct cpio_links {
    SLIST_ENTRY(cpio_links) next;
    u32 number, major, minor;
    struct inode *inode;             /* held */
};

/* An archive, and the entry that was read last. */
struct cpio_archive {
    struct block_device *device;
    u64 position;                    /* of the next header */
    u64 start;                       /* of the header of the entry that was read last */
    u32 entry;                       /* its number, from 1 */
    u32 numbers[CPIO_NUMBERS];
    bool summed;                     /* format 070702: the check number is the sum of the data's bytes */
    char *name;                      /* PATH_MAX bytes */
    const char *path;                /* the name without "/" and "./" before it; "" is the root */
    u64 data;                        /* position of the entry's bytes */
    SLIST_HEAD(, cpio_links) links;
};

/* ---- Reading entries ---- */

static u64
cpio_align(u64 position)
{
    return (position + CPIO_ALIGNMENT - 1) & ~(u64)(CPIO_ALIGNMENT - 1);
}

static bool
cpio_parse_number(const char *digits, u32 *number)
{
    *number = 0;
    for (u32 i = 0; i < CPIO_NUMBER_BYTES; i++) {
        char digit = digits[i] | 0x20; /* letters of either case become small ones, digits stay */

        if (digit >= '0' && digit <= '9')
            *number = *number << 4 | (u32)(digit - '0');
        else if (digit >= 'a' && digit <= 'f')
            *number = *number << 4 | (u32)(digit - 'a' + 10);
        else
            return false;
    }
    return true;
}

static const char *
cpio_read_header(struct cpio_archive *archive)
{
    char header[CPIO_HEADER_BYTES];

    if (archive->position + sizeof(header) > archive->device->bytes)
        return "it ends without its trailer";
    if (block_read(archive->device, archive->position, header, sizeof(header)) < 0)
        return "it cannot be read";
    if (memcmp(header, "070701", CPIO_MAGIC_BYTES) != 0 && memcmp(header, "070702", CPIO_MAGIC_BYTES) != 0)
        return "a header has the wrong magic number";
    archive->summed = header[CPIO_MAGIC_BYTES - 1] == '2';
    for (u32 i = 0; i < CPIO_NUMBERS; i++) {
        if (!cpio_parse_number(header + CPIO_MAGIC_BYTES + i * CPIO_NUMBER_BYTES, &archive->numbers[i]))
            return "a header has something other than digits";
    }
    return NULL;
}

/* Skips what only says that the name begins at the root. */
static const char *
cpio_strip(const char *name)
{
    while (*name == '/' || (name[0] == '.' && (name[1] == '/' || name[1] == '\0')))
        name++;
    return name;
}

static const char *
cpio_read_name(struct cpio_archive *archive)
{
    u32 bytes = archive->numbers[CPIO_NAME_BYTES];
    u64 position = archive->position + CPIO_HEADER_BYTES;

    if (bytes < 2 || bytes > PATH_MAX)
        return "a name has an impossible length";
    if (position + bytes > archive->device->bytes)
        return "it ends within a name";
    if (block_read(archive->device, position, archive->name, bytes) < 0)
        return "it cannot be read";
    if (strnlen(archive->name, bytes) != bytes - 1) {
        archive->name[0] = '\0';
        return "a name has another length than its header says";
    }
    archive->path = cpio_strip(archive->name);
    archive->data = cpio_align(position + bytes);
    archive->position = cpio_align(archive->data + archive->numbers[CPIO_BYTES]);
    return NULL;
}

static bool
cpio_is_trailer(const struct cpio_archive *archive)
{
    return strcmp(archive->name, CPIO_TRAILER) == 0;
}

/* Reads the next entry. NULL, or what is wrong. */
static const char *
cpio_next(struct cpio_archive *archive)
{
    const char *damage;

    archive->entry++;
    archive->start = archive->position;
    archive->name[0] = '\0';
    damage = cpio_read_header(archive);
    return damage != NULL ? damage : cpio_read_name(archive);
}

/* ---- Checking ---- */

static const char *
cpio_check_path(const char *path)
{
    while (*path != '\0') {
        const char *slash = strchr(path, '/');
        usize length = slash == NULL ? strlen(path) : (usize)(slash - path);

        if (length > NAME_MAX)
            return "a name is too long";
        if (length == 2 && path[0] == '.' && path[1] == '.')
            return "a name leads out of the root";
        path += length + (slash != NULL);
    }
    return NULL;
}

/* Adds up the bytes of an entry's data and compares with what the header says. */
static const char *
cpio_check_sum(const struct cpio_archive *archive, u8 *page)
{
    u32 bytes = archive->numbers[CPIO_BYTES];
    u32 sum = 0;

    for (u32 offset = 0; offset < bytes; offset += PAGE_SIZE) {
        u32 chunk = bytes - offset < PAGE_SIZE ? bytes - offset : PAGE_SIZE;

        if (block_read(archive->device, archive->data + offset, page, chunk) < 0)
            return "it cannot be read";
        for (u32 i = 0; i < chunk; i++)
            sum += page[i];
    }
    return sum == archive->numbers[CPIO_CHECK] ? NULL : "the checksum of a file is wrong";
}

static bool
cpio_is_type(u32 type)
{
    return type == S_IFREG || type == S_IFDIR || type == S_IFLNK || type == S_IFCHR || type == S_IFBLK
        || type == S_IFIFO || type == S_IFSOCK;
}

static const char *
cpio_check_entry(const struct cpio_archive *archive, u8 *page)
{
    u32 type = archive->numbers[CPIO_MODE] & S_IFMT;
    u32 bytes = archive->numbers[CPIO_BYTES];

    if (archive->data + bytes > archive->device->bytes)
        return "it ends within a file";
    if (!cpio_is_type(type))
        return "a file has an unknown type";
    if (type == S_IFLNK && (bytes == 0 || bytes >= PATH_MAX))
        return "a symbolic link has an impossible length";
    if (archive->path[0] == '\0' && type != S_IFDIR)
        return "a file has no name";
    if (archive->summed && type == S_IFREG) {
        const char *damage = cpio_check_sum(archive, page);

        if (damage != NULL)
            return damage;
    }
    return cpio_check_path(archive->path);
}

/* Checks all entries of an archive that stands at its beginning. */
static const char *
cpio_check_archive(struct cpio_archive *archive, u8 *page)
{
    for (;;) {
        const char *damage = cpio_next(archive);

        if (damage != NULL || cpio_is_trailer(archive))
            return damage;
        damage = cpio_check_entry(archive, page);
        if (damage != NULL)
            return damage;
    }
}

bool
cpio_check(struct block_device *device, struct cpio_damage *damage)
{
    struct cpio_archive archive = {.device = device, .name = kmem_allocate(PATH_MAX)};
    u8 *page = kmem_allocate(PAGE_SIZE);

    *damage = (struct cpio_damage){.what = "there is no memory to check it"};
    if (archive.name != NULL && page != NULL) {
        damage->what = cpio_check_archive(&archive, page);
        damage->entry = archive.entry;
        damage->position = (u32)archive.start;
        string_copy(damage->name, archive.name, sizeof(damage->name));
    }
    kmem_free(page);
    kmem_free(archive.name);
    return damage->what == NULL;
}

/* ---- Making files ---- */

/* Makes the directories that lead to the entry's name, where they are missing. */
static int
cpio_make_parents(const char *path)
{
    char *prefix = kmem_allocate(strlen(path) + 1);
    int error = prefix == NULL ? -ENOMEM : 0;

    for (const char *slash = strchr(path, '/'); slash != NULL && error == 0; slash = strchr(slash + 1, '/')) {
        struct path_end end;
        struct inode *made;

        memcpy(prefix, path, slash - path);
        prefix[slash - path] = '\0';
        error = path_walk(path_root, prefix, 0, &end);
        if (error < 0)
            break;
        if (end.inode == NULL && !ramfs_owns(end.directory))
            error = -EPERM;
        else if (end.inode == NULL)
            error = ramfs_create(end.directory, end.name, S_IFDIR | 0755, 0, &made);
        if (end.inode == NULL && error == 0)
            inode_release(made);
        path_end_release(&end);
    }
    kmem_free(prefix);
    return error;
}

static void
cpio_set_attributes(const struct cpio_archive *archive, struct inode *inode)
{
    inode->mode = (inode->mode & S_IFMT) | (archive->numbers[CPIO_MODE] & ~(u32)S_IFMT);
    inode->user = archive->numbers[CPIO_USER];
    inode->group = archive->numbers[CPIO_GROUP];
    inode->modified = (u64)archive->numbers[CPIO_TIME] * NANOSECONDS_PER_SECOND;
}

static struct cpio_links *
cpio_find_links(const struct cpio_archive *archive)
{
    struct cpio_links *links;

    SLIST_FOREACH(links, &archive->links, next) {
        if (links->number == archive->numbers[CPIO_INODE] && links->major == archive->numbers[CPIO_MAJOR]
            && links->minor == archive->numbers[CPIO_MINOR])
            return links;
    }
    return NULL;
}

static int
cpio_remember_links(struct cpio_archive *archive, struct inode *inode)
{
    struct cpio_links *links = kmem_allocate(sizeof(*links));

    if (links == NULL)
        return -ENOMEM;
    links->number = archive->numbers[CPIO_INODE];
    links->major = archive->numbers[CPIO_MAJOR];
    links->minor = archive->numbers[CPIO_MINOR];
    links->inode = inode_hold(inode);
    SLIST_INSERT_HEAD(&archive->links, links, next);
    return 0;
}

static void
cpio_forget_links(struct cpio_archive *archive)
{
    while (!SLIST_EMPTY(&archive->links)) {
        struct cpio_links *links = SLIST_FIRST(&archive->links);

        SLIST_REMOVE_HEAD(&archive->links, next);
        inode_release(links->inode);
        kmem_free(links);
    }
}

/*
 * A regular file, or another name of one. The data of a file with several names comes with one of them, usually the
 * last; the others have length 0.
 */
static int
cpio_make_regular(struct cpio_archive *archive, struct path_end *end, struct inode **inode)
{
    bool several = archive->numbers[CPIO_LINKS] > 1;
    struct cpio_links *links = several ? cpio_find_links(archive) : NULL;
    u32 bytes = archive->numbers[CPIO_BYTES];
    struct object *object = object_file_create(archive->device, archive->data, bytes);
    int error;

    if (object == NULL)
        return -ENOMEM;
    if (links == NULL) {
        error = ramfs_create_image(end->directory, end->name, S_IFREG, object, inode);
        return error == 0 && several ? cpio_remember_links(archive, *inode) : error;
    }
    error = end->directory->operations->link(end->directory, end->name, links->inode);
    if (error == 0 && bytes > 0)
        ramfs_set_image(links->inode, object);
    else
        object_release(object);
    *inode = error == 0 ? inode_hold(links->inode) : NULL;
    return error;
}

static int
cpio_make_symbolic_link(const struct cpio_archive *archive, struct path_end *end, struct inode **inode)
{
    u32 bytes = archive->numbers[CPIO_BYTES];
    char *target = kmem_allocate(bytes + 1);
    int error;

    if (target == NULL)
        return -ENOMEM;
    error = block_read(archive->device, archive->data, target, bytes);
    target[bytes] = '\0';
    if (error == 0)
        error = ramfs_create_link(end->directory, end->name, target, inode);
    kmem_free(target);
    return error;
}

/* Makes the entry's file at a name that is free; *inode is held. */
static int
cpio_make(struct cpio_archive *archive, struct path_end *end, struct inode **inode)
{
    u32 mode = archive->numbers[CPIO_MODE];
    u32 minor = archive->numbers[CPIO_DEVICE_MINOR];
    u32 device = (minor & 0xff) | archive->numbers[CPIO_DEVICE_MAJOR] << 8 | (minor & ~0xffu) << 12;

    if (!ramfs_owns(end->directory))
        return -EPERM;
    if ((mode & S_IFMT) == S_IFREG)
        return cpio_make_regular(archive, end, inode);
    if ((mode & S_IFMT) == S_IFLNK)
        return cpio_make_symbolic_link(archive, end, inode);
    return ramfs_create(end->directory, end->name, mode, device, inode);
}

/* Takes away what has the entry's name, which is not a directory unless the entry is none. */
static int
cpio_clear(struct path_end *end)
{
    if (!ramfs_owns(end->directory))
        return -EEXIST;
    if (inode_is(end->inode, S_IFDIR) && (!ramfs_owns(end->inode) || !ramfs_is_empty(end->inode)))
        return -EEXIST;
    end->directory->operations->unlink(end->directory, end->name, end->inode);
    return 0;
}

/* Lays one entry over the root. */
static int
cpio_apply(struct cpio_archive *archive)
{
    bool is_directory = (archive->numbers[CPIO_MODE] & S_IFMT) == S_IFDIR;
    const char *path = archive->path[0] == '\0' ? "/" : archive->path;
    struct path_end end;
    struct inode *inode = NULL;
    int error = path_walk(path_root, path, is_directory ? 0 : PATH_NO_FOLLOW, &end);

    if (error == -ENOENT) {
        error = cpio_make_parents(path);
        if (error == 0)
            error = path_walk(path_root, path, is_directory ? 0 : PATH_NO_FOLLOW, &end);
    }
    if (error < 0)
        return error;
    if (is_directory && end.inode != NULL && inode_is(end.inode, S_IFDIR))
        inode = inode_hold(end.inode);
    else if (end.inode != NULL)
        error = cpio_clear(&end);
    if (error == 0 && inode == NULL)
        error = cpio_make(archive, &end, &inode);
    if (error == 0 && ramfs_owns(inode))
        cpio_set_attributes(archive, inode);
    inode_release(inode);
    path_end_release(&end);
    return error;
}

/* Gives a directory the entry's time again. */
static void
cpio_restore_time(const struct cpio_archive *archive)
{
    struct inode *inode;

    if ((archive->numbers[CPIO_MODE] & S_IFMT) != S_IFDIR)
        return;
    if (path_lookup(path_root, archive->path[0] == '\0' ? "/" : archive->path, PATH_DIRECTORY, &inode) < 0)
        return;
    if (ramfs_owns(inode))
        cpio_set_attributes(archive, inode);
    inode_release(inode);
}

/* The second and third walk over an archive that has been checked. */
static int
cpio_apply_all(struct cpio_archive *archive, const char *module_name)
{
    archive->position = 0;
    while (cpio_next(archive) == NULL && !cpio_is_trailer(archive)) {
        int error = cpio_apply(archive);

        if (error == -ENOMEM || error == -EIO)
            return error;
        if (error < 0)
            log_warn("module %s: %s left out: error %d", module_name, archive->path, -error);
    }
    archive->position = 0;
    while (cpio_next(archive) == NULL && !cpio_is_trailer(archive))
        cpio_restore_time(archive);
    return 0;
}

static bool
cpio_has_magic(struct block_device *device)
{
    char magic[CPIO_MAGIC_BYTES];

    if (device->bytes < sizeof(magic) || block_read(device, 0, magic, sizeof(magic)) < 0)
        return false;
    return memcmp(magic, "07070", strlen("07070")) == 0;
}

int
cpio_unpack(struct block_device *device, const char *module_name)
{
    struct cpio_archive archive = {.device = device};
    struct cpio_damage damage;
    int error;

    if (!cpio_has_magic(device)) {
        log_warn("module %s is neither a cpio archive nor a recorded run (\"belady-trace 1 ...\"): skipped",
                 module_name);
        return -ENOEXEC;
    }
    if (!cpio_check(device, &damage)) {
        log_warn("module %s is damaged and was skipped: entry %u%s%s%s at byte %u: %s", module_name, damage.entry,
                 damage.name[0] != '\0' ? " (" : "", damage.name, damage.name[0] != '\0' ? ")" : "", damage.position,
                 damage.what);
        return -EINVAL;
    }
    archive.name = kmem_allocate(PATH_MAX);
    if (archive.name == NULL)
        return -ENOMEM;
    error = cpio_apply_all(&archive, module_name);
    if (error < 0)
        log_warn("module %s was not unpacked to its end: error %d", module_name, -error);
    cpio_forget_links(&archive);
    kmem_free(archive.name);
    return error;
}
