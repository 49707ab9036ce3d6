/* Dark and alive: LEDs go off and the firmware starts again when it has hung or crashed. What a board's own
 * hardware does for it, and what it calls. board.h has the application's side. */
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>
#include <stdint.h>

#define GUARD_TICK_US 4000u /* LEDs that were not asked for between two ticks go off: 8 ms at most */

/* ---- What the board gives ---- */

/* From now on calls guard_tick every GUARD_TICK_US, by an interrupt that comes before all others and, where
 * the part has such a one, that nothing can mask. */
void guard_start_ticking(void);

/* What the emitters' driver does; 0 is dark. Called by interrupts and fault handlers too. */
void guard_drive_leds(uint8_t duty_percent, uint16_t current_ma);

/* What a restart leaves alone and power-on does not. Read once at the start: false when there is nothing. */
struct guard_record {
    uint8_t restarts; /* in a row, because the firmware had hung or crashed */
    bool running;     /* neither hung nor restarted in good order yet */
};
bool guard_read_record(struct guard_record *record);
void guard_write_record(struct guard_record record);

/* Starts the firmware again, at once. */
void guard_restart(void); /* does not return */

/* ---- What the board calls ---- */

void guard_tick(void);

/* By a fault handler: LEDs off. Returns only when the guard has not been started, or, where `limited`, after
 * GUARD_CRASHES in a row: an emulated board that only crashes comes to an end. */
#define GUARD_CRASHES 20u
void guard_crashed(bool limited);

/* Before a restart in good order, which is not counted. */
void guard_stand_down(void);

#endif
