/* The emitters: how strongly, and when. They shine while readings come, with no more than the limits that are
 * compiled in; a host may ask for less. What turns them off when this program no longer runs is the board's
 * guard. */
#ifndef LEDS_H
#define LEDS_H

#include "psog.h"

/* Of a headset: psog.firmware_export.led_drive reckons them from its TOML file and what is safe for eyes
 * (psog/sim/safety.py: 100 W/m² on the cornea, ICNIRP 2013 and IEC 62471, if all light is on for ever). Else
 * what is safe for both built-in headsets with the brightest emitter that psog knows (SFH 4356), all sixteen
 * at once: 28.8 W/m² for each mA. The share of the time is what sixteen emitters in turn have. */
#ifndef LED_MOST_CURRENT_MA
#define LED_MOST_CURRENT_MA 3
#define LED_MOST_DUTY_PERCENT 6
#define LED_CURRENT_MA LED_MOST_CURRENT_MA
#define LED_DUTY_PERCENT LED_MOST_DUTY_PERCENT
#endif
#if LED_CURRENT_MA > LED_MOST_CURRENT_MA || LED_DUTY_PERCENT > LED_MOST_DUTY_PERCENT
#error "the headset is driven harder than its limits"
#endif

/* Without a reading for so long the sensor bus is silent: more than one period of a headset above 100 Hz. */
#ifndef LED_SILENT_US
#define LED_SILENT_US 10000u
#endif

struct leds {
    uint8_t duty_percent; /* share of the time that each emitter is on */
    uint16_t current_ma;  /* while it is on */
    bool lit;
    uint32_t reading_us; /* board_us of the last reading */
};

/* Dark until the first reading, then what the headset is made for. */
void leds_start(struct leds *leds);

/* What to drive them with from now on; PSOG_ERR_RANGE, and no change, when it is more than the limits. */
enum psog_error leds_ask(struct leds *leds, uint8_t duty_percent, uint16_t current_ma);

/* A reading has come. */
void leds_reading(struct leds *leds);

/* As often as the board wakes up: drives them, which the board forgets if it is not told again. */
void leds_step(struct leds *leds);

#endif
