#include "semihosting.h"

#include <string.h>

enum operation {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_SEEK = 0x0A,
    SYS_FLEN = 0x0C,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT_EXTENDED = 0x20,
};

enum mode { READ_BINARY = 1, UPDATE_BINARY = 3, WRITE_BINARY = 5 }; /* fopen's "rb", "r+b", "wb" */

#define STOPPED_APPLICATION_EXIT 0x20026u

static int32_t call(enum operation operation, const void *arguments)
{
    register int32_t r0 __asm("r0") = (int32_t)operation;
    register const void *r1 __asm("r1") = arguments;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static uint32_t address(const void *pointer)
{
    return (uint32_t)(uintptr_t)pointer;
}

static int32_t open_file(const char *path, enum mode mode)
{
    const uint32_t arguments[] = {address(path), (uint32_t)mode, (uint32_t)strlen(path)};
    return call(SYS_OPEN, arguments);
}

static void close_file(int32_t file)
{
    const uint32_t arguments[] = {(uint32_t)file};
    (void)call(SYS_CLOSE, arguments);
}

/* SYS_READ and SYS_WRITE return how many bytes were left over. */
static bool transfer(enum operation operation, int32_t file, const void *data, size_t size)
{
    const uint32_t arguments[] = {(uint32_t)file, address(data), size};
    return call(operation, arguments) == 0;
}

static int32_t file_length(int32_t file)
{
    const uint32_t arguments[] = {(uint32_t)file};
    return call(SYS_FLEN, arguments);
}

bool semihosting_command_line(char *line, size_t size)
{
    uint32_t arguments[] = {address(line), size};
    return call(SYS_GET_CMDLINE, arguments) == 0;
}

int32_t semihosting_file_bytes(const char *path)
{
    int32_t file = open_file(path, READ_BINARY);
    if (file < 0)
        return -1;
    int32_t length = file_length(file);
    close_file(file);
    return length;
}

bool semihosting_read_file(const char *path, void *data, size_t size)
{
    int32_t file = open_file(path, READ_BINARY);
    if (file < 0)
        return false;
    bool done = file_length(file) == (int32_t)size && transfer(SYS_READ, file, data, size);
    close_file(file);
    return done;
}

bool semihosting_write_file(const char *path, const void *data, size_t size)
{
    int32_t file = open_file(path, WRITE_BINARY);
    if (file < 0)
        return false;
    bool done = transfer(SYS_WRITE, file, data, size);
    close_file(file);
    return done;
}

bool semihosting_update_file(const char *path, uint32_t offset, const void *data, size_t size)
{
    int32_t file = open_file(path, UPDATE_BINARY);
    if (file < 0)
        return false;
    const uint32_t seek[] = {(uint32_t)file, offset};
    bool done = call(SYS_SEEK, seek) == 0 && transfer(SYS_WRITE, file, data, size);
    close_file(file);
    return done;
}

void semihosting_complain(const char *text)
{
    (void)call(SYS_WRITE0, text);
}

void semihosting_exit(uint32_t code)
{
    const uint32_t arguments[] = {STOPPED_APPLICATION_EXIT, code};
    (void)call(SYS_EXIT_EXTENDED, arguments);
}
