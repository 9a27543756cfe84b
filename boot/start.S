/*
 * The first instructions. The loader leaves the processor in 32-bit mode without paging, the kernel at
 * BOOT_LOAD_ADDRESS, its magic in eax and the address of its information in ebx.
 *
 * This file's section .boot runs at physical addresses; all else is linked at BOOT_KERNEL_BASE above them. The boot
 * tables map the first BOOT_DIRECT_MAP_BYTES of physical memory there, and for a moment also at 0, so that the
 * instruction behind the one that turns paging on can be fetched:
 *
 *     0x00000000 +-----------+                  0xC0000000 +-----------+
 *                | until the | -> physical 0               | 896 MiB   | -> physical 0
 *                | jump      |                             |           |
 *                +-----------+                             +-----------+
 */
#include "boot/layout.h"
#include "boot/multiboot.h"

#define PHYSICAL(symbol) (symbol - BOOT_KERNEL_BASE)
#define ENTRY_WRITABLE_PRESENT 3
#define ENTRY_BYTES 4
#define TABLE_BYTES 0x400000 /* memory that one table maps */
#define TABLES (BOOT_DIRECT_MAP_BYTES / TABLE_BYTES)
#define FIRST_KERNEL_ENTRY (BOOT_KERNEL_BASE / TABLE_BYTES)
#define CR0_PAGING 0x80000000
#define HEADER_FLAGS (MULTIBOOT_HEADER_ALIGN_MODULES | MULTIBOOT_HEADER_MEMORY)

        .section .multiboot, "a"
        .balign 4
        .long   MULTIBOOT_HEADER_MAGIC
        .long   HEADER_FLAGS
        .long   -(MULTIBOOT_HEADER_MAGIC + HEADER_FLAGS)

        .section .boot, "ax"
        .globl  boot_entry
boot_entry:
        cli
        cld
        movl    %eax, %ebp
        movl    $PHYSICAL(boot_stack_top), %esp

        /* All tables, one behind the other, are one array of entries. */
        movl    $PHYSICAL(boot_tables), %edi
        movl    $ENTRY_WRITABLE_PRESENT, %eax
        movl    $(BOOT_DIRECT_MAP_BYTES / BOOT_PAGE_BYTES), %ecx
1:      stosl
        addl    $BOOT_PAGE_BYTES, %eax
        decl    %ecx
        jnz     1b

        movl    $PHYSICAL(boot_directory) + FIRST_KERNEL_ENTRY * ENTRY_BYTES, %edi
        movl    $PHYSICAL(boot_tables) + ENTRY_WRITABLE_PRESENT, %eax
        movl    %eax, PHYSICAL(boot_directory)
        movl    $TABLES, %ecx
1:      stosl
        addl    $BOOT_PAGE_BYTES, %eax
        decl    %ecx
        jnz     1b

        movl    $PHYSICAL(boot_directory), %eax
        movl    %eax, %cr3
        movl    %cr0, %eax
        orl     $CR0_PAGING, %eax
        movl    %eax, %cr0
        movl    $1f, %eax
        jmp     *%eax

        .section .text
        .type   boot_enter, @function
boot_enter:
1:      movl    $boot_stack_top, %esp
        movl    $0, boot_directory
        movl    %cr3, %eax
        movl    %eax, %cr3
        movl    %ebp, %eax
        movl    %ebx, %edx
        call    boot_main
        .size   boot_enter, . - boot_enter

        .section .bss.boot, "aw", @nobits
        .balign BOOT_PAGE_BYTES
        .globl  boot_directory, boot_stack_guard, boot_stack_bottom, boot_stack_top, boot_tables
boot_directory:
        .skip   BOOT_PAGE_BYTES
boot_stack_guard:
        .skip   BOOT_PAGE_BYTES
boot_stack_bottom:
        .skip   BOOT_STACK_BYTES
boot_stack_top:
boot_tables:
        .skip   TABLES * BOOT_PAGE_BYTES
boot_tables_end:
        .globl  boot_tables_end

        .section .note.GNU-stack, "", @progbits
