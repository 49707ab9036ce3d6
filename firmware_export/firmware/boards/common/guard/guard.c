#include "guard.h"

#include "board.h"

#define HUNG_TICKS (BOARD_HUNG_US / GUARD_TICK_US)

#if 2u * GUARD_TICK_US > BOARD_LEDS_US
#error "LEDs would stay on for longer than promised"
#endif

static volatile struct {
    bool started;
    bool lit; /* LEDs were asked for since the last tick */
    uint32_t unfed_ticks;
    uint8_t restarts;
} guard;

static void keep(bool running)
{
    guard_write_record((struct guard_record){guard.restarts, running});
}

/* A start that finds the one before still running comes after a hang or a crash, whatever ended it: this
 * interrupt, a fault handler, or a watchdog of the part. */
void board_watchdog_start(void)
{
    struct guard_record before = {0, false};
    if (guard_read_record(&before))
        guard.restarts = (uint8_t)(before.restarts + (before.running && before.restarts < UINT8_MAX ? 1 : 0));
    keep(true);
    guard.started = true;
    guard_start_ticking();
}

void board_watchdog_feed(void)
{
    guard.unfed_ticks = 0;
}

uint8_t board_hung_restarts(void)
{
    return guard.restarts;
}

void board_ran_well(void)
{
    if (guard.restarts == 0)
        return;
    guard.restarts = 0;
    keep(true);
}

void board_leds(uint8_t duty_percent, uint16_t current_ma)
{
    guard.lit = true;
    guard_drive_leds(duty_percent, current_ma);
}

void guard_tick(void)
{
    if (!guard.lit)
        guard_drive_leds(0, 0);
    guard.lit = false;
    if (++guard.unfed_ticks > HUNG_TICKS)
        guard_restart();
}

void guard_crashed(bool limited)
{
    guard_drive_leds(0, 0);
    if (guard.started && !(limited && guard.restarts >= GUARD_CRASHES))
        guard_restart();
}

void guard_stand_down(void)
{
    guard_drive_leds(0, 0);
    keep(false);
}
