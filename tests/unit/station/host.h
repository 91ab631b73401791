/* A host for stations in tests: memory that outlives the station, files and keys that behave as the test says. */
#ifndef AMPGATE_TESTS_STATION_HOST_H
#define AMPGATE_TESTS_STATION_HOST_H

#include "station/host.h"

#define KEPT_MOST 200

struct test_host {
	struct {
		char name[96];
		char *value;
	} kept[KEPT_MOST];
	char did[2048];               /* "fetch http://x; verify; " */
	enum signer signer;           /* what check_signer says */
	int certificate_err;          /* what install_certificate and take_certificate say */
	int request_err;
	int log_err;
	int network_err;
	struct certificate_id ids[8];
	size_t n_ids;
	char shown[256];              /* of EVSE 1 */
	char security[1024];          /* "StartupOfTheDevice; " */
};

extern const struct station_host test_host_ops; /* their arg is the struct */
void test_host_close(struct test_host *h);

#endif
