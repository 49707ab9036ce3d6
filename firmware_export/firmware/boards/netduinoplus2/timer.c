#include "timer.h"

#include "registers.h"

#ifdef PSOG_SILICON
#define TIM2_HZ(kernel_hz) (kernel_hz)
#else
#define TIM2_HZ(kernel_hz) ((void)(kernel_hz), 1000000000u) /* in QEMU, whatever the clocks */
#endif

void timer_start(uint32_t kernel_hz)
{
    RCC->apb1enr |= RCC_APB1ENR_TIM2;
    (void)RCC->apb1enr; /* its clock takes two cycles to come: RM0090 7.2, peripheral clock enable */
    TIM2->psc = TIM2_HZ(kernel_hz) / 1000000u - 1u;
    TIM2->arr = UINT32_MAX;
    TIM2->egr = TIM_EGR_UPDATE; /* takes the prescaler over */
    TIM2->cr1 = TIM_CR1_ENABLE;
}

uint32_t timer_us(void)
{
    return TIM2->cnt;
}

bool timer_wait(const volatile uint32_t *bits, uint32_t mask, uint32_t value, uint32_t timeout_us)
{
    uint32_t start = timer_us();
    while ((*bits & mask) != value)
        if (timer_us() - start > timeout_us)
            return (*bits & mask) == value; /* an interrupt may have taken the time */
    return true;
}
