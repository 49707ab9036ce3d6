#include "leds.h"

#include "board.h"

void leds_start(struct leds *leds)
{
    *leds = (struct leds){.duty_percent = LED_DUTY_PERCENT, .current_ma = LED_CURRENT_MA};
}

enum psog_error leds_ask(struct leds *leds, uint8_t duty_percent, uint16_t current_ma)
{
    if (duty_percent > LED_MOST_DUTY_PERCENT || current_ma > LED_MOST_CURRENT_MA)
        return PSOG_ERR_RANGE;
    leds->duty_percent = duty_percent;
    leds->current_ma = current_ma;
    return PSOG_OK;
}

void leds_reading(struct leds *leds)
{
    leds->lit = true;
    leds->reading_us = board_us();
}

/* The limits once more, next to the hardware: memory may have been damaged since leds_ask. */
static void drive(uint8_t duty_percent, uint16_t current_ma)
{
    board_leds(duty_percent < LED_MOST_DUTY_PERCENT ? duty_percent : LED_MOST_DUTY_PERCENT,
               current_ma < LED_MOST_CURRENT_MA ? current_ma : LED_MOST_CURRENT_MA);
}

void leds_step(struct leds *leds)
{
    if (leds->lit && board_us() - leds->reading_us >= LED_SILENT_US)
        leds->lit = false;
    if (leds->lit)
        drive(leds->duty_percent, leds->current_ma);
    else
        board_leds(0, 0);
}
