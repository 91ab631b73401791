/* Everything the configuration says, as plain structs. One load fills one struct settings out of one arena; it is never changed afterwards
 * and dies whole (a reload makes a new one and the old one goes when nobody points into it any more).
 *
 * Units: *_us microseconds, *_ma milliamperes, *_bytes. Texts and lists live as long as the settings. Lists of words end with NULL.
 * References are pointers, NULL where the configuration names nothing. Loop thread only. */
#ifndef AMPGATE_GATEWAY_SETTINGS_H
#define AMPGATE_GATEWAY_SETTINGS_H

#include "base/conf.h"
#include "energy/control.h"
#include "energy/fuse.h"

struct site_settings {
	const char *id, *name, *timezone; /* timezone NULL: UTC */
	bool locked;                      /* the managed layer does not count */
	int voltage_v;                    /* phase to neutral */
};

enum pki { PKI_ELSEWHERE, PKI_LOCAL }; /* who vouches for stations: authorities of the CSMS or the site, or the box's own too */
enum tls_mode { TLS_FILES, TLS_SELF_SIGNED };

struct tls_settings { /* a server certificate */
	const char *id;
	enum tls_mode mode;     /* TLS_SELF_SIGNED: key and certificate are made at the first start, the paths are NULL */
	const char *cert, *key; /* paths of PEM files; cred:NAME is already a path here */
	const char *second_cert, *second_key; /* with the other kind of key; NULL: none */
	const char *client_ca;  /* path; NULL: no client certificates asked for */
	const char *client_crl; /* path of its revocation lists; NULL: nobody looks */
	int pki;                /* enum pki: whether the box's own authority is believed */
	const char *client_o;   /* organisation that they have to name; NULL: any */
	bool old_stations;      /* TLS 1.0 and 1.1 too, with the one suite that they have */
};

struct listener_settings {
	const char *id;
	const char *address;
	int port;
	const struct tls_settings *tls; /* NULL: plain */
	int min_security_profile;       /* 0..3 */
	const char *const *only;        /* the stations that may come here, NULL behind the last; NULL: all */
	int64_t ping_us;                /* 0: no pings */
	int64_t max_message_bytes;
};
bool listener_is_for(const struct listener_settings *l, struct slice station);

struct console_listener_settings {
	const char *address;
	int port;
	const struct tls_settings *tls; /* NULL: plain, loopback only */
	int redirect_from;              /* plain port that sends browsers to the TLS one; 0: none */
};

enum metrics_auth { METRICS_OPEN, METRICS_TOKEN };
struct metrics_settings {
	const char *address;
	int port;
	enum metrics_auth auth;
};

struct user_settings {
	const char *id;
	int role;             /* enum role */
	const char *password; /* as it is typed in; NULL: not available */
};

enum console_login { LOGIN_REQUIRED, LOGIN_NONE };
struct console_settings {
	struct user_settings *users;
	size_t n_users;
	int language;                       /* 0 en, 1 de: of a browser that asks for neither */
	enum console_login login;
	const char *const *names;           /* under which a browser may reach the box, beside its addresses */
	const char *const *frame_ancestors; /* who may show the console in a frame; empty: nobody */
};

enum circuit_kind { CIRCUIT_FEEDER, CIRCUIT_GRID };

struct circuit_settings { /* parents stand before their children */
	const char *id;
	const char *name; /* NULL: none */
	enum circuit_kind kind;
	const struct circuit_settings *parent; /* NULL: the root */
	int32_t limit_ma[3];                   /* per grid phase; 0 on phases it does not have */
	int32_t reserve_ma;                    /* kept free below the limit */
	uint8_t phases;                        /* PHASE_L1 | ... */
	const struct meter_settings *meter;    /* NULL: summed from below */
	int power_limit_w, power_limit_va;     /* of the contract; 0: none. Not both */
	int64_t power_window_us;               /* the mean over this counts; 0: every moment */
	int32_t imbalance_ma;                  /* most that one phase may be above another; 0: any */
	const struct fuse_settings *fuse;      /* NULL: not said */
};

/* What protects a circuit. */
struct fuse_settings {
	enum fuse_type type;
	int32_t rated_ma;
};

/* What draws or feeds and is not ours. */
struct load_settings {
	const char *id;
	enum fixture_kind kind;
	const struct circuit_settings *circuit;
	const struct meter_settings *meter; /* NULL: by estimate */
	int32_t estimate_ma[3];
	bool firm, yields, feeds_cars;      /* struct fixture_conf */
};

