/* The whole application on a board of memory: what host, sensors and power do to it is what the input says.
 * All it sends must be sound frames, and each command must be answered once. */
#include "app.h"
#include "bytes.h"
#include "fuzz.h"
#include "images.h"
#include "memory_board.h"
#include "memory_flash.h"

#define PIECE_BYTES 192u
#define STEPS_AT_MOST 16u /* a frame's bytes take four */
#define US_PER_READING 1000u
#define UPLOADS_AT_MOST 6u /* whole ones an input: they take most of the time */

static struct session {
    struct app app;
    struct memory_flash flash;
    uint16_t sequence; /* of the host's last command */
    uint32_t answers;  /* to it */
    uint32_t uploaded; /* bytes of the image on its way */
    uint32_t uploads;
    bool repeating; /* the host sends with the sequence number that it used last */
} session;

static struct session installed; /* as it is after the first model has been installed, and the power put on */

static void heard(const struct psog_frame *frame)
{
    bool answer = frame->type == PSOG_MSG_ACK || frame->type == PSOG_MSG_HELLO;
    if (answer && psog_get_u16(frame->payload) == session.sequence)
        session.answers++;
}

static void power_on(void)
{
    memory_board.link.receiver = memory_board.sensors.receiver = (struct psog_frame_receiver){0};
    MUST(app_start(&session.app, &memory_board.region, memory_board.hung_restarts) == PSOG_OK);
}

/* Whether another step would do something. */
static bool is_busy(void)
{
    const struct app *app = &session.app;
    const struct memory_line *link = &memory_board.link, *sensors = &memory_board.sensors;
    bool heard_all = link->count == 0 && sensors->count == 0 && app->inbox.next == app->inbox.count;
    bool said_all = (app->link.count == 0 || link->room == 0) &&
                    (app->sensor_bus.count == 0 || sensors->room == 0);
    return !heard_all || !said_all || app->restarting;
}

/* Lets it run until all that was sent to it has been taken, unless nobody reads what it answers. */
static void run(void)
{
    if (setjmp(memory_board.restart))
        power_on();
    for (uint32_t step = 0; step < STEPS_AT_MOST && is_busy(); step++) {
        app_step(&session.app);
        app_wait(&session.app);
    }
}

/* A watchdog's restart, or power off and on. */
static void hang_or_power_off(uint8_t what)
{
    memory_board.hung_restarts = what % 2u == 1u ? (uint8_t)(memory_board.hung_restarts + 1u) : 0;
    memory_board.t_us += what * 20000u;
    power_on();
}

static void send(struct memory_line *line, const uint8_t *bytes, size_t count)
{
    line->bytes = bytes;
    line->count = count;
    run();
    line->count = 0;
}

static void send_frame(struct memory_line *line, uint8_t type, uint16_t sequence, const uint8_t *payload,
                       size_t size)
{
    static uint8_t wire[1u + PSOG_FRAME_MAX_WIRE]; /* a zero first: whatever came before ends here */
    const struct psog_frame frame = {type, sequence, payload, size};
    send(line, wire, 1u + psog_frame_encode(&frame, wire + 1));
}

static void command(uint8_t type, const uint8_t *payload, size_t size)
{
    bool listening = memory_board.link.room > 2u * LINK_OUTBOX_BYTES;
    run(); /* answers to what came before are out, where they can be */
    if (!session.repeating)
        session.sequence++;
    session.answers = 0;
    send_frame(&memory_board.link, type, session.sequence, payload, size);
    if (listening)
        MUST(session.answers == (type < PSOG_MSG_READING ? 1 : 0));
}

static void begin_upload(const struct fuzz_image *image)
{
    uint8_t payload[PSOG_MSG_MODEL_BEGIN_SIZE];
    psog_put_u32(payload + PSOG_MODEL_BEGIN_IMAGE_BYTES_OFFSET, image->size);
    psog_put_u32(payload + PSOG_MODEL_BEGIN_CRC32_OFFSET, image->crc32);
    session.uploaded = 0;
    command(PSOG_MSG_MODEL_BEGIN, payload, sizeof payload);
}

