/* Reset, vectors and faults of a Cortex-M. A board with interrupt handlers puts them into section
 * .vectors.interrupts, which comes behind these.
 * Source: Armv7-M and Armv8-M Architecture Reference Manuals (exception 7, the secure fault, is v8-M's). */
#include <stdint.h>
#include <string.h>

#include "guard.h"
#include "reset.h"
#include "semihosting.h"

#define CPACR (*(volatile uint32_t *)0xE000ED88u)
#define CPACR_FPU_FULL (0xFu << 20)
#define EXIT_FAULT 99u

extern uint8_t link_stack_top[], link_data_load[], link_data_start[], link_data_end[], link_bss_start[],
    link_bss_end[];

int main(int argc, char **argv);
void reset(void);

#ifdef PSOG_SILICON
#define EMULATED false
#else
#define EMULATED true
#endif

/* Ends the emulation, so that whoever started it sees the board die; a real one starts again. */
static void stop(uint32_t code)
{
#ifndef PSOG_SILICON
    semihosting_exit(code);
#else
    (void)code;
#endif
    reset_core();
}

/* Programs that only measure have no guard. */
__attribute__((weak)) void guard_crashed(bool limited);

void crashed(void);
void crashed(void)
{
    if (guard_crashed)
        guard_crashed(EMULATED);
    stop(EXIT_FAULT);
}

/* The stack may be what has crashed. */
__attribute__((naked)) static void fault(void)
{
    __asm volatile("ldr r0, =link_stack_top\n msr msp, r0\n b crashed");
}

/* Of boards that have them. */
__attribute__((weak, alias("fault"))) void nmi_interrupt(void);
__attribute__((weak, alias("fault"))) void systick_interrupt(void);

__attribute__((weak)) bool reset_from_outside(void)
{
    return false;
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

struct vectors {
    void *stack_top;
    void (*handler[15])(void);
};

__attribute__((section(".vectors"), used)) const struct vectors vectors = {
    link_stack_top,
    {reset, nmi_interrupt, fault, fault, fault, fault, fault, 0, 0, 0, fault, fault, 0, fault,
     systick_interrupt},
};