enum grid_input_kind { GRID_CONTACT, GRID_RIPPLE, GRID_REGISTER, GRID_SERVER, GRID_COMMAND, GRID_CSMS };
enum grid_counts { GRID_DEVICES, GRID_TOTAL };
enum grid_register_type { GRID_U16, GRID_U32, GRID_S32, GRID_F32 };
/* The value of a register that means no limit. Any other that is no limit is a fault of the input. */
struct grid_no_limit {
	enum { GRID_NO_LIMIT_NEVER, GRID_NO_LIMIT_NAN, GRID_NO_LIMIT_NEGATIVE, GRID_NO_LIMIT_NUMBER } when;
	double number;                      /* GRID_NO_LIMIT_NUMBER: before scale */
};

struct grid_input_settings {
	const char *id;
	enum grid_input_kind kind;
	int priority;                       /* the highest that limits decides */
	int limit_w;                        /* contact: what it asks for; -1: what the devices keep */
	int fail_safe_w;                    /* while it is not known; -1: what the devices keep */
	int64_t debounce_us, stale_after_us, poll_us;
	int64_t hold_us;                    /* least time in fail-safe */
	const char *chip;                   /* contact on a GPIO line of this box; NULL: a Modbus device */
	int line;                           /* of the chip; -1: not said */
	const char *host;                   /* Modbus: over TCP, or on the bus */
	int port, unit;
	const struct bus_settings *bus;
	int input;                          /* contact: number of the discrete input */
	int active_closed;                  /* contact: closed means limited; else open does, and a broken wire too */
	int level[4];                       /* ripple: inputs for 100, 60, 30 and 0 %; -1: not wired */
	int reg;                            /* register: its number */
	int reg_input;                      /* an input register; else a holding register */
	int reg_type;                       /* enum grid_register_type */
	struct grid_no_limit no_limit;      /* register: what lifts the limit */
	double scale;                       /* watts per unit of the register */
	const char *address;                /* server: to listen on */
	const char *plugin, *options;       /* read by one of plugins.load, and JSON for it; NULL: none */
	const struct uplink_settings *uplink; /* csms: by whose own_identity it speaks */
};

/* A controllable device at the connection that is none of our EVSEs and shares what they keep while dimmed. */
enum grid_other_kind { GRID_HEAT_PUMP, GRID_COOLING, GRID_STORAGE, GRID_OTHER };
struct grid_other_settings {
	const char *id;
	enum grid_other_kind kind;
	int rated_w;
	int dimmed_w;                       /* what it takes at most while dimmed; -1: its rated power */
	const struct meter_settings *meter; /* what it does take; NULL: nothing measures it */
};

struct grid_settings {
	const struct circuit_settings *circuit; /* NULL: the grid connection */
	enum grid_counts counts;
	int dim_to_w;                       /* what a single device keeps */
	int devices;                        /* controllable ones; 0: the EVSEs below the circuit, and the others */
	int rated_w;                        /* 100 % of a ripple receiver; 0: what the EVSEs can take */
	struct grid_other_settings *others;
	size_t n_others;
	struct grid_input_settings *inputs;
	size_t n_inputs;
};

/* Times of the week at which a circuit has less. */
struct schedule_settings {
	const char *id;
	const struct circuit_settings *circuit;
	unsigned days;                      /* bit 0: Monday */
	int from_min, to_min;               /* of the local day; to before from: over midnight */
	int32_t limit_ma;                   /* per phase, base load included; 0: not said */
	int charging_w;                     /* of charging below it; -1: not said */
	int import_w;                       /* of the circuit; surplus comes on top; -1: not said */
};

struct price_settings {
	int from_min;                       /* of the local day, until the next one */
	double price;
};

/* What happens while energy is dear. */
struct tariff_settings {
	const char *id;
	const struct circuit_settings *circuit;
	struct price_settings *prices;      /* of every day, sorted; prices that are sent go before them */
	size_t n_prices;
	double above;                       /* dear from here */
	int32_t limit_ma;
	int charging_w, import_w;
};

struct bus_settings { /* a serial Modbus line, 8 data bits */
	const char *id;
	const char *device;
	int baud;
	char parity; /* 'N' (two stop bits, as the Modbus standard asks), 'E', 'O' */
};

enum meter_driver { METER_MODBUS_TCP, METER_MODBUS_RTU, METER_SIM, METER_PLUGIN };

