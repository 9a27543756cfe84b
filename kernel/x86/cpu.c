/*
 * Finding out what the processor can do, and turning on the protections that it has.
 *
 * SMAP makes the kernel's every access to user memory a fault unless it is bracketed by stac and clac. These must not
 * be executed where there is no SMAP, and a test at each would cost more than they do; so their places hold no-ops,
 * listed in the section .smap_sites, which are overwritten here once if the processor has it. This happens on the boot
 * tables, before the text becomes read-only.
 */
#include "kernel/x86/cpu.h"

#include "boot/info.h"
#include "kernel/lib/string.h"
#include "kernel/x86/trap.h"

#define LEAF_VENDOR 0
#define LEAF_FEATURES 1
#define LEAF_STRUCTURED_FEATURES 7
#define LEAF_EXTENDED 0x80000000
#define LEAF_EXTENDED_FEATURES 0x80000001
#define LEAF_BRAND 0x80000002
#define BRAND_LEAVES 3
#define FAMILY_EXTENDED 15
#define FAMILY_MODEL_EXTENDED 6

/* stac and clac begin like this; the third byte tells them apart. */
static const u8 smap_instruction[] = {0x0f, 0x01};

struct cpuid {
    u32 eax, ebx, ecx, edx;
};

struct smap_site {
    u8 *place;
    u32 last_byte;
};

/* Given by linker.ld. */
extern const struct smap_site smap_sites_start[], smap_sites_end[];

struct cpu cpu_local;
struct cpu_identity cpu_identity = {.vendor = "unknown", .brand = "unknown", .family = 4};
bool cpu_features[CPU_FEATURE_COUNT];

static const char *const feature_names[CPU_FEATURE_COUNT] = {
    [CPU_WP] = "wp",   [CPU_FPU] = "fpu", [CPU_TSC] = "tsc",   [CPU_CMOV] = "cmov", [CPU_PSE] = "pse",
    [CPU_PAE] = "pae", [CPU_PGE] = "pge", [CPU_NX] = "nx",     [CPU_SMEP] = "smep", [CPU_SMAP] = "smap",
    [CPU_FXSR] = "fxsr", [CPU_SSE] = "sse",
};

const char *
cpu_feature_name(enum cpu_feature feature)
{
    return feature_names[feature];
}

static struct cpuid
cpuid(u32 leaf)
{
    struct cpuid result;

    asm volatile("cpuid" : "=a"(result.eax), "=b"(result.ebx), "=c"(result.ecx), "=d"(result.edx) : "a"(leaf), "c"(0));
    return result;
}

/* Whether software can change this bit of eflags. */
static bool
eflags_can_change(u32 bit)
{
    u32 before = cpu_read_eflags();
    u32 after;

    asm volatile("pushl %0\n\tpopfl" : : "r"(before ^ bit) : "memory", "cc");
    after = cpu_read_eflags();
    asm volatile("pushl %0\n\tpopfl" : : "r"(before) : "memory", "cc");
    return (before ^ after) & bit;
}

static void
read_signature(u32 eax)
{
    cpu_identity.stepping = eax & 0xf;
    cpu_identity.model = eax >> 4 & 0xf;
    cpu_identity.family = eax >> 8 & 0xf;
    if (cpu_identity.family == FAMILY_EXTENDED || cpu_identity.family == FAMILY_MODEL_EXTENDED)
        cpu_identity.model |= eax >> 12 & 0xf0;
    if (cpu_identity.family == FAMILY_EXTENDED)
        cpu_identity.family += eax >> 20 & 0xff;
}

static void
read_features(void)
{
    struct cpuid features = cpuid(LEAF_FEATURES);

    read_signature(features.eax);
    cpu_identity.features_edx = features.edx;
    cpu_identity.features_ecx = features.ecx;
    cpu_features[CPU_FPU] = features.edx & 1u << 0;
    cpu_features[CPU_PSE] = features.edx & 1u << 3;
    cpu_features[CPU_TSC] = features.edx & 1u << 4;
    cpu_features[CPU_PAE] = features.edx & 1u << 6;
    cpu_features[CPU_PGE] = features.edx & 1u << 13;
    cpu_features[CPU_CMOV] = features.edx & 1u << 15;
    cpu_features[CPU_FXSR] = features.edx & 1u << 24;
    cpu_features[CPU_SSE] = features.edx & 1u << 25;
}

