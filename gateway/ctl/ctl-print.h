/* Results of the daemon for people's eyes. */
#ifndef AMPGATE_GATEWAY_CTL_PRINT_H
#define AMPGATE_GATEWAY_CTL_PRINT_H

#include <cjson/cJSON.h>

void print_status(const cJSON *r);
void print_why(const cJSON *r);
void print_stations(const cJSON *r);
void print_circuits(const cJSON *r);
void print_meters(const cJSON *r);
void print_meter_test(const cJSON *r);
void print_meter_scan(const cJSON *r);
void print_uplinks(const cJSON *r);
void print_certificates(const cJSON *r);
void print_text(const cJSON *r); /* a text as it is */
void print_map(const cJSON *r);
void print_queue(const cJSON *r);
void print_txs(const cJSON *r);
void print_tx_csv_head(void);
void print_tx_csv(const cJSON *row);
void print_plan(const cJSON *r);
void print_grid_operator(const cJSON *r);
void print_grid_log(const cJSON *r);
void print_tariffs(const cJSON *r);
void print_limits(const cJSON *r);
void print_deviations(const cJSON *r);
void print_probe(const cJSON *r);
void print_probed(const cJSON *r);
void print_trace(const cJSON *r);
void print_trace_line(const cJSON *r);

#endif