struct meter_settings {
	const char *id; /* "R-01" for the meter inside evses.R-01 */
	enum meter_driver driver;
	const char *model; /* name of a register map; NULL for sim */
	const char *host;  /* modbus-tcp */
	int port, unit;
	const struct bus_settings *bus; /* modbus-rtu */
	int64_t poll_us, stale_after_us;
	double ct_ratio;
	bool invert; /* import and export swapped */
	const char *plugin;  /* METER_PLUGIN: one of plugins.load */
	const char *options; /* for it, JSON; NULL: none */
};

/* Drivers from files. */
struct plugins_settings {
	const char *dir;
	const char *const *load; /* names of files without .so */
};


/* Where telemetry goes beside the broker. */
struct sink_settings {
	const char *id;
	const char *plugin, *options; /* one of plugins.load, and JSON for it; NULL: none */
	const char *const *commands;  /* verbs that may come by it; empty: none */
};

struct meter_lost_settings {
	int64_t after_us; /* counted from the moment the readings are stale */
	enum meter_lost limit;
	int32_t limit_ma; /* LOST_AMPS: per EVSE */
};

enum margin_choice { MARGIN_AUTO, MARGIN_ON, MARGIN_OFF };
#define DURATION_AUTO (-1)
#define AMPS_AUTO (-1)

struct balancing_settings {
	int64_t interval_us;
	enum strategy strategy;
	int32_t min_current_ma; /* default of the stations too */
	int64_t rotate_every_us;
	int64_t rebalance_us;   /* or DURATION_AUTO */
	enum margin_choice margin;
	struct {
		int64_t after_us; /* or DURATION_AUTO */
		int32_t step_ma;  /* or AMPS_AUTO */
	} increase;
	struct meter_lost_settings on_meter_lost;
	int64_t decision_log_bytes; /* 0: none */
};

enum validation { VALIDATION_LENIENT, VALIDATION_STRICT, VALIDATION_OFF };

/* A charging station on the network, station_defaults already merged in. */
struct station_settings {
	const char *id; /* identity as connected */
	const char *name;
	const struct circuit_settings *circuit; /* NULL only for strangers that wait to be accepted */
	const char *rotation;  /* OCPP word: "RST" ... */
	uint8_t grid_phase[3]; /* station phase 1..3 (index 0..2) -> grid phase 0..2 */
	uint8_t phases;        /* grid phases it can draw from */
	int evses;             /* 1.. */
	int dc;                /* 0 ac, 1 dc: limits are powers, and what it draws is told by its power */
	int32_t max_current_ma, min_current_ma, fallback_current_ma; /* per EVSE and phase of the grid */
	int64_t max_power_w, min_power_w, fallback_power_w; /* dc: what a car gets; the currents come from there */
	double efficiency;     /* dc: of what it draws, this part reaches the car */
	int64_t switch_phases_after_us; /* it can charge on one phase alone; least time between two changes, 0: it cannot */
	int32_t step_ma;       /* its set-points are multiples of this; 0: any */
	int priority;          /* higher is served first */
	const struct uplink_settings *uplink; /* NULL: never forwarded */
	const char *uplink_id;       /* identity towards the CSMS; equals id unless configured */
	const char *certificate_cn;  /* CN of its certificate under security profile 3; NULL: its id */
	const char *password;        /* what the station has to show; NULL: nothing is asked */
	bool password_relay;         /* its own credential is shown to the CSMS, password is NULL */
	const char *uplink_password; /* what we show the CSMS for it; NULL: none, or password_relay */
	const char *const *subprotocols; /* in order of preference: "ocpp2.0.1", ... */
	int min_security_profile;
	int64_t meter_interval_us;
	int64_t limit_response_us; /* from a limit to the current; 0: as its model's data file says */
	enum validation validation;
	const char *replaces;     /* the station whose numbers in a group it takes over; NULL: none */
};

enum onboarding_mode { ONBOARDING_MANUAL, ONBOARDING_REJECT, ONBOARDING_AUTO };

struct onboarding_settings {
	enum onboarding_mode mode;
	const struct circuit_settings *circuit; /* ONBOARDING_AUTO */
};

enum evse_driver { EVSE_MODBUS_RELAY, EVSE_SIM, EVSE_GPIO_RELAY, EVSE_PILOT_BOARD, EVSE_MODBUS_EVSE, EVSE_PLUGIN };
enum { AUTHORIZE_FREE = 1, AUTHORIZE_REMOTE = 2, AUTHORIZE_LOCAL_LIST = 4, AUTHORIZE_CACHE = 8, AUTHORIZE_SCHEDULE = 16 };

