/* `ampgate sim board`: a pilot board with its car, contactors and card reader on pseudo terminals. */
#ifndef AMPGATE_GATEWAY_SIM_BOARD_H
#define AMPGATE_GATEWAY_SIM_BOARD_H

int sim_board_main(int argc, char **argv); /* argv[0] is "board"; exit status */

#endif
