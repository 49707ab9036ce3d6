/* The check of kernels on an emulated board. Semihosting command line: SEED FIRST CASES. */
#include <stdlib.h>

#include "kernel_check.h"
#include "semihosting.h"

enum exit_code { DONE = 0, NO_INPUT = 2, NO_MEMORY = 3, NO_OUTPUT = 4 };

extern uint8_t link_bss_end[], link_ram_end[];

/* Nothing answers behind RAM on mps2-an505 and mps3-an547. */
uint8_t *kernel_check_edge(uint32_t bytes)
{
    if (bytes > (uint32_t)(link_ram_end - link_bss_end)) {
        semihosting_complain("error: the check does not fit into this board's RAM");
        semihosting_exit(NO_MEMORY);
    }
    return link_ram_end - bytes;
}

int main(void)
{
    char line[SEMIHOSTING_PATH_BYTES];
    if (!semihosting_command_line(line, sizeof line))
        return NO_INPUT;
    char *rest = line;
    uint32_t seed = strtoul(rest, &rest, 10), first = strtoul(rest, &rest, 10);
    struct kernel_check result = check_kernels(seed, first, strtoul(rest, &rest, 10));
    return semihosting_write_file(KERNEL_CHECK_FILE, &result, sizeof result) ? DONE : NO_OUTPUT;
}