/* One bit: of a Modbus device, over TCP (host) or on a bus, or a line of a GPIO chip. */
struct io_point {
	const char *host; /* NULL: on the bus */
	int port, unit;
	const struct bus_settings *bus;
	int address; /* number of the coil or discrete input, from 0 */
	const char *chip; /* "gpiochip0", or a path; NULL: a Modbus device */
	int line;
	int active; /* 0 high, 1 low */
};

/* A board on a serial line that drives and measures a control pilot. */
struct board_settings {
	const char *device;
	int baud;
};

/* A charge controller that knows charging by itself, behind Modbus. */
struct controller_settings {
	const char *model; /* name of a register map */
	const char *host;  /* NULL: on the bus */
	int port, unit;
	const struct bus_settings *bus;
};

enum reader_driver { READER_KEYBOARD, READER_SERIAL, READER_PLUGIN };

/* A card reader. EVSEs that name the same device, or plugin with the same options, share it. */
struct reader_settings {
	enum reader_driver driver;
	const char *device;           /* NULL with a plugin */
	int baud; /* serial */
	const char *plugin, *options; /* READER_PLUGIN: one of plugins.load, and JSON for it; NULL: none */
};

/* An EVSE that this box runs itself. */
struct evse_settings {
	const char *id;
	const char *station; /* the station it belongs to, and that one's identity; its id unless said */
	int evse;            /* its number there, from 1, in the order of the file */
	const struct circuit_settings *circuit;
	const struct uplink_settings *uplink; /* NULL: never leaves the box */
	const char *uplink_password;          /* NULL: none */
	enum evse_driver driver;
	const char *rotation;  /* as a station's */
	uint8_t grid_phase[3];
	uint8_t phases;        /* of the grid */
	int version;        /* as a station: 0 OCPP 1.6, 1 OCPP 2.0.1 */
	int32_t current_ma; /* most per phase; without a pilot all or nothing */
	int64_t switch_phases_after_us; /* its second contactor opens L2 and L3 alone; least time between two changes, 0: it has none or may not */
	bool pilot;         /* it can be told how much: set by the driver, for sim and plugin by the setting */
	bool wake;          /* sleeping cars are woken */
	const char *file;   /* sim: what moves it; NULL: none */
	const struct io_point *contactor; /* NULL where the driver needs none */
	const struct io_point *feedback;  /* NULL: no welded-contact check */
	const struct io_point *plugged, *emergency_stop, *residual_current, *mains, *heartbeat; /* NULL: not wired */
	const struct board_settings *board;           /* pilot-board */
	const struct controller_settings *controller; /* modbus-evse */
	const char *plugin, *options;         /* EVSE_PLUGIN: one of plugins.load, and JSON for it; NULL: none */
	const struct reader_settings *reader;         /* NULL: none */
	const char *const *hours;                     /* AUTHORIZE_SCHEDULE: "22:00-06:00" local time */
	const struct meter_settings *meter;   /* NULL: none */
	unsigned authorize;                   /* AUTHORIZE_... */
	const char *token;                    /* idToken of sessions under AUTHORIZE_FREE */
};

struct endpoint_settings {
	const char *url; /* ws:// or wss://; always holds {id}, which stands for the percent-encoded identity */
	int priority;    /* the lowest is tried first; the array is sorted */
};

enum uplink_mode { UPLINK_PER_STATION, UPLINK_AGGREGATE, UPLINK_MULTIPLEX }; /* one lane per station; one for all of them, as one station; one
                                                                                lane per station, in one connection */
enum uplink_version { UPLINK_AS_STATION, UPLINK_FIRST_VERSION }; /* each lane speaks what its station speaks; or one for all, counted as in
                                                                    ocpp/version.h */
enum on_loss { ON_LOSS_HOLD, ON_LOSS_MIRROR };
enum compress { COMPRESS_AUTO, COMPRESS_ALWAYS, COMPRESS_NEVER };

