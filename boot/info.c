/*
 * Takes stock of what the loader handed over. RAM is collected first; then everything that must survive is taken out of
 * it: page 0, the kernel, the modules, and the loader's own lists and texts, which are used where they lie.
 */
#include "boot/info.h"

#include <stdarg.h>

#include "boot/main.h"
#include "boot/multiboot.h"
#include "boot/ranges.h"
#include "kernel/assert.h"
#include "kernel/command_line.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "kernel/power.h"
#include "kernel/symbols.h"

#define KIB 1024u
#define MIB (1024 * KIB)
#define UPPER_MEMORY MIB /* where "upper" memory begins, if there is no map */
#define REFUSAL_BYTES 256

/* What must be left behind the kernel and the modules: tables, a first process, and something to page with. */
#define FREE_MINIMUM (4 * MIB)

struct boot_info boot_info = {.command_line = "", .loader = ""};

static struct boot_ranges ranges;
static u64 ram_reported; /* bytes of RAM in the loader's map, usable or not */

static u64 memory_limit = BOOT_DIRECT_MAP_BYTES;
BOOT_SIZE(mem, memory_limit, "use no memory from this physical address on");

extern char boot_tables[], boot_tables_end[];

static_assert(sizeof(struct boot_module) == sizeof(struct multiboot_module), "converted in place");

void
boot_refuse(const char *fmt, ...)
{
    char line[REFUSAL_BYTES];
    va_list arguments;

    va_start(arguments, fmt);
    vformat(line, sizeof(line), fmt, arguments);
    va_end(arguments);
    log_error("%s", line);
    power_off(1);
}

/* Something of the loader's, by its physical address; refused if it is out of reach. */
static void *
information_reach(u32 physical, u32 bytes)
{
    if (physical > BOOT_DIRECT_MAP_BYTES || bytes > BOOT_DIRECT_MAP_BYTES - physical)
        boot_refuse("The loader's information at %08x is beyond the %u MiB that can be reached.", physical,
                    BOOT_DIRECT_MAP_BYTES / MIB);
    return (void *)(BOOT_KERNEL_BASE + physical);
}

static const char *
text_reach(u32 physical)
{
    return information_reach(physical, 1);
}

static void
text_reserve(const char *text)
{
    u32 start = (u32)text - BOOT_KERNEL_BASE;

    ranges_remove(&ranges, start, start + strlen(text) + 1);
}

/* Memory from this address on is not used. */
static u64
memory_end(void)
{
    return memory_limit < BOOT_DIRECT_MAP_BYTES ? memory_limit : BOOT_DIRECT_MAP_BYTES;
}

static void
memory_add(u64 start, u64 bytes)
{
    u64 end = start + bytes;
    u64 limit = memory_end();

    ram_reported += bytes;
    if (end < start || end > limit)
        end = limit;
    start = (start + BOOT_PAGE_BYTES - 1) & ~(BOOT_PAGE_BYTES - 1ull);
    end &= ~(BOOT_PAGE_BYTES - 1ull);
    if (start < end)
        ranges_add(&ranges, (u32)start, (u32)end);
}

static void
memory_collect(const struct multiboot_info *info)
{
    if (!(info->flags & MULTIBOOT_HAS_MAP)) {
        if (!(info->flags & MULTIBOOT_HAS_MEMORY))
            boot_refuse("The loader does not say what memory there is.");
        memory_add(0, (u64)info->memory_lower * KIB);
        memory_add(UPPER_MEMORY, (u64)info->memory_upper * KIB);
        return;
    }
    const char *map = information_reach(info->map, info->map_bytes);

    for (u32 offset = 0; offset < info->map_bytes;) {
        const struct multiboot_map_entry *entry = (const void *)(map + offset);

        if (entry->type == MULTIBOOT_MAP_RAM)
            memory_add(entry->start, entry->bytes);
        offset += entry->size + sizeof(entry->size);
    }
}

static void
memory_report_unused(void)
{
    u64 unused = ram_reported - boot_info.ram_bytes;

    if (unused >= MIB)
        log_warn("memory: %u MiB from %u MiB on are not used", (u32)(unused / MIB), (u32)(memory_end() / MIB));
    if (ranges.lost > 0)
        log_warn("memory: %u KiB are not used, the map is too scattered", ranges.lost / KIB);
}

