/* Trying a meter, and looking for meters on a bus: some seconds each, through a plugin host, so that a bus in use is shared with what uses it. Used
 * by the daemon's verbs and, where no daemon runs, by the client itself. Loop thread. */
#ifndef AMPGATE_GATEWAY_METER_CHECK_H
#define AMPGATE_GATEWAY_METER_CHECK_H

#include "base/json.h"
#include "gateway/conf/settings.h"
#include "gateway/plug/host.h"

/* Where it is. */
struct meter_place {
	const char *host;   /* TCP; or */
	const char *device; /* a serial line */
	int port, baud;
	char parity;        /* 'N', 'E', 'O' */
};

/* From the id of a bus or a meter of `c` (NULL: there is no configuration), a serial device, or HOST[:PORT]. A device that is a bus of the
 * configuration has that bus's line settings, whatever *out says before. ERR_NOT_FOUND, ERR_EXISTS: the device is used for something else; with
 * the reason in `err`. Texts live in `mem`. */
int meter_place_find(const struct settings *c, const char *target, struct meter_place *out, struct arena *mem, char *err, size_t errlen) MUST_CHECK;

/* How it ended: `json` is an object, `ok` as in meter-look.h or whether the search came to its end. */
typedef void meter_check_end(void *arg, bool ok, struct slice json);
typedef void meter_check_tell(void *arg, const char *step, double part);

/* A meter that nobody reads now; NULL with the reason in `err`. `models`: directory of register maps, NULL: none beside the installed ones. */
struct meter_test;
struct meter_test *meter_test_start(struct host *h, const char *models, const struct meter_settings *m, int64_t for_us, meter_check_tell *tell,
                                    meter_check_end *end, void *arg, char *err, size_t errlen);
/* One whose readings come anyway: `sample` gives the newest each time it is asked, NULL with its reason when there is none. */
typedef const ag_meter_sample *meter_test_sample(void *arg, const char **fault_out);
struct meter_test *meter_test_watch(meter_test_sample *sample, const char *meter, int64_t for_us, meter_check_tell *tell, meter_check_end *end, void *arg);
void meter_test_stop(struct meter_test *t); /* without `end` */

struct meter_scan;
struct meter_scan_conf {
	struct meter_place place;
	const char *target; /* as it was asked for */
	const char *units;  /* "1-32,40"; NULL: 1-32 */
	int timeout_ms;     /* for each address; 0: 200 on a line, 500 over TCP */
	const char *models;
	int64_t most_us;    /* ends with what was found until then */
};
struct meter_scan *meter_scan_start(struct host *h, const struct meter_scan_conf *conf, meter_check_tell *tell, meter_check_end *end, void *arg,
                                    char *err, size_t errlen);
void meter_scan_stop(struct meter_scan *s); /* without `end` */

#endif
