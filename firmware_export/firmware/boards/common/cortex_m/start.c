/* Reset, vectors and faults of a Cortex-M. A board with interrupt handlers puts them into section
 * .vectors.interrupts, which comes behind these.
 * Source: Armv7-M and Armv8-M Architecture Reference Manuals (exception 7, the secure fault, is v8-M's). */
#include <stdint.h>
#include <string.h>

#include "semihosting.h"

#define CPACR (*(volatile uint32_t *)0xE000ED88u)
#define CPACR_FPU_FULL (0xFu << 20)
#define AIRCR (*(volatile uint32_t *)0xE000ED0Cu)
#define AIRCR_RESET_REQUEST (0x05FA0000u | 4u)
#define EXIT_FAULT 99u

extern uint8_t link_stack_top[], link_data_load[], link_data_start[], link_data_end[], link_bss_start[],
    link_bss_end[];

int main(int argc, char **argv);
void reset(void);

/* Ends the emulation, so that whoever started it sees the board die; a real one starts again. */
static void stop(uint32_t code)
{
#ifdef PSOG_SILICON
    (void)code;
    AIRCR = AIRCR_RESET_REQUEST;
#else
    semihosting_exit(code);
#endif
    for (;;)
        ;
}

static void fault(void)
{
    stop(EXIT_FAULT);
}

void reset(void)
{
#ifdef __ARM_FP
    CPACR |= CPACR_FPU_FULL;
    __asm volatile("dsb\n isb");
#endif
    memcpy(link_data_start, link_data_load, (size_t)(link_data_end - link_data_start));
    memset(link_bss_start, 0, (size_t)(link_bss_end - link_bss_start));
    stop((uint32_t)main(0, 0));
}

/* No interrupt handler: interrupts are masked and only wake the core from WFI. */
struct vectors {
    void *stack_top;
    void (*handler[15])(void);
};

__attribute__((section(".vectors"), used)) const struct vectors vectors = {
    link_stack_top,
    {reset, fault, fault, fault, fault, fault, fault, 0, 0, 0, fault, fault, 0, fault, fault},
};
