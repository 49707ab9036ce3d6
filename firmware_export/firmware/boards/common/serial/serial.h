/* A UART that an interrupt serves: the loop never waits for a byte, and none is lost while it computes. */
#ifndef SERIAL_H
#define SERIAL_H

#include "ring.h"

struct serial;
extern struct serial serial_link, serial_sensors;

/* Once the UARTs are on. */
void serial_start(void);

size_t serial_read(struct serial *port, uint8_t *bytes, size_t capacity);
size_t serial_write(struct serial *port, const uint8_t *bytes, size_t count);
size_t serial_waiting(const struct serial *port); /* received, not read */
size_t serial_room(const struct serial *port);

/* Waits until all has been sent. */
void serial_flush(struct serial *port);

/* ---- Interrupt handlers ---- */
void serial_link_interrupt(void);
void serial_sensors_interrupt(void);

#endif
