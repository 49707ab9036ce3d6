/* QEMU plugin (TCG plugin API version 1): what ran between two guest addresses, exactly.
 *
 *     -plugin count_instructions.so,begin=0xADDRESS,end=0xADDRESS,out=PATH
 *
 * Both addresses are entries of functions, so that a block starts there. A block is a run of instructions
 * that QEMU translates together: nothing leaves it before its last instruction. Text in PATH:
 *
 *     block NUMBER ADDRESS INSTRUCTIONS   (hexadecimal address) a block, before any section that ran it
 *     section [NUMBER:RUNS:TAKEN ...]     each time `end` is reached after `begin`: which blocks ran, how
 *                                         often, and after how many of these runs the next block was not
 *                                         the one behind it, so that its last instruction was a jump
 *
 * The declarations are those of QEMU's qemu-plugin.h, written out so that no QEMU headers are needed. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct block;
struct instruction;

enum callback_flags { NO_REGISTERS = 0 };
enum { API_VERSION = 1, INSTALL_FAILED = -1 };

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*callback)(plugin_id, struct block *));
extern size_t qemu_plugin_tb_n_insns(const struct block *block);
extern uint64_t qemu_plugin_tb_vaddr(const struct block *block);
extern struct instruction *qemu_plugin_tb_get_insn(const struct block *block, size_t index);
extern uint64_t qemu_plugin_insn_vaddr(const struct instruction *instruction);
extern size_t qemu_plugin_insn_size(const struct instruction *instruction);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct block *block,
                                                 void (*callback)(unsigned cpu, void *context), int flags,
                                                 void *context);

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int qemu_plugin_version = API_VERSION;
EXPORTED int qemu_plugin_install(plugin_id id, const void *info, int count, char **arguments);

struct record {
    struct record *older;
    uint64_t start;
    uint64_t behind; /* the address after its last instruction */
    uint64_t runs;
    uint64_t taken;
    unsigned number;
};

static struct {
    uint64_t begin;
    uint64_t end;
    FILE *out;
    struct record *newest;
    struct record *last; /* the block that ran before this one */
    bool counting;
} state;

static void start_section(void)
{
    for (struct record *record = state.newest; record != NULL; record = record->older)
        record->runs = record->taken = 0;
    state.counting = true;
    state.last = NULL;
}

static void end_section(void)
{
    state.counting = false;
    (void)fprintf(state.out, "section");
    for (const struct record *record = state.newest; record != NULL; record = record->older)
        if (record->runs > 0)
            (void)fprintf(state.out, " %u:%" PRIu64 ":%" PRIu64, record->number, record->runs, record->taken);
    (void)fprintf(state.out, "\n");
    (void)fflush(state.out);
}

static void on_block(unsigned cpu, void *context)
{
    struct record *record = context;
    (void)cpu;
    if (state.last != NULL && state.last->behind != record->start)
        state.last->taken++;
    if (record->start == state.end && state.counting)
        end_section();
    if (record->start == state.begin)
        start_section();
    if (state.counting)
        record->runs++;
    state.last = state.counting ? record : NULL;
}

static void on_translation(plugin_id id, struct block *block)
{
    size_t count = qemu_plugin_tb_n_insns(block);
    const struct instruction *last = qemu_plugin_tb_get_insn(block, count - 1);
    struct record *record = calloc(1, sizeof *record); /* QEMU keeps the pointer until it ends */
    (void)id;
    if (record == NULL)
        abort();
    record->older = state.newest;
    record->start = qemu_plugin_tb_vaddr(block);
    record->behind = qemu_plugin_insn_vaddr(last) + qemu_plugin_insn_size(last);
    record->number = state.newest == NULL ? 0 : state.newest->number + 1;
    state.newest = record;
    (void)fprintf(state.out, "block %u %" PRIx64 " %zu\n", record->number, record->start, count);
    qemu_plugin_register_vcpu_tb_exec_cb(block, on_block, NO_REGISTERS, record);
}

int qemu_plugin_install(plugin_id id, const void *info, int count, char **arguments)
{
    (void)info;
    for (int i = 0; i < count; i++) {
        if (strncmp(arguments[i], "begin=", 6) == 0)
            state.begin = strtoull(arguments[i] + 6, NULL, 0);
        else if (strncmp(arguments[i], "end=", 4) == 0)
            state.end = strtoull(arguments[i] + 4, NULL, 0);
        else if (strncmp(arguments[i], "out=", 4) == 0)
            state.out = fopen(arguments[i] + 4, "w");
    }
    if (state.out == NULL || state.begin == 0 || state.end == 0)
        return INSTALL_FAILED;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
