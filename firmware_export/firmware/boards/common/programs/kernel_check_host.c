/* The check of kernels on a computer: kernel_check SEED FIRST CASES. */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kernel_check.h"

enum exit_code { DONE = 0, NO_INPUT = 2, NO_MEMORY = 3, NO_OUTPUT = 4 };

#ifdef __SANITIZE_ADDRESS__
/* The sanitizer guards both ends. */
uint8_t *kernel_check_edge(uint32_t bytes)
{
    static uint8_t *held;
    free(held);
    held = malloc(bytes);
    if (held == NULL)
        exit(NO_MEMORY);
    return held;
}
#else
#define ROOM (1u << 20) /* whole pages: more than any array takes */

/* Behind the room lies as much that cannot be read. */
uint8_t *kernel_check_edge(uint32_t bytes)
{
    static uint8_t *room;
    if (room == NULL) {
        room = mmap(NULL, 2u * ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (room == MAP_FAILED || mprotect(room, ROOM, PROT_READ | PROT_WRITE) != 0)
            exit(NO_MEMORY);
    }
    return room + ROOM - bytes;
}
#endif

int main(int argc, char **argv)
{
    if (argc != 4)
        return NO_INPUT;
    uint32_t seed = (uint32_t)strtoul(argv[1], NULL, 10), first = (uint32_t)strtoul(argv[2], NULL, 10);
    struct kernel_check result = check_kernels(seed, first, (uint32_t)strtoul(argv[3], NULL, 10));
    FILE *file = fopen(KERNEL_CHECK_FILE, "wb");
    bool written = file != NULL && fwrite(&result, sizeof result, 1, file) == 1;
    return file != NULL && fclose(file) == 0 && written ? DONE : NO_OUTPUT;
}