struct uplink_settings {
	const char *id;
	enum uplink_mode mode;
	enum uplink_version version;
	enum on_loss on_loss;
	struct endpoint_settings *endpoints;
	size_t n_endpoints;
	int64_t failback_after_us;
	int security_profile; /* 0..3 */
	const char *user;     /* Basic user; {id} in it stands for the identity towards the CSMS */
	const char *password; /* as written: "cred:uplink-{id}"; resolved in station_settings and evse_settings. NULL: none */
	const char *ca, *cert, *key; /* paths; NULL: system trust, no client certificate */
	struct {
		int64_t min_us, max_us;
		int jitter_percent;
	} reconnect;
	int64_t ping_us, call_timeout_us; /* ping 0: none */
	int message_attempts;             /* failures after which a transaction message is set aside */
	const char *const *interfaces;    /* in order of preference; empty: as the system routes */
	int drain_parallel;               /* late messages on their way at once, of all stations */
	int64_t message_retry_us;         /* pause before the second attempt; twice this before the third, and so on */
	int compress;             /* enum compress */
	bool check_name;
	int ocsp;                 /* enum tls_ocsp */
	int pki;                  /* enum pki: who answers SignCertificate of stations */
	const char *own_identity; /* of the box itself, as a station without EVSEs; NULL: it has none */
	bool additional_root_check; /* a root that the CSMS installs has to be signed by the one before, and takes its place */
	int own_version;          /* enum ocpp_version */
	const char *own_password; /* NULL: none */
	/* UPLINK_AGGREGATE */
	const char *identity;         /* of the group towards the CSMS; NULL otherwise */
	const char *vendor, *model;   /* what it says it is */
	const char *group_password;   /* what it shows the CSMS; NULL: none */
	const struct circuit_settings *group_circuit; /* that a limit for the whole is for: given, or found; NULL: none feeds the group alone */
};

enum { OFFLINE_LOCAL_LIST = 1, OFFLINE_CACHE = 2, OFFLINE_ALL = 4 };

enum ask_order { ASK_CSMS_FIRST, ASK_LIST_FIRST, ASK_BOTH, ASK_LIST_ONLY };
enum on_refused { REFUSED_STOP, REFUSED_REPORT };

struct authorization_settings {
	int order;      /* enum ask_order */
	int on_refused; /* enum on_refused */
};

enum serve_time { SERVE_TRUSTED_TIME, SERVE_ANY_TIME };

enum when_full { FULL_THIN, FULL_REFUSE };

struct offline_settings {
	unsigned authorize; /* OFFLINE_... */
	int64_t cache_lifetime_us; /* 0: for ever */
	int serve_time;            /* enum serve_time */
	struct {
		int64_t max_age_us, max_size_bytes;
		int when_full;         /* enum when_full */
	} queue;
};

struct mqtt_settings {
	const char *url;  /* NULL: no MQTT */
	const char *host; /* the parts of url */
	int port;
	bool tls;
	int protocol; /* 5, or 4 for MQTT 3.1.1 */
	const char *username, *password, *base, *ca;
	int64_t telemetry_interval_us;
	int64_t backlog_max_age_us;
	struct {
		bool enabled;
		const char *prefix;
	} homeassistant;
	struct {
		bool enabled;
		const char *group_id, *edge_node; /* edge_node NULL: the site's id */
		const char *primary_host;         /* NULL: none is waited for */
	} sparkplug;
	const char *const *commands; /* allowed verbs; empty: none */
};

struct log_settings {
	int level;  /* enum log_level */
	int target; /* enum log_target */
};

struct firmware_settings {
	const char *hook;    /* program that installs firmware of the box; NULL: none, the CSMS cannot update it */
	int64_t confirm_us;  /* a new program has to be accepted by the CSMS within this */
};

struct control_settings {
	const char *socket; /* path */
};

struct settings {
	int version;
	struct site_settings site;
	struct listener_settings *listeners;
	size_t n_listeners;
	const struct console_listener_settings *console_listener; /* NULL: none */
	const struct metrics_settings *metrics;                   /* NULL: no listener of their own */
	struct console_settings console;
	struct tls_settings *tls;
	size_t n_tls;
	struct circuit_settings *circuits;
	size_t n_circuits;
	struct bus_settings *buses;
	size_t n_buses;
	struct meter_settings *meters; /* without those inside evses */
	size_t n_meters;
	struct balancing_settings balancing;
	struct station_settings station_defaults; /* id NULL */
	struct station_settings *stations;
	size_t n_stations;
	struct onboarding_settings onboarding;
	struct evse_settings *evses;
	size_t n_evses;
	struct load_settings *loads;
	size_t n_loads;
	const struct grid_settings *grid; /* NULL: no limits of the grid operator */
	struct schedule_settings *schedules;
	size_t n_schedules;
	struct tariff_settings *tariffs;
	size_t n_tariffs;
	struct uplink_settings *uplinks;
	size_t n_uplinks;
	struct authorization_settings authorization;
	struct offline_settings offline;
	struct mqtt_settings mqtt;
	struct log_settings log;
	struct control_settings control;
	struct firmware_settings firmware;
	struct plugins_settings plugins;
	struct sink_settings *sinks;
	size_t n_sinks;
	const char *models; /* directory of meter models before the installed ones; NULL: none */
	const char *station_models; /* directory of station models instead of the installed ones; NULL: none */

