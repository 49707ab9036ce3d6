#include "app.h"
#include "board.h"

int main(int argc, char **argv)
{
    static struct app app;
    board_init(argc, argv);
    board_watchdog_start();
    if (app_start(&app, board_flash(), board_hung_restarts()) != PSOG_OK)
        return 1;
    for (;;) {
        app_step(&app);
        app_wait(&app);
    }
}
