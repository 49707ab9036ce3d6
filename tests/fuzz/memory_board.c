/* A board of memory: its lines are bytes of the input, its flash an array, its clock whatever is said. */
#include "memory_board.h"

#include "board.h"
#include "fuzz.h"

const char BOARD_NAME[] = "memory";

struct memory_board memory_board;

static size_t read_line(struct memory_line *line, uint8_t *bytes, size_t capacity)
{
    size_t count = line->count < capacity ? line->count : capacity;
    if (count == 0)
        return 0;
    memcpy(bytes, line->bytes, count);
    line->bytes += count;
    line->count -= count;
    return count;
}

static size_t write_line(struct memory_line *line, const uint8_t *bytes, size_t count)
{
    if (count > line->room)
        count = line->room;
    line->room -= count;
    for (size_t i = 0; i < count; i++) {
        struct psog_frame frame;
        enum psog_frame_event event = psog_frame_push(&line->receiver, bytes[i], &frame);
        MUST(event != PSOG_FRAME_BAD);
        if (event == PSOG_FRAME_READY && line == &memory_board.link)
            memory_board.heard(&frame);
    }
    return count;
}

size_t board_link_read(uint8_t *bytes, size_t capacity)
{
    return read_line(&memory_board.link, bytes, capacity);
}

size_t board_link_write(const uint8_t *bytes, size_t count)
{
    return write_line(&memory_board.link, bytes, count);
}

size_t board_sensor_read(uint8_t *bytes, size_t capacity)
{
    return read_line(&memory_board.sensors, bytes, capacity);
}

size_t board_sensor_write(const uint8_t *bytes, size_t count)
{
    return write_line(&memory_board.sensors, bytes, count);
}

const struct psog_flash *board_flash(void)
{
    return &memory_board.region;
}

void board_wait(struct board_interest interest)
{
    (void)interest;
}

uint32_t board_us(void)
{
    return (uint32_t)memory_board.t_us;
}

void board_leds(uint8_t duty_percent, uint16_t current_ma)
{
    MUST(duty_percent <= 100u);
    (void)current_ma;
}

void board_watchdog_start(void)
{
}

void board_watchdog_feed(void)
{
}

uint8_t board_hung_restarts(void)
{
    return memory_board.hung_restarts;
}

void board_ran_well(void)
{
    memory_board.hung_restarts = 0;
}

void board_restart(void)
{
    longjmp(memory_board.restart, 1);
}
