/* Arm MPS3 with AN547 (Cortex-M55), as seen by secure code, which is what the core starts with.
 * Source: Arm DAI 0547, memory map and interrupts. */
#ifndef ADDRESSES_H
#define ADDRESSES_H

#define MPS_BOARD_NAME "mps3-an547"
#define MPS_LINK_UART 0x59303000u   /* UART 0 */
#define MPS_SENSOR_UART 0x59304000u /* UART 1 */
/* Four interrupts in a row: UART 0 received, sent; UART 1 received, sent. */
#define MPS_FIRST_INTERRUPT 33u
#define MPS_FPGAIO 0x59302000u
#define MPS_FPGAIO_HZ 20000000u /* in QEMU */
/* The one on the slow clock. */
#define MPS_WATCHDOG 0x5802E000u
#define MPS_WATCHDOG_HZ 32000u

#endif
