/* The registers that the models' documents name, and zero or "not implemented" for the others. SunSpec integers carry a power of ten in a
 * register of their own: currents in tenths, powers in tens of watts, so that a feeder of 3000 A fits 16 bits. */
#include "gateway/sim/sim-meter.h"

#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/timer.h"
#include "config.h"
#include "gateway/net/modbus-server.h"
#include "gateway/sim/sim-lines.h"

#define WH_US (3600.0 * US_PER_S)

#define SUNSPEC_BASE 40000
#define COMMON_LENGTH 66
#define METER_LENGTH 105
#define METER_AT (2 + 2 + COMMON_LENGTH) /* behind the marker and the common block, from SUNSPEC_BASE */
#define SUNSPEC_REGS (METER_AT + 2 + METER_LENGTH + 2)
#define NOT_THERE 0x8000

#define SDM630_REGS 0x180

struct values {
	double i_a[3], p_w[3], volts;
	double import_wh, export_wh;
};

struct model {
	const char *name;
	unsigned holding_from, holding, inputs;
	void (*prepare)(modbus_mapping_t *t);
	void (*write)(modbus_mapping_t *t, const struct values *v);
};

struct sim_meter {
	const struct model *model;
	struct modbus_server *server;
	modbus_mapping_t *tables;
	struct values values;
	uint8_t phase[3];
	bool reversed[3];
	enum sim_meter_mode mode;
};

/* --- SunSpec 203: a three-phase meter in wye, integers --- */

static void put_text(uint16_t *at, size_t regs, const char *text)
{
	for (size_t i = 0; i < regs * 2; i++) {
		unsigned char c = *text ? (unsigned char)*text++ : 0;
		at[i / 2] = (uint16_t)(i % 2 ? at[i / 2] | c : c << 8);
	}
}

static void sunspec_prepare(modbus_mapping_t *t)
{
	uint16_t *r = t->tab_registers, *m = r + METER_AT;
	put_text(r, 2, "SunS");
	r[2] = 1;
	r[3] = COMMON_LENGTH;
	put_text(r + 4, 16, "ampgate");
	put_text(r + 20, 16, "simulated meter");
	put_text(r + 44, 8, PACKAGE_VERSION);
	put_text(r + 52, 16, "1");
	r[68] = 1;
	m[0] = 203;
	m[1] = METER_LENGTH;
	for (int i = 2; i < 38; i++)
		m[i] = NOT_THERE;
	r[SUNSPEC_REGS - 2] = 0xFFFF;
}

static uint16_t tenths(double v, double per_unit)
{
	return (uint16_t)(int16_t)lrint(fmax(-32767, fmin(32767, v * per_unit)));
}

static void put_u32(uint16_t *at, double v)
{
	uint32_t n = (uint32_t)fmax(1, fmin(v, UINT32_MAX)); /* 0 would be "not implemented" */
	at[0] = (uint16_t)(n >> 16);
	at[1] = (uint16_t)n;
}

static void sunspec_write(modbus_mapping_t *t, const struct values *v)
{
	uint16_t *m = t->tab_registers + METER_AT;
	m[2] = tenths(v->i_a[0] + v->i_a[1] + v->i_a[2], 10);
	m[6] = (uint16_t)-1;
	m[15] = (uint16_t)-1;
	m[18] = tenths(v->p_w[0] + v->p_w[1] + v->p_w[2], 0.1);
	m[22] = 1;
	for (int i = 0; i < 3; i++) {
		m[3 + i] = tenths(v->i_a[i], 10);
		m[8 + i] = tenths(v->volts, 10);
		m[19 + i] = tenths(v->p_w[i], 0.1);
	}
	put_u32(m + 38, v->export_wh);
	put_u32(m + 46, v->import_wh);
	m[54] = 0;
}

/* --- Eastron SDM630: floats, high word first --- */

static void put_float(uint16_t *regs, unsigned at, double v)
{
	float f = (float)v;
	uint32_t n;
	memcpy(&n, &f, sizeof(n));
	regs[at] = (uint16_t)(n >> 16);
	regs[at + 1] = (uint16_t)n;
}

static void sdm630_prepare(modbus_mapping_t *t)
{
	put_float(t->tab_input_registers, 0x46, 50);
}

