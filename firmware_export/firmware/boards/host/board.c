/* The firmware as a process: link and sensor bus are file descriptors, flash is a file.
 *
 *     host.elf --link-fd N --sensor-fd M --flash PATH [--leds-fd K]
 *
 * The flash file is created, erased, when it is not there. The process ends when the other end of either
 * descriptor has gone. */
#define _POSIX_C_SOURCE 200809L
#include "board.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard.h"
#include "guard_hardware.h"
#include "sim_flash.h"

const char BOARD_NAME[] = "host";

static struct {
    int link;
    int sensors;
    struct sim_flash sim;
    struct psog_flash flash;
} board;

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "host board: %s: %s\n", what, why);
    exit(2);
}

static const char *find_option(int argc, char **argv, const char *name)
{
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return NULL;
}

static const char *option(int argc, char **argv, const char *name)
{
    const char *value = find_option(argc, argv, name);
    if (value == NULL)
        fail(name, "missing; usage: --link-fd N --sensor-fd M --flash PATH [--leds-fd K]");
    return value;
}

static int descriptor(int argc, char **argv, const char *name)
{
    int fd = (int)strtol(option(argc, argv, name), NULL, 10);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        fail(name, strerror(errno));
    return fd;
}

static uint8_t *open_flash(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || fstat(fd, &status) < 0)
        fail(path, strerror(errno));
    if (status.st_size != 0 && status.st_size != SIM_FLASH_BYTES)
        fail(path, "is no flash file of this board: its size is wrong");
    if (ftruncate(fd, SIM_FLASH_BYTES) < 0)
        fail(path, strerror(errno));
    uint8_t *memory = mmap(NULL, SIM_FLASH_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        fail(path, strerror(errno));
    if (status.st_size == 0)
        memset(memory, SIM_FLASH_ERASED, SIM_FLASH_BYTES);
    (void)close(fd);
    return memory;
}

void board_init(int argc, char **argv)
{
    const char *leds = find_option(argc, argv, "--leds-fd");
    guard_hardware_init(argc, argv);
    if (leds && !guard_hardware_share_leds((int)strtol(leds, NULL, 10)))
        fail("--leds-fd", strerror(errno));
    board.link = descriptor(argc, argv, "--link-fd");
    board.sensors = descriptor(argc, argv, "--sensor-fd");
    board.sim = (struct sim_flash){open_flash(option(argc, argv, "--flash")), SIM_FLASH_BYTES, NULL};
    board.flash = sim_flash_region(&board.sim);
}

const struct psog_flash *board_flash(void)
{
    return &board.flash;
}

/* What the last read or write moved; nothing when it would have blocked. Ends the process when the other end
 * has gone. */
static size_t moved(ssize_t count, const char *what)
{
    if (count > 0)
        return (size_t)count;
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (count < 0 && errno != EIO && errno != EPIPE && errno != ECONNRESET)
        fail(what, strerror(errno));
    exit(0);
}

size_t board_link_read(uint8_t *bytes, size_t capacity)
{
    return moved(read(board.link, bytes, capacity), "link");
}

size_t board_link_write(const uint8_t *bytes, size_t count)
{
    return moved(write(board.link, bytes, count), "link");
}

size_t board_sensor_read(uint8_t *bytes, size_t capacity)
{
    return moved(read(board.sensors, bytes, capacity), "sensor bus");
}

size_t board_sensor_write(const uint8_t *bytes, size_t count)
{
    return moved(write(board.sensors, bytes, count), "sensor bus");
}

static short wanted(bool bytes, bool room)
{
    return (short)((bytes ? POLLIN : 0) | (room ? POLLOUT : 0));
}

void board_wait(struct board_interest interest)
{
    struct pollfd events[] = {
        {.fd = board.link, .events = wanted(interest.link_bytes, interest.link_room)},
        {.fd = board.sensors, .events = wanted(true, interest.sensor_room)},
    };
    if (poll(events, 2, -1) < 0 && errno != EINTR)
        fail("poll", strerror(errno));
    if (events[0].revents & (POLLHUP | POLLERR))
        exit(0);
}

void board_restart(void)
{
    guard_stand_down();
    guard_restart();
}
