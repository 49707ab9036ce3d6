/* Arm MPS2 with AN386 (Cortex-M4F). Source: Arm DAI 0386, memory map and interrupts. */
#ifndef ADDRESSES_H
#define ADDRESSES_H

#define MPS_BOARD_NAME "mps2-an386"
#define MPS_LINK_UART 0x40004000u   /* UART 0 */
#define MPS_SENSOR_UART 0x40005000u /* UART 1 */
/* Four interrupts in a row: UART 0 received, sent; UART 1 received, sent. */
#define MPS_FIRST_INTERRUPT 0u
#define MPS_FPGAIO 0x40028000u
#define MPS_FPGAIO_HZ 25000000u /* in QEMU */
#define MPS_WATCHDOG 0x40008000u
#define MPS_WATCHDOG_HZ 25000000u

#endif
