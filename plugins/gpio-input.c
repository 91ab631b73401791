/* A contact of the grid operator on a GPIO line of this box: between the line, which has a pull-up resistor, and ground. So closed reads low.
 *
 *   {"chip": "gpiochip0", "line": 22}
 *
 * The contact is ag_grid_state's bit 0. A broken wire reads as open. A chip that is not there, or comes later, is a reading that fails. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "plugins/gpio.h"
#include "plugins/plugins.h"

struct input {
	struct gpio_line line;
	char id[64];
	char fault[200];
};

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	(void)h;
	cJSON *config = json_parse(slice_of(config_json));
	struct slice chip = json_text(config, "chip");
	int64_t line = json_int(config, "line", -1);
	struct input *in = NEW(struct input);
	in->line = (struct gpio_line){ .line = (unsigned)line, .active_low = true, .fd = -1 };
	snprintf(in->line.chip, sizeof(in->line.chip), "%.*s", (int)(chip.p ? chip.n : 0), chip.p ? chip.p : "");
	cJSON_Delete(config);
	snprintf(in->id, sizeof(in->id), "%s", id);
	if (in->line.chip[0] && line >= 0) {
		*self = in;
		return 0;
	}
	snprintf(err, errlen, "'chip' or 'line' is missing");
	mem_free(in);
	return ERR_INVALID;
}

static void destroy(void *self)
{
	struct input *in = self;
	gpio_close(&in->line);
	mem_free(in);
}

static int grid_poll(void *self, ag_grid_state *out)
{
	struct input *in = self;
	bool closed = false;
	*out = (ag_grid_state){ .value = NAN };
	in->fault[0] = 0;
	int rc = in->line.fd < 0 ? gpio_input(&in->line, in->id, in->fault, sizeof(in->fault)) : 0;
	if (rc == 0)
		rc = gpio_get(&in->line, &closed, in->fault, sizeof(in->fault));
	if (rc != 0)
		gpio_close(&in->line);
	else
		*out = (ag_grid_state){ .closed = closed, .known = 1, .value = NAN };
	return rc;
}

static const char *why(void *self)
{
	struct input *in = self;
	return in->fault;
}

const ag_plugin *plugin_gpio_input(void)
{
	static const ag_plugin plugin = {
		.size = sizeof(plugin),
		.abi = AMPGATE_PLUGIN_ABI,
		.kinds = AG_GRID,
		.name = "gpio-input",
		.version = "1",
		.license = "as ampgate",
		.config_schema = "{\"chip\":\"gpiochip0, or a path\",\"line\":\"number\"}",
		.create = create,
		.destroy = destroy,
		.grid_poll = grid_poll,
		.fault = why,
	};
	return &plugin;
}
