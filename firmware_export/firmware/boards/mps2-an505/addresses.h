/* Arm MPS2 with AN505 (Cortex-M33), as seen by secure code, which is what the core starts with.
 * Source: Arm DAI 0505, memory map and interrupts. */
#ifndef ADDRESSES_H
#define ADDRESSES_H

#define MPS_BOARD_NAME "mps2-an505"
#define MPS_LINK_UART 0x50200000u   /* UART 0 */
#define MPS_SENSOR_UART 0x50201000u /* UART 1 */
/* Four interrupts in a row: UART 0 received, sent; UART 1 received, sent. */
#define MPS_FIRST_INTERRUPT 32u
#define MPS_FPGAIO 0x50302000u
#define MPS_FPGAIO_HZ 20000000u /* in QEMU */
/* The secure side's. */
#define MPS_WATCHDOG 0x50081000u
#define MPS_WATCHDOG_HZ 20000000u

#endif
