/* Files of the computer that runs the emulator. Source: Arm semihosting specification, version 3. */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEMIHOSTING_PATH_BYTES 1024u

/* The emulator's semihosting command line: the path of the flash file. False when it does not fit. */
bool semihosting_command_line(char *line, size_t size);

/* The whole file into data. False unless it has exactly `size` bytes. */
bool semihosting_read_file(const char *path, void *data, size_t size);

/* Length of a file; -1 when there is none. */
int32_t semihosting_file_bytes(const char *path);

/* Creates or replaces a file. */
bool semihosting_write_file(const char *path, const void *data, size_t size);

/* Overwrites a part of an existing file. */
bool semihosting_update_file(const char *path, uint32_t offset, const void *data, size_t size);

/* Writes to the emulator's standard error. */
void semihosting_complain(const char *text);

/* Ends the emulator. */
void semihosting_exit(uint32_t code);

#endif
