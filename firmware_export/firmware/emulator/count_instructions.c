/* QEMU plugin (TCG plugin API version 1): instructions executed between two guest addresses, exactly.
 *
 *     -plugin count_instructions.so,begin=0xADDRESS,end=0xADDRESS,out=PATH
 *
 * Appends a line with the count each time `end` is reached after `begin`. The declarations are those of
 * QEMU's qemu-plugin.h, written out so that no QEMU headers are needed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct block;
struct instruction;

enum inline_operation { INLINE_ADD_U64 = 0 };
enum callback_flags { NO_REGISTERS = 0 };
enum { API_VERSION = 1, INSTALL_FAILED = -1 };

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*callback)(plugin_id, struct block *));
extern size_t qemu_plugin_tb_n_insns(const struct block *block);
extern struct instruction *qemu_plugin_tb_get_insn(const struct block *block, size_t index);
extern uint64_t qemu_plugin_insn_vaddr(const struct instruction *instruction);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct instruction *instruction,
                                                   void (*callback)(unsigned cpu, void *context), int flags,
                                                   void *context);
extern void qemu_plugin_register_vcpu_insn_exec_inline(struct instruction *instruction, int operation,
                                                       void *counter, uint64_t amount);

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int qemu_plugin_version = API_VERSION;
EXPORTED int qemu_plugin_install(plugin_id id, const void *info, int count, char **arguments);

static struct {
    uint64_t begin;
    uint64_t end;
    uint64_t executed;
    uint64_t executed_at_begin;
    FILE *out;
} state;

static void on_begin(unsigned cpu, void *context)
{
    (void)cpu;
    (void)context;
    state.executed_at_begin = state.executed;
}

static void on_end(unsigned cpu, void *context)
{
    (void)cpu;
    (void)context;
    (void)fprintf(state.out, "%" PRIu64 "\n", state.executed - state.executed_at_begin);
    (void)fflush(state.out);
}

static void on_translation(plugin_id id, struct block *block)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct instruction *instruction = qemu_plugin_tb_get_insn(block, i);
        uint64_t address = qemu_plugin_insn_vaddr(instruction);
        if (address == state.begin)
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_begin, NO_REGISTERS, NULL);
        if (address == state.end)
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_end, NO_REGISTERS, NULL);
        qemu_plugin_register_vcpu_insn_exec_inline(instruction, INLINE_ADD_U64, &state.executed, 1);
    }
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