static void
read_extended_features(void)
{
    u32 last = cpuid(LEAF_EXTENDED).eax;

    if (last >= LEAF_EXTENDED_FEATURES && last >= LEAF_EXTENDED)
        cpu_features[CPU_NX] = cpuid(LEAF_EXTENDED_FEATURES).edx & 1u << 20;
    if (last < LEAF_BRAND + BRAND_LEAVES - 1)
        return;
    for (u32 i = 0; i < BRAND_LEAVES; i++) {
        struct cpuid part = cpuid(LEAF_BRAND + i);

        memcpy(cpu_identity.brand + i * sizeof(part), &part, sizeof(part));
    }
}

static void
identify(void)
{
    struct cpuid vendor = cpuid(LEAF_VENDOR);

    memcpy(cpu_identity.vendor, &vendor.ebx, sizeof(u32));
    memcpy(cpu_identity.vendor + 4, &vendor.edx, sizeof(u32));
    memcpy(cpu_identity.vendor + 8, &vendor.ecx, sizeof(u32));
    cpu_identity.vendor[12] = '\0';
    if (vendor.eax >= LEAF_FEATURES)
        read_features();
    if (vendor.eax >= LEAF_STRUCTURED_FEATURES) {
        cpu_features[CPU_SMEP] = cpuid(LEAF_STRUCTURED_FEATURES).ebx & 1u << 7;
        cpu_features[CPU_SMAP] = cpuid(LEAF_STRUCTURED_FEATURES).ebx & 1u << 20;
    }
    read_extended_features();
}

/* Where cpuid does not tell: an FPU answers to fninit with a status word of 0. */
static bool
fpu_answers(void)
{
    u16 status = UINT16_MAX;

    cpu_write_cr0(cpu_read_cr0() & ~(CR0_EMULATION | CR0_TASK_SWITCHED));
    asm volatile("fninit\n\tfnstsw %0" : "+m"(status));
    return status == 0;
}

/* A CR4 that the processor does not have must not even be read. */
static void
enable_protections(void)
{
    u32 bits = 0;

    if (cpu_has(CPU_PGE))
        bits |= CR4_PGE;
    if (cpu_has(CPU_SMEP))
        bits |= CR4_SMEP;
    if (cpu_has(CPU_SMAP))
        bits |= CR4_SMAP;
    cpu_write_cr0(cpu_read_cr0() | CR0_WRITE_PROTECT | CR0_ALIGNMENT_MASK | CR0_NUMERIC_ERROR);
    if (bits)
        cpu_write_cr4(cpu_read_cr4() | bits);
}

static void
patch_smap_sites(void)
{
    for (const struct smap_site *site = smap_sites_start; site < smap_sites_end; site++) {
        memcpy(site->place, smap_instruction, sizeof(smap_instruction));
        site->place[sizeof(smap_instruction)] = (u8)site->last_byte;
    }
}

void
cpu_start(void)
{
    cpu_features[CPU_WP] = eflags_can_change(EFLAGS_ALIGNMENT_CHECK);
    if (!cpu_has(CPU_WP))
        boot_refuse("Belady needs a 486 or later: this processor cannot protect pages against writes by the kernel "
                    "(CR0.WP).");
    if (eflags_can_change(EFLAGS_CPUID))
        identify();
    else
        cpu_features[CPU_FPU] = fpu_answers();
    if (cpu_has(CPU_SMAP))
        patch_smap_sites();
    enable_protections();
}

/* A selector that cannot be loaded faults; it is replaced by the null selector, which always can. */
#define LOAD_SEGMENT(name, selector)                    \
    do {                                                \
        u32 value = (selector);                         \
        asm volatile("1: movw %w0, %%" name "\n2:\n"    \
                     ".pushsection .text.unlikely\n"    \
                     "3: xorl %0, %0\n"                 \
                     "jmp 1b\n"                         \
                     ".popsection\n"                    \
                     TRAP_FIXUP("1b", "3b")             \
                     : "+r"(value) : : "cc");           \
    } while (0)

void
cpu_load_fs(u16 selector)
{
    LOAD_SEGMENT("fs", selector);
}

void
cpu_load_gs(u16 selector)
{
    LOAD_SEGMENT("gs", selector);
}