static void sdm630_write(modbus_mapping_t *t, const struct values *v)
{
	uint16_t *r = t->tab_input_registers;
	for (unsigned i = 0; i < 3; i++) {
		put_float(r, 2 * i, v->volts);
		put_float(r, 6 + 2 * i, v->i_a[i]);
		put_float(r, 12 + 2 * i, v->p_w[i]);
	}
	put_float(r, 0x34, v->p_w[0] + v->p_w[1] + v->p_w[2]);
	put_float(r, 0x48, v->import_wh / 1000);
	put_float(r, 0x4A, v->export_wh / 1000);
}

static const struct model models[] = {
	[SIM_SUNSPEC_203] = { "sunspec-203", SUNSPEC_BASE, SUNSPEC_REGS, 0, sunspec_prepare, sunspec_write },
	[SIM_SDM630] = { "eastron-sdm630", 0, 0, SDM630_REGS, sdm630_prepare, sdm630_write },
};

int sim_meter_model_parse(const char *text)
{
	for (int i = 0; i < SIM_METER_MODELS; i++) {
		if (strcmp(text, models[i].name) == 0)
			return i;
	}
	return ERR_INVALID;
}

/* --- the meter --- */

int sim_meter_open(enum sim_meter_model model, const char *address, int port, struct sim_meter **out)
{
	static const double nothing[3];
	const struct model *mo = &models[model];
	struct sim_meter *m = NEW(struct sim_meter);
	m->model = mo;
	m->tables = modbus_mapping_new_start_address(0, 0, 0, 0, mo->holding_from, mo->holding, 0, mo->inputs);
	int err = m->tables ? modbus_server_open(address, port, m->tables, &m->server) : ERR_FULL;
	if (err) {
		modbus_mapping_free(m->tables);
		mem_free(m);
		return err;
	}
	mo->prepare(m->tables);
	sim_meter_wiring(m, (const uint8_t[]){ 0, 1, 2 }, (const bool[]){ false, false, false });
	sim_meter_feed(m, nothing, 230, 0);
	*out = m;
	return 0;
}

void sim_meter_close(struct sim_meter *m)
{
	modbus_server_close(m->server);
	modbus_mapping_free(m->tables);
	mem_free(m);
}

int sim_meter_port(const struct sim_meter *m)
{
	return modbus_server_port(m->server);
}

void sim_meter_wiring(struct sim_meter *m, const uint8_t phase[3], const bool reversed[3])
{
	for (int i = 0; i < 3; i++) {
		m->phase[i] = phase[i];
		m->reversed[i] = reversed[i];
	}
}

void sim_meter_feed(struct sim_meter *m, const double i_a[3], double volts, int64_t dt_us)
{
	struct values *v = &m->values;
	double wh = 0;
	v->volts = volts;
	for (int i = 0; i < 3; i++) {
		/* Between voltages of two phases there are 120 degrees. */
		double cosine = (m->phase[i] == i ? 1 : -0.5) * (m->reversed[i] ? -1 : 1);
		v->i_a[i] = i_a[m->phase[i]];
		v->p_w[i] = v->i_a[i] * volts * cosine;
		wh += v->p_w[i] * (double)dt_us / WH_US;
	}
	v->import_wh += fmax(wh, 0);
	v->export_wh += fmax(-wh, 0);
	if (m->mode != SIM_METER_FROZEN)
		m->model->write(m->tables, v);
}

void sim_meter_mode(struct sim_meter *m, enum sim_meter_mode mode)
{
	m->mode = mode;
	modbus_server_silent(m->server, mode == SIM_METER_SILENT);
}

/* --- ampgate sim meter --- */

