/* Compares a core's kernels with kernels_plain.c, bit for bit, on random layers with every corner that an
 * image may hold. kernel_check.c does it; kernel_check_board.c and kernel_check_host.c are programs of it. */
#ifndef KERNEL_CHECK_H
#define KERNEL_CHECK_H

#include "layer.h"

/* What came of it: the content of the file that the programs write. */
struct kernel_check {
    uint32_t cases, different;
    uint32_t first;     /* number of the first case that differs */
    uint32_t packed[PSOG_PACKINGS]; /* cases by enum psog_packing */
    uint32_t changed;   /* sparse lists with a word or three changed */
    uint32_t accepted;  /* of these, as part of an image: kernels follow them */
};

#define KERNEL_CHECK_FILE "kernel_check.out"

/* Cases `first` and on; a case is a function of seed and number alone. */
struct kernel_check check_kernels(uint32_t seed, uint32_t first, uint32_t cases);

/* Memory that ends after `bytes`, a multiple of 4 or for int8 values: who reads beyond it faults, where
 * that can be had. A program supplies it; what it gave before is lost. */
uint8_t *kernel_check_edge(uint32_t bytes);

#endif
