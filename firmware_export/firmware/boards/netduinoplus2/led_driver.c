/* The emitters' driver is enabled by PA8 and takes its current from PA4; both float after reset, so its
 * enable has a resistor that pulls it down. The timer that enables it counts a number of periods and then
 * stops, without the core: LEDs go dark when that has crashed, holds interrupts off, or waits for flash. QEMU
 * has neither that timer nor the converter: there leds_driven tells.
 * Sources: RM0090 14 (DAC), 17.3.3 (repetition counter), 17.3.10 (one-pulse mode); DS8626 table 9 (PA8 is
 * TIM1_CH1 by AF1, PA4 is DAC_OUT1). */
#include "led_driver.h"

#include "board.h"
#include "guard.h"
#include "registers.h"

#define ENABLE_PIN 8u
#define CURRENT_PIN 4u
#define ALTERNATE_TIM1 1u

#define STEPS_PER_US 2u
#define PERIOD_STEPS 100u /* one for each percent: 50 µs */
#define PERIODS (BOARD_LEDS_US * STEPS_PER_US / PERIOD_STEPS)
#if PERIODS > 256u
#error "the repetition counter has 8 bits"
#endif

#define FULL_SCALE_MA 100u /* of the driver at the converter's 4095; a weak value: none has been built */
#define FULL_SCALE 4095u

volatile uint32_t leds_driven; /* duty << 16 | current */

void led_driver_start(uint32_t timer_hz)
{
    RCC->ahb1enr |= RCC_AHB1ENR_GPIOA;
    RCC->apb1enr |= RCC_APB1ENR_DAC;
    RCC->apb2enr |= RCC_APB2ENR_TIM1;
    (void)RCC->apb2enr; /* their clocks take two cycles to come */
    TIM1->psc = timer_hz / (STEPS_PER_US * 1000000u) - 1u;
    TIM1->arr = PERIOD_STEPS - 1u;
    TIM1->rcr = PERIODS - 1u;
    TIM1->ccr1 = PERIOD_STEPS; /* never reached: dark */
    TIM1->ccmr1 = TIM_CCMR1_PWM_2;
    TIM1->ccer = TIM_CCER_1;
    TIM1->bdtr = TIM_BDTR_OUTPUTS;
    DAC->cr = DAC_CR_1;
    GPIOA->afr[ENABLE_PIN / 8u] |= ALTERNATE_TIM1 << 4u * (ENABLE_PIN % 8u);
    GPIOA->moder |= GPIO_MODE_ALTERNATE << 2u * ENABLE_PIN | GPIO_MODE_ANALOGUE << 2u * CURRENT_PIN;
}

static uint32_t at_most(uint32_t value, uint32_t most)
{
    return value < most ? value : most;
}

/* At count 0, where the timer stops, the output must be off; so a duty of 100 % is 99 %. */
void guard_drive_leds(uint8_t duty_percent, uint16_t current_ma)
{
    bool on = duty_percent > 0 && current_ma > 0;
    leds_driven = (uint32_t)duty_percent << 16 | current_ma;
    DAC->dhr12r1 = at_most(current_ma, FULL_SCALE_MA) * FULL_SCALE / FULL_SCALE_MA;
    TIM1->ccr1 = PERIOD_STEPS - (on ? at_most(duty_percent, PERIOD_STEPS - 1u) : 0u);
    TIM1->egr = TIM_EGR_UPDATE; /* from the first period again */
    TIM1->cr1 = on ? TIM_CR1_ONE_PULSE | TIM_CR1_ENABLE : TIM_CR1_ONE_PULSE;
}
