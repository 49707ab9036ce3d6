/* The guard of the firmware as a process: its tick is a signal, which comes whatever the loop does, and a
 * restart is the program executed again. A stopped or starved process is no hang: all ticks that it missed
 * come as one.
 *
 * LEDs are a word of a file of the caller's (--leds-fd), which outlives a restart, or nobody's. */
#define _XOPEN_SOURCE 700
#include "guard_hardware.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "guard.h"

#define MOST_ARGUMENTS 16

static struct {
    char *arguments[MOST_ARGUMENTS + 3]; /* of the restart: what was given, the record, the end */
    char record[16];
    bool has_record;
    struct guard_record given;
} process;
static uint32_t no_leds;
static volatile uint32_t *leds_driven = &no_leds; /* duty << 16 | current */

static char RECORD[] = "--record"; /* restarts << 1 | running */

void guard_hardware_init(int argc, char **argv)
{
    int count = 0;
    for (int i = 0; i < argc && count < MOST_ARGUMENTS; i++) {
        if (strcmp(argv[i], RECORD) != 0 || i + 1 == argc) {
            process.arguments[count++] = argv[i];
            continue;
        }
        unsigned long record = strtoul(argv[++i], NULL, 10);
        process.given = (struct guard_record){(uint8_t)(record >> 1), (record & 1u) != 0};
        process.has_record = true;
    }
    process.arguments[count] = RECORD;
    process.arguments[count + 1] = process.record;
}

bool guard_hardware_share_leds(int fd)
{
    void *word = mmap(NULL, sizeof *leds_driven, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (word == MAP_FAILED)
        return false;
    leds_driven = word;
    *leds_driven = 0;
    return true;
}

uint32_t board_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u);
}

void guard_drive_leds(uint8_t duty_percent, uint16_t current_ma)
{
    *leds_driven = (uint32_t)duty_percent << 16 | current_ma;
}

bool guard_read_record(struct guard_record *record)
{
    *record = process.given;
    return process.has_record;
}

void guard_write_record(struct guard_record record)
{
    (void)snprintf(process.record, sizeof process.record, "%u",
                   (unsigned)record.restarts << 1 | (record.running ? 1u : 0u));
}

static void tick(int signal_number)
{
    (void)signal_number;
    guard_tick();
}

#ifndef __SANITIZE_ADDRESS__
static void crash(int signal_number)
{
    guard_crashed(true);
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}
#endif

static void on(int signal_number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_flags = SA_ONSTACK | flags};
    action.sa_handler = handler;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(signal_number, &action, NULL);
}

/* On a stack of their own: the loop's may be what has crashed. A sanitizer keeps its own handlers. */
static void handle_crashes(void)
{
#ifndef __SANITIZE_ADDRESS__
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    static uint8_t memory[65536];
    (void)sigaltstack(&(stack_t){.ss_sp = memory, .ss_size = sizeof memory}, NULL);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        on(crashes[i], crash, (int)SA_RESETHAND | SA_NODEFER);
#endif
}

static void set_timer(int period_us)
{
    struct timeval period = {.tv_usec = period_us};
    (void)setitimer(ITIMER_REAL, &(struct itimerval){period, period}, NULL);
}

void guard_start_ticking(void)
{
    handle_crashes();
    on(SIGALRM, tick, SA_RESTART);
    set_timer((int)GUARD_TICK_US);
}

/* What is ignored cannot be pending: a tick must not meet a program that does not handle it yet. */
void guard_restart(void)
{
    sigset_t none;
    set_timer(0);
    (void)signal(SIGALRM, SIG_IGN);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)execv("/proc/self/exe", process.arguments);
    abort();
}