/* The next piece of the image, with one byte changed when `change` is not 0. */
static void upload_piece(const struct fuzz_image *image, uint8_t change)
{
    uint8_t payload[PSOG_MSG_MODEL_DATA_SIZE + PIECE_BYTES];
    uint32_t left = image->size - session.uploaded % image->size;
    uint32_t count = left < PIECE_BYTES ? left : PIECE_BYTES;
    psog_put_u32(payload + PSOG_MODEL_DATA_OFFSET_OFFSET, session.uploaded % image->size);
    payload[PSOG_MODEL_DATA_COUNT_OFFSET] = (uint8_t)count;
    memcpy(payload + PSOG_MSG_MODEL_DATA_SIZE, image->bytes + session.uploaded % image->size, count);
    payload[PSOG_MSG_MODEL_DATA_SIZE + change % count] ^= change;
    session.uploaded += count;
    command(PSOG_MSG_MODEL_DATA, payload, PSOG_MSG_MODEL_DATA_SIZE + count);
}

static void upload(const struct fuzz_image *image)
{
    session.uploads++;
    begin_upload(image);
    for (uint32_t at = 0; at < image->size; at += PIECE_BYTES)
        upload_piece(image, 0);
    command(PSOG_MSG_MODEL_COMMIT, NULL, 0);
}

static void send_reading(uint8_t *payload, size_t count, uint32_t passed_us)
{
    memory_board.t_us += passed_us;
    memcpy(payload + PSOG_READING_T_US_OFFSET, &memory_board.t_us, sizeof memory_board.t_us);
    send_frame(&memory_board.sensors, PSOG_MSG_READING, (uint16_t)memory_board.t_us, payload,
               PSOG_MSG_READING_SIZE + 2u * count);
}

/* A reading; each sensor takes a byte of the input. One in four stays, until the eye has come to rest. */
static void reading(struct input *input)
{
    uint8_t payload[PSOG_MSG_READING_SIZE + 2u * PSOG_MAX_SENSORS];
    uint8_t first = take(input);
    size_t count = 1u + first % PSOG_MAX_SENSORS;
    payload[PSOG_READING_COUNT_OFFSET] = (uint8_t)count;
    for (size_t i = 0; i < count; i++)
        psog_put_u16(payload + PSOG_MSG_READING_SIZE + 2u * i, (uint16_t)(take(input) * 257u));
    send_reading(payload, count, US_PER_READING);
    for (uint32_t bin = 0; first >= 3u * PSOG_MAX_SENSORS && bin <= PSOG_STILL_BINS; bin++)
        send_reading(payload, count, PSOG_STILL_BIN_US);
}

/* A target at a few degrees, for a few readings. */
static void target(struct input *input)
{
    uint8_t payload[PSOG_MSG_TUNE_TARGET_SIZE];
    psog_put_f32(payload + PSOG_TUNE_TARGET_TARGET_H_DEG_OFFSET, (float)(int8_t)take(input) / 4.0f);
    psog_put_f32(payload + PSOG_TUNE_TARGET_TARGET_V_DEG_OFFSET, (float)(int8_t)take(input) / 4.0f);
    psog_put_u16(payload + PSOG_TUNE_TARGET_SAMPLES_OFFSET, take(input) % 8u);
    command(PSOG_MSG_TUNE_TARGET, payload, sizeof payload);
}

/* A calibration of the model in use whose CRC fits, with bytes of the input somewhere in it. */
static void write_calibration(struct input *input)
{
    static uint8_t record[PSOG_CALIBRATION_BYTES];
    uint8_t payload[PSOG_MSG_CALIBRATION_WRITE_SIZE + PIECE_BYTES];
    const struct psog_model *model = &session.app.model;
    uint32_t size = (20u + 8u * (model->features + 1u) + 4u * model->biases + 7u) & ~7u;
    memset(record, 0, sizeof record);
    memcpy(record, "PCAL\4", 5);
    psog_put_u16(record + 6, model->features);
    psog_put_u32(record + 12, model->crc32);
    psog_put_u16(record + 16, model->biases);
    uint32_t at = take_u16(input) % size;
    size_t count = take(input) % (size - at + 1u);
    const uint8_t *bytes = take_bytes(input, &count);
    if (count > 0)
        memcpy(record + at, bytes, count);
    psog_put_u16(payload + PSOG_CALIBRATION_WRITE_TOTAL_OFFSET, (uint16_t)size);
    psog_put_u32(payload + PSOG_CALIBRATION_WRITE_CRC32_OFFSET, psog_crc32(0, record, size));
    for (uint32_t offset = 0; offset < size; offset += PIECE_BYTES) {
        uint32_t piece = size - offset < PIECE_BYTES ? size - offset : PIECE_BYTES;
        psog_put_u16(payload + PSOG_CALIBRATION_WRITE_OFFSET_OFFSET, (uint16_t)offset);
        payload[PSOG_CALIBRATION_WRITE_COUNT_OFFSET] = (uint8_t)piece;
        memcpy(payload + PSOG_MSG_CALIBRATION_WRITE_SIZE, record + offset, piece);
        command(PSOG_MSG_CALIBRATION_WRITE, payload, PSOG_MSG_CALIBRATION_WRITE_SIZE + piece);
    }
}