/* Makes boot_info's list of the loader's, in place: texts become pointers, and modules out of reach are left out. */
static void
modules_collect(const struct multiboot_info *info)
{
    struct boot_module *modules;

    if (!(info->flags & MULTIBOOT_HAS_MODULES) || info->module_count == 0)
        return;
    modules = information_reach(info->modules, info->module_count * sizeof(*modules));
    for (u32 i = 0; i < info->module_count; i++) {
        struct multiboot_module given = *(struct multiboot_module *)&modules[i];
        const char *name = given.text ? text_reach(given.text) : "";

        if (given.end < given.start || given.end > memory_end()) {
            log_warn("module %s: left out, since it is not within the memory that is used", name);
            continue;
        }
        modules[boot_info.module_count++] = (struct boot_module){given.start, given.end, name, 0};
    }
    boot_info.modules = modules;
}

bool
boot_module_is(const struct boot_module *module, const char *name)
{
    usize length = strlen(name);

    for (const char *at = strstr(module->name, name); at; at = strstr(at + 1, name)) {
        bool begins = at == module->name || at[-1] == ' ' || at[-1] == '/';

        if (begins && (at[length] == ' ' || at[length] == '\0'))
            return true;
    }
    return false;
}

/* The kernel's bytes, its boot tables included, as physical addresses. */
static struct boot_range
kernel_range(void)
{
    return (struct boot_range){(u32)boot_start, (u32)kernel_end - BOOT_KERNEL_BASE};
}

/* Takes out of the free ranges what is in use; returns the bytes of all modules. */
static u32
memory_reserve(const struct multiboot_info *info)
{
    u32 information = (u32)info - BOOT_KERNEL_BASE;
    u32 module_bytes = 0;

    ranges_remove(&ranges, 0, BOOT_PAGE_BYTES);
    ranges_remove(&ranges, kernel_range().start, kernel_range().end);
    ranges_remove(&ranges, information, information + sizeof(*info));
    text_reserve(boot_info.command_line);
    text_reserve(boot_info.loader);
    boot_info.first_free = kernel_range().end;
    for (u32 i = 0; i < boot_info.module_count; i++) {
        const struct boot_module *module = &boot_info.modules[i];

        ranges_remove(&ranges, module->start, module->end);
        text_reserve(module->name);
        module_bytes += module->end - module->start;
        if (module->end > boot_info.first_free)
            boot_info.first_free = module->end;
    }
    if (boot_info.module_count > 0)
        ranges_remove(&ranges, info->modules, info->modules + info->module_count * sizeof(struct boot_module));
    return module_bytes;
}

static void
memory_require(u32 module_bytes)
{
    u32 kernel = kernel_range().end - kernel_range().start;
    u32 free = ranges_bytes(&ranges);

    if (free < FREE_MINIMUM)
        boot_refuse("Not enough memory: Belady needs %u KiB beside its own %u and the modules' %u; there are %u.",
                    FREE_MINIMUM / KIB, kernel / KIB, module_bytes / KIB, free / KIB);
}

void
boot_collect(u32 magic, u32 information)
{
    const struct multiboot_info *info;

    if (magic != MULTIBOOT_LOADER_MAGIC)
        boot_refuse("Belady must be started by a Multiboot loader, such as GRUB or qemu -kernel.");
    info = information_reach(information, sizeof(*info));
    if (info->flags & MULTIBOOT_HAS_COMMAND_LINE)
        boot_info.command_line = text_reach(info->command_line);
    if (info->flags & MULTIBOOT_HAS_LOADER_NAME)
        boot_info.loader = text_reach(info->loader_name);
    command_line_start(boot_info.command_line);
    memory_collect(info);
    boot_info.ram_bytes = ranges_bytes(&ranges);
    boot_info.ram_end = ranges.count > 0 ? ranges.items[ranges.count - 1].end : 0;
    modules_collect(info);
    memory_require(memory_reserve(info));
    boot_info.ranges = ranges.items;
    boot_info.range_count = ranges.count;
    boot_info.tables.start = (u32)boot_tables - BOOT_KERNEL_BASE;
    boot_info.tables.end = (u32)boot_tables_end - BOOT_KERNEL_BASE;
    memory_report_unused();
}
