/*
 * A kernel that is not Belady, to try the tests' judgement on: it does what its command line's last letter says.
 *
 *     r  resets the machine by a triple fault     h  hangs     z  reports a plan of zero tests, and success
 *     s  reports fewer results than planned, and success      p  reports success without any plan
 *
 * Built into build/red/stand_in.elf; entered by Multiboot, at its link address, without paging.
 */

#define SERIAL_PORT 0x3f8
#define EXIT_PORT   0xf4
#define EXIT_PASS   0x10
#define MULTIBOOT_MAGIC 0x1badb002
#define COMMAND_LINE_FIELD 16

    .text
    .long MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC

    .globl entry
entry:
    mov COMMAND_LINE_FIELD(%ebx), %esi
last_letter:
    mov %al, %bl
    lodsb
    test %al, %al
    jnz last_letter

    cmp $'r', %bl
    je reset
    cmp $'h', %bl
    je hang
    mov $zero_report, %esi
    cmp $'z', %bl
    je report
    mov $short_report, %esi
    cmp $'s', %bl
    je report
    mov $no_report, %esi

report:
    mov $SERIAL_PORT, %dx
next_byte:
    lodsb
    test %al, %al
    jz pass
    outb %al, %dx
    jmp next_byte
pass:
    mov $EXIT_PASS, %al
    outb %al, $EXIT_PORT
hang:
    jmp hang

reset:
    lidt empty_table
    int3

    .section .rodata
zero_report:
    .asciz "KTAP version 1\n1..0\n"
short_report:
    .asciz "KTAP version 1\n1..3\nok 1 suite.one\nok 2 suite.two\n"
no_report:
    .asciz "all is well\n"
empty_table:
    .word 0
    .long 0
