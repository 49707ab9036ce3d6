/* Whether sensors can tell how much light there is. */
#ifndef LIGHT_H
#define LIGHT_H

#include <stdbool.h>
#include <stdint.h>

/* Readings nearer than this to either end of the 16 bits are at the end of their converter: the largest of 10
 * bits, left-aligned, is 65472. */
#define LIGHT_END 64u

/* True when an eighth of the sensors or more are at an end: too much light, or none. The nominal eye reads
 * 0.4 of full scale. count: 1 or more. */
bool light_saturates(const uint16_t *readings, uint16_t count);

#endif