/* The calibration in use is read from somewhere. */
static void read_calibration(struct input *input)
{
    uint8_t payload[PSOG_MSG_CALIBRATION_READ_SIZE];
    psog_put_u16(payload, (uint16_t)(16u * take(input)));
    command(PSOG_MSG_CALIBRATION_READ, payload, sizeof payload);
}

static void any_frame(struct input *input, struct memory_line *line)
{
    uint8_t type = take(input);
    size_t count = take(input) % (PSOG_FRAME_MAX_PAYLOAD + 1u);
    const uint8_t *payload = take_bytes(input, &count);
    if (line == &memory_board.link)
        command(type, payload, count);
    else
        send_frame(line, type, type, payload, count);
}

static void any_bytes(struct input *input, struct memory_line *line)
{
    size_t count = take(input);
    const uint8_t *bytes = take_bytes(input, &count);
    send(line, bytes, count);
}

/* From none to more than the application ever has to say. */
static size_t room(uint8_t value)
{
    return value == 255u ? SIZE_MAX : value * 64u;
}

enum event {
    FRAME,
    BYTES,
    READING,
    SENSOR_FRAME,
    SENSOR_BYTES,
    ROOM,
    POWER,
    BEGIN,
    PIECE,
    UPLOAD,
    TARGET,
    FAILURE,
    REPEAT,
    WRITE,
    READ,
    EVENTS,
};

static void happens(struct input *input)
{
    uint8_t what = take(input);
    const struct fuzz_image *image = &FUZZ_IMAGES[what / EVENTS % FUZZ_IMAGE_COUNT];
    switch (what % EVENTS) {
    case FRAME: any_frame(input, &memory_board.link); break;
    case BYTES: any_bytes(input, &memory_board.link); break;
    case READING: reading(input); break;
    case SENSOR_FRAME: any_frame(input, &memory_board.sensors); break;
    case SENSOR_BYTES: any_bytes(input, &memory_board.sensors); break;
    case ROOM: memory_board.link.room = memory_board.sensors.room = room(take(input)); break;
    case POWER: hang_or_power_off(take(input)); break;
    case BEGIN: begin_upload(image); break;
    case PIECE: upload_piece(image, take(input)); break;
    case UPLOAD: upload(image); break;
    case TARGET: target(input); break;
    case FAILURE: session.flash.good = take(input); break;
    case REPEAT: session.repeating = !session.repeating; break;
    case WRITE: write_calibration(input); break;
    case READ: read_calibration(input); break;
    }
}

static void reset_board(void)
{
    memory_board.region = memory_flash_region(&session.flash);
    memory_board.heard = heard;
    memory_board.link.receiver = memory_board.sensors.receiver = (struct psog_frame_receiver){0};
    memory_board.link.room = memory_board.sensors.room = SIZE_MAX;
    memory_board.t_us = 0;
    memory_board.hung_restarts = 0;
}

/* An erased headset. */
static void erase(void)
{
    reset_board();
    session = (struct session){0};
    memset(session.flash.memory, MEMORY_FLASH_ERASED, MEMORY_FLASH_BYTES);
    power_on();
}

static void install(void)
{
    erase();
    upload(&FUZZ_IMAGES[0]);
    command(PSOG_MSG_MODEL_CONFIRM, NULL, 0);
    reset_board();
    session.uploads = 0;
    power_on();
    MUST(app_has_model(&session.app));
    installed = session;
}

/* An input begins with an erased headset, or with one that has the first model. */
void fuzz_commands(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    if (installed.flash.memory[0] == 0)
        install();
    if (take(&input) % 8u == 7u) {
        erase();
    } else {
        reset_board();
        session = installed;
    }
    while (input.left > 0 && session.uploads < UPLOADS_AT_MOST)
        happens(&input);
}