static const char usage[] =
	"usage: ampgate sim meter [--model sunspec-203|eastron-sdm630] [--port P] [--address A] [--amps L1,L2,L3] [--volts V]\n"
	"\n"
	"A meter over Modbus TCP with the registers of a SunSpec model 203 (default) or an Eastron SDM630. Any unit id is answered. It\n"
	"counts energy from its currents and tells its port on standard output.\n"
	"\n"
	"  --model M      which register map\n"
	"  --port P       default 1502; 0 takes a free one\n"
	"  --address A    where to listen, default 127.0.0.1\n"
	"  --amps A,B,C   currents of L1, L2, L3 at the start, import positive; default 0,0,0\n"
	"  --volts V      between line and neutral, default 230\n"
	"\n"
	"Lines on standard input change it while it runs:\n"
	"  amps 10 12.5 -3   new currents\n"
	"  volts 231         a new voltage\n"
	"  silent            requests are taken and not answered\n"
	"  freeze            the values of this moment are answered from now on\n"
	"  well              back to normal\n"
	"  quit              ends the program, as SIGTERM does\n";

static struct {
	struct sim_meter *meter;
	struct sim_lines lines;
	struct timer step;
	double i_a[3], volts;
	int64_t stepped_us;
} run;

static void on_step(void *arg)
{
	int64_t now = clock_mono_us();
	(void)arg;
	sim_meter_feed(run.meter, run.i_a, run.volts, now - run.stepped_us);
	run.stepped_us = now;
	timer_set(&run.step, US_PER_S / 10, on_step, NULL);
}

static void on_quit(void *arg)
{
	(void)arg;
	loop_stop();
}

static bool obey(struct slice word, struct slice rest)
{
	double three[3];
	if (slice_is(word, "amps") && sim_three(&rest, three)) {
		memcpy(run.i_a, three, sizeof(run.i_a));
	} else if (slice_is(word, "volts")) {
		run.volts = strtod(rest.p, NULL);
	} else if (slice_is(word, "silent")) {
		sim_meter_mode(run.meter, SIM_METER_SILENT);
	} else if (slice_is(word, "freeze")) {
		sim_meter_mode(run.meter, SIM_METER_FROZEN);
	} else if (slice_is(word, "well")) {
		sim_meter_mode(run.meter, SIM_METER_WELL);
	} else if (slice_is(word, "quit")) {
		loop_stop();
	} else {
		return false;
	}
	return true;
}

static void on_line(void *arg, struct slice line)
{
	struct slice rest = line, word = sim_word(&rest);
	(void)arg;
	if (word.n && !obey(word, rest))
		fprintf(stderr, "ampgate sim meter: not understood: %.*s\n", SLICE_ARG(line));
	on_step(NULL);
}

static int serve(enum sim_meter_model model, const char *address, int port)
{
	int err = loop_open();
	if (!err)
		err = loop_on_signal(SIGTERM, on_quit, NULL);
	if (!err)
		err = loop_on_signal(SIGINT, on_quit, NULL);
	if (!err)
		err = sim_meter_open(model, address, port, &run.meter);
	if (err) {
		fprintf(stderr, "ampgate sim meter: %s port %d: %s\n", address, port, err_text(err));
		return 1;
	}
	printf("meter %s at %s port %d\n", models[model].name, address, sim_meter_port(run.meter));
	fflush(stdout);
	run.stepped_us = clock_mono_us();
	on_step(NULL);
	sim_lines_open(&run.lines, STDIN_FILENO, on_line, NULL, NULL);
	err = loop_run();
	sim_lines_close(&run.lines);
	timer_cancel(&run.step);
	sim_meter_close(run.meter);
	loop_close();
	return err ? 1 : 0;
}

int sim_meter_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "model", required_argument, NULL, 'm' }, { "port", required_argument, NULL, 'p' },  { "address", required_argument, NULL, 'a' },
		{ "amps", required_argument, NULL, 'i' },  { "volts", required_argument, NULL, 'v' }, { "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c, model = SIM_SUNSPEC_203, port = 1502;
	const char *address = "127.0.0.1";
	bool wrong = false;
	run.volts = 230;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		struct slice text = slice_of(optarg);
		switch (c) {
		case 'm': wrong |= (model = sim_meter_model_parse(optarg)) < 0; break;
		case 'p': port = atoi(optarg); break;
		case 'a': address = optarg; break;
		case 'i': wrong |= !sim_three(&text, run.i_a); break;
		case 'v': run.volts = atof(optarg); break;
		case 'h': fputs(usage, stdout); return 0;
		default: wrong = true;
		}
	}
	if (wrong || optind < argc) {
		fputs(usage, stderr);
		return 2;
	}
	return serve((enum sim_meter_model)model, address, port);
}
