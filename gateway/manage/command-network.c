/* Where the box is in its network, as an installer has to know it: addresses by which stations reach it, the way out, and its sockets. What it says is
 * read from the system at that moment; the program changes nothing of it, that is the system's business. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "gateway/manage/command.h"

#define NAMESERVERS_MOST 4

static bool address_text(const struct sockaddr *sa, char *out, size_t size)
{
	const void *raw = sa->sa_family == AF_INET ? (const void *)&((const struct sockaddr_in *)(const void *)sa)->sin_addr
		: (const void *)&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
	return inet_ntop(sa->sa_family, raw, out, (socklen_t)size) != NULL;
}

static bool is_link_local(const char *text)
{
	return strncmp(text, "fe80:", 5) == 0 || strncmp(text, "169.254.", 8) == 0;
}

static void write_addresses(const struct ifaddrs *all, struct json_writer *w)
{
	char text[INET6_ADDRSTRLEN];
	jw_array(w, "addresses");
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (!i->ifa_addr || (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6) || !address_text(i->ifa_addr, text, sizeof(text)))
			continue;
		jw_object(w, NULL);
		jw_string(w, "interface", i->ifa_name);
		jw_string(w, "address", text);
		jw_bool(w, "up", i->ifa_flags & IFF_RUNNING);
		jw_bool(w, "loopback", i->ifa_flags & IFF_LOOPBACK);
		jw_bool(w, "link_local", is_link_local(text));
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

/* The route to everywhere of the kernel's table: its addresses are hexadecimal in the order of the wire. */
static void write_gateway(struct json_writer *w)
{
	char line[256], name[IF_NAMESIZE] = "", text[INET_ADDRSTRLEN] = "";
	unsigned to, via;
	FILE *f = fopen("/proc/net/route", "re");
	while (f && !*text && fgets(line, sizeof(line), f))
		if (sscanf(line, "%15s %x %x", name, &to, &via) == 3 && to == 0 && via != 0)
			inet_ntop(AF_INET, &(struct in_addr){ via }, text, sizeof(text));
	if (f)
		fclose(f);
	jw_string(w, "gateway", *text ? text : NULL);
	jw_string(w, "gateway_interface", *text ? name : NULL);
}

static void write_nameservers(struct json_writer *w)
{
	char line[256], text[64];
	int n = 0;
	FILE *f = fopen("/etc/resolv.conf", "re");
	jw_array(w, "nameservers");
	while (f && n < NAMESERVERS_MOST && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " nameserver %63s", text) != 1)
			continue;
		jw_string(w, NULL, text);
		n++;
	}
	if (f)
		fclose(f);
	jw_end(w, ']');
}

static void write_listener(const char *kind, const char *id, const char *address, int port, bool tls, struct json_writer *w)
{
	jw_object(w, NULL);
	jw_string(w, "kind", kind);
	jw_string(w, "id", id);
	jw_string(w, "address", address);
	jw_int(w, "port", port);
	jw_bool(w, "tls", tls);
	jw_end(w, '}');
}

static void write_listeners(const struct settings *s, struct json_writer *w)
{
	jw_array(w, "listeners");
	for (size_t i = 0; i < s->n_listeners; i++)
		write_listener("ocpp", s->listeners[i].id, s->listeners[i].address, s->listeners[i].port, s->listeners[i].tls != NULL, w);
	if (s->console_listener)
		write_listener("console", NULL, s->console_listener->address, s->console_listener->port, s->console_listener->tls != NULL, w);
	jw_end(w, ']');
}

int run_network_show(struct command *c)
{
	struct json_writer *w = &c->w;
	struct ifaddrs *all = NULL;
	char host[256] = "";
	if (getifaddrs(&all) != 0)
		return command_fail(c, COMMAND_FAILED, "the system does not tell its addresses");
	jw_object(w, NULL);
	jw_string(w, "hostname", gethostname(host, sizeof(host) - 1) == 0 ? host : NULL);
	write_addresses(all, w);
	write_gateway(w);
	write_nameservers(w);
	write_listeners(c->g->conf, w);
	jw_bool(w, "clock_trusted", clock_trusted());
	jw_time(w, "at", clock_wall_us());
	jw_end(w, '}');
	freeifaddrs(all);
	return COMMAND_OK;
}
