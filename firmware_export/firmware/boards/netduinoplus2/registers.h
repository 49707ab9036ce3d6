/* Registers of the STM32F405 that this board uses.
 * Source: ST RM0090, memory map (2.3) and the registers of each chapter: flash interface (3), power (5), RCC
 * for STM32F405xx (7), GPIO (8), DAC (14), TIM1 (17), TIM2 to TIM5 (18), IWDG (21). Those of the USARTs are
 * in uart.h. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

struct rcc {
    volatile uint32_t cr, pllcfgr, cfgr, cir, unused1[8];
    volatile uint32_t ahb1enr, unused2[3];
    volatile uint32_t apb1enr, apb2enr, unused3[11];
    volatile uint32_t csr;
};
#define RCC ((struct rcc *)0x40023800u)

#define RCC_CR_HSEON (1u << 16)
#define RCC_CR_HSERDY (1u << 17)
#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_PLLCFGR_RESERVED (2u << 28) /* to be kept as after reset */
#define RCC_PLLCFGR_M(divisor) (divisor)
#define RCC_PLLCFGR_N(factor) ((factor) << 6)
#define RCC_PLLCFGR_P_2 0u
#define RCC_PLLCFGR_SOURCE_HSE (1u << 22)
#define RCC_PLLCFGR_Q(divisor) ((divisor) << 24)
#define RCC_CFGR_SWITCH_PLL 2u
#define RCC_CFGR_STATUS (3u << 2)
#define RCC_CFGR_STATUS_PLL (2u << 2)
#define RCC_CFGR_APB1_BY_4 (5u << 10)
#define RCC_CFGR_APB2_BY_2 (4u << 13)
#define RCC_AHB1ENR_GPIOA (1u << 0)
#define RCC_APB1ENR_TIM2 (1u << 0)
#define RCC_APB1ENR_USART2 (1u << 17)
#define RCC_APB1ENR_PWR (1u << 28)
#define RCC_APB1ENR_DAC (1u << 29)
#define RCC_APB2ENR_TIM1 (1u << 0)
#define RCC_APB2ENR_USART1 (1u << 4)

#define RCC_CSR_FORGET (1u << 24)
#define RCC_CSR_BY_PROGRAM (1u << 28)  /* SFTRSTF */
#define RCC_CSR_BY_WATCHDOG (1u << 29) /* IWDGRSTF */

#define PWR_CR (*(volatile uint32_t *)0x40007000u)
#define PWR_CR_VOS_SCALE_1 (1u << 14)

struct gpio {
    volatile uint32_t moder, otyper, ospeedr, pupdr, idr, odr, bsrr, lckr, afr[2];
};
#define GPIOA ((struct gpio *)0x40020000u)
#define GPIO_MODE_ALTERNATE 2u
#define GPIO_MODE_ANALOGUE 3u
#define GPIO_SPEED_HIGH 2u
#define GPIO_PULL_UP 1u

struct timer {
    volatile uint32_t cr1, cr2, smcr, dier, sr, egr, ccmr1, ccmr2, ccer, cnt, psc, arr;
    volatile uint32_t rcr, ccr1, ccr2, ccr3, ccr4, bdtr; /* rcr and bdtr: of TIM1 */
};
#define TIM1 ((struct timer *)0x40010000u)
#define TIM2 ((struct timer *)0x40000000u) /* 32 bits wide */
#define TIM_CR1_ENABLE 1u
#define TIM_CR1_ONE_PULSE (1u << 3)
#define TIM_EGR_UPDATE 1u
#define TIM_CCMR1_PWM_2 (7u << 4) /* channel 1 is on from ccr1 to arr */
#define TIM_CCER_1 1u
#define TIM_BDTR_OUTPUTS (1u << 15)

struct dac {
    volatile uint32_t cr, swtrigr, dhr12r1;
};
#define DAC ((struct dac *)0x40007400u)
#define DAC_CR_1 1u

struct independent_watchdog {
    volatile uint32_t kr, pr, rlr, sr;
};
#define IWDG ((struct independent_watchdog *)0x40003000u)
#define IWDG_START 0xCCCCu
#define IWDG_UNLOCK 0x5555u
#define IWDG_FEED 0xAAAAu
#define IWDG_BY_64 4u

struct flash_interface {
    volatile uint32_t acr, keyr, optkeyr, sr, cr;
};
#define FLASH ((struct flash_interface *)0x40023C00u)
#define FLASH_ACR_WAIT_STATES_5 5u
#define FLASH_ACR_PREFETCH (1u << 8)
#define FLASH_ACR_INSTRUCTION_CACHE (1u << 9)
#define FLASH_ACR_DATA_CACHE (1u << 10)
#define FLASH_ACR_DATA_CACHE_RESET (1u << 12)
#define FLASH_KEY_1 0x45670123u
#define FLASH_KEY_2 0xCDEF89ABu
#define FLASH_SR_ERRORS (0xF2u) /* OPERR, WRPERR, PGAERR, PGPERR, PGSERR; cleared by writing 1 */
#define FLASH_SR_BUSY (1u << 16)
#define FLASH_CR_PROGRAM (1u << 0)
#define FLASH_CR_ERASE_SECTOR (1u << 1)
#define FLASH_CR_SECTOR(number) ((number) << 3)
#define FLASH_CR_WORDS (2u << 8) /* 32 bits at a time */
#define FLASH_CR_START (1u << 16)
#define FLASH_CR_LOCK (1u << 31)

#endif
