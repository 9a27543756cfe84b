/*
 * The FPU's registers in a signal frame, in the layouts that Linux gives them:
 *
 *     with FXSR      | FSAVE's layout, for programs that know no other | FXSAVE's 512 bytes, aligned |
 *     without        | FSAVE's layout |
 */
#include "kernel/x86/signal_fpu.h"

#include "kernel/lib/string.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/fpu.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <asm/sigcontext.h>

#define LEGACY_ALIGNMENT 16u
#define FPU_ALIGNMENT 64u

#define FPU_FXSR_OFFSET offsetof(struct _fpstate, _fxsr_env)
#define FPU_LEGACY_MAGIC 0xffff                    /* only the part before FPU_FXSR_OFFSET is there */
#define FPU_TAG_EMPTY 3u

/*
 * FXSAVE's area is 512 bytes, of which a 32-bit program has these; behind them only the word that says whether
 * more follows the area means anything.
 */
#define FPU_FXSR_BYTES (offsetof(struct _fpstate, padding1) - FPU_FXSR_OFFSET)
#define FPU_EXTENDED_OFFSET offsetof(struct _fpstate, sw_reserved)

static struct fpu_state fpu_clean;

void
signal_fpu_start(void)
{
    fpu_init_state(&fpu_clean);
}

/*
 * Eight tags of two bits from the eight "not empty" bits of FXSAVE: valid registers are called valid whatever
 * they hold.
 */
static u32
fpu_expand_tags(u8 in_use)
{
    u32 tags = 0;

    if (in_use == 0)
        return 0xffff;
    for (u32 i = 0; i < 8; i++) {
        if ((in_use & 1u << i) == 0)
            tags |= FPU_TAG_EMPTY << 2 * i;
    }
    return tags;
}

/* The layout of FSAVE, for programs that know no other, from that of FXSAVE. */
static void
fpu_fill_legacy(struct _fpstate *state)
{
    const u16 *fx = (const u16 *)state->_fxsr_env;
    const u32 *fx_words = (const u32 *)state->_fxsr_env;

    state->cw = 0xffff0000u | fx[0];
    state->sw = 0xffff0000u | fx[1];
    state->tag = 0xffff0000u | fpu_expand_tags((u8)fx[2]);
    state->ipoff = fx_words[2];
    state->cssel = (fx_words[3] & 0xffff) | (u32)fx[3] << 16;
    state->dataoff = fx_words[4];
    state->datasel = fx_words[5];
    state->status = fx[1];
    state->magic = 0;
    if ((u8)fx[2] == 0) {
        memset(state->_st, 0, sizeof(state->_st));
        return;
    }
    for (u32 i = 0; i < 8; i++)
        memcpy(&state->_st[i], &state->_fxsr_st[i], sizeof(state->_st[i]));
}

/* Where a state of FXSAVE's layout goes below the user address `stack`. */
static u32
fpu_place(u32 stack)
{
    return ((stack - FPU_STATE_BYTES) & ~(FPU_ALIGNMENT - 1)) - FPU_FXSR_OFFSET;
}

static int
fpu_write_fxsr(u32 address)
{
    struct _fpstate state __attribute__((aligned(16)));

    fpu_save((struct fpu_state *)state._fxsr_env);
    fpu_fill_legacy(&state);
    if (user_write_word(address + FPU_EXTENDED_OFFSET, 0) < 0)
        return -EFAULT;
    return user_copy_out(address, &state, FPU_FXSR_OFFSET + FPU_FXSR_BYTES);
}

static int
fpu_write_legacy(u32 address)
{
    struct _fpstate state __attribute__((aligned(16)));

    fpu_save((struct fpu_state *)&state);
    state.status = (u16)state.sw;
    state.magic = FPU_LEGACY_MAGIC;
    return user_copy_out(address, &state, FPU_FXSR_OFFSET);
}

int
signal_fpu_push(u32 *stack)
{
    int result;

    if (cpu_has(CPU_FXSR)) {
        *stack = fpu_place(*stack);
        result = fpu_write_fxsr(*stack);
    } else {
        *stack = (*stack - FPU_FXSR_OFFSET) & ~(LEGACY_ALIGNMENT - 1);
        result = fpu_write_legacy(*stack);
    }
    fpu_restore(&fpu_clean);
    return result;
}

int
signal_fpu_pop(u32 address)
{
    struct fpu_state state __attribute__((aligned(16)));
    bool fxsr = cpu_has(CPU_FXSR);

    if (address == 0) {
        fpu_restore(&fpu_clean);
        return 0;
    }
    if (user_copy_in(&state, fxsr ? address + FPU_FXSR_OFFSET : address, fxsr ? FPU_FXSR_BYTES : FPU_FXSR_OFFSET) < 0)
        return -EFAULT;
    fpu_clean_state(&state);
    fpu_restore(&state);
    return 0;
}