	struct settings_source *source; /* private: tree, arena, indexes */
};

/* Where configuration comes from. Zero-initialise; NULL members take the installed places. */
struct settings_files {
	const char *main_file;   /* required */
	const char *built_in;    /* NULL, or a text in place of the main file, which is then its name in messages */
	const char *confd;       /* directory of *.yaml, read in the order of their names; NULL: none */
	const char *managed;     /* the layer that the program itself writes, over all others; NULL or not there: none */
	const char *managed_text; /* NULL, or a text in place of that file */
	const struct conf_node *over; /* NULL, or a layer over all of them that is only tried */
	const char *credentials; /* directory of secrets, after $CREDENTIALS_DIRECTORY; NULL: SYSCONF_DIR/credentials */
	const char *models;      /* directory of meter models before the installed ones; NULL: SYSCONF_DIR/models and DATA_DIR/models only */
	const char *stations;    /* directory of station models; NULL: DATA_DIR/stations. Those of SYSCONF_DIR/stations come first */
};

/* Reads, merges, types and links everything. 0 with *out; else *out is NULL: ERR_AUTH when nothing but secrets is missing, ERR_SYNTAX,
 * ERR_INVALID or an I/O error. Either way the report holds what there is to say. Not yet checked: files, ports and the electrical proofs
 * (gateway/conf/check.h). */
int settings_load(const char *main_file, const char *confd, struct settings **out, struct conf_report *report) MUST_CHECK;
int settings_load_files(const struct settings_files *files, struct settings **out, struct conf_report *report) MUST_CHECK;
void settings_free(struct settings **s);

/* The files that make up a configuration, in the order in which they are laid over each other: each with its path and its name relative to
 * where it belongs ("ampgate.yaml", "conf.d/20-mqtt.yaml", "managed.yaml"). The managed layer only if it is there. 0, or what the first
 * failure was; messages are settings_load's business. */
int settings_each_file(const struct settings_files *files, int (*each)(void *arg, const char *path, const char *name), void *arg) MUST_CHECK;

/* What differs from `a` to `b`: see conf_diff. */
void settings_diff(const struct settings *a, const struct settings *b, void (*each)(void *arg, const struct conf_change *c), void *arg);

/* By identity as connected (exact); NULL: nobody of that name is configured. */
const struct station_settings *settings_station(const struct settings *s, struct slice identity);
const struct evse_settings *settings_evse(const struct settings *s, struct slice id);
/* Power that reaches the car per watt at the grid's nominal voltage, times that of messages (230 V a phase): what an ampere of the grid becomes
 * in a limit for this station. 1 unless it is dc. */
double settings_wire_share(const struct settings *s, const struct station_settings *st);
int32_t settings_own_min_ma(const struct evse_settings *e); /* less than this it cannot be told: all without a pilot, else 6 A */
/* The first EVSE of a station of the box's own, and how many it has; NULL: there is no such station. */
const struct evse_settings *settings_own_station(const struct settings *s, struct slice identity, int *n_out);
const struct evse_settings *settings_own_evse(const struct settings *s, struct slice identity, int evse); /* NULL: none */

/* The settings of a station that the file does not name: station_defaults, the circuit of onboarding.auto, its own passwords. Allocated
 * in `mem`; points into `s`. Secrets that do not exist are NULL. */
struct station_settings *settings_stranger(const struct settings *s, struct slice identity, struct arena *mem);

/* The effective configuration as YAML, secrets masked; with `origin` each key says its file and line. */
void settings_print(const struct settings *s, bool origin, struct buf *out);
/* For forms, see conf_write_schema and conf_write_values; and the messages about `files`, each with the path of its key. */
struct json_writer;
void settings_write_schema(const char *key, struct json_writer *w);
void settings_write_values(const struct settings *s, const char *key, struct json_writer *w);
void settings_write_messages(const struct settings_files *files, const struct conf_report *report, const char *key, struct json_writer *w);
/* docs/CONFIG.md. */
void settings_write_doc(struct buf *out);
/* The part of ampgate.yaml(5) between its marks. */
void settings_write_man(struct buf *out);

#endif
