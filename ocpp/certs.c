/* 1.6 calls the root of the CSMS CentralSystemRootCertificate and asks for one type at a time; 2.x has more types, lists of them, and nests
 * each hash in a chain. */
#include "ocpp/certs.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "ocpp/splice.h"

static struct slice type_of(struct slice word)
{
	return slice_is(word, "CentralSystemRootCertificate") ? SLICE("CSMSRootCertificate") : word;
}

void certificate_ask_read(struct frame *f, struct certificate_ask *out)
{
	const cJSON *tree = frame_tree(f);
	struct slice chain = json_text(tree, "certificateChain");
	*out = (struct certificate_ask){
		.type = type_of(json_text(tree, "certificateType")),
		.pem = chain.p ? chain : json_text(tree, "certificate"),
		.algorithm = json_text(tree, "certificateHashData.hashAlgorithm"),
		.name_hash = json_text(tree, "certificateHashData.issuerNameHash"),
		.key_hash = json_text(tree, "certificateHashData.issuerKeyHash"),
		.serial = json_text(tree, "certificateHashData.serialNumber"),
	};
}

bool certificate_ask_is(const struct certificate_ask *a, const struct certificate_id *id)
{
	return slice_is(a->algorithm, id->algorithm) && slice_eq_nocase(a->name_hash, slice_of(id->name_hash)) &&
	       slice_eq_nocase(a->key_hash, slice_of(id->key_hash)) && slice_eq_nocase(a->serial, slice_of(id->serial));
}

bool certificates_wanted(struct frame *f, const char *type)
{
	const cJSON *wanted = json_at(frame_tree(f), "certificateType"), *item;
	bool found = !wanted;
	if (cJSON_IsString(wanted))
		return slice_is(type_of(slice_of(wanted->valuestring)), type);
	cJSON_ArrayForEach(item, wanted) {
		if (cJSON_IsString(item) && strcmp(item->valuestring, type) == 0)
			found = true;
	}
	return found;
}

static void write_hashes(struct json_writer *w, const char *key, const struct certificate_id *id)
{
	jw_object(w, key);
	jw_string(w, "hashAlgorithm", id->algorithm);
	jw_string(w, "issuerNameHash", id->name_hash);
	jw_string(w, "issuerKeyHash", id->key_hash);
	jw_string(w, "serialNumber", id->serial);
	jw_end(w, '}');
}

static void write_chain(struct json_writer *w, const struct certificate_id *id)
{
	jw_object(w, NULL);
	jw_string(w, "certificateType", id->type);
	write_hashes(w, "certificateHashData", id);
	jw_end(w, '}');
}

void certificates_write_answer(const struct frame *asked, const struct certificate_id *ids, size_t n, struct buf *payload)
{
	bool chains = asked->version != OCPP16;
	struct json_writer w;
	jw_open(&w, payload);
	jw_object(&w, NULL);
	jw_string(&w, "status", n ? "Accepted" : "NotFound");
	if (n)
		jw_array(&w, chains ? "certificateHashDataChain" : "certificateHashData");
	for (size_t i = 0; i < n; i++) {
		if (chains)
			write_chain(&w, &ids[i]);
		else
			write_hashes(&w, NULL, &ids[i]);
	}
	if (n)
		jw_end(&w, ']');
	jw_end(&w, '}');
}

int certificate_write_request(enum ocpp_version v, const char *type, struct slice csr, struct buf *payload, const struct action **act_out)
{
	struct json_writer w;
	*act_out = catalogue_find(v, SLICE("SignCertificate"));
	if (!*act_out)
		return ERR_UNSUPPORTED;
	jw_open(&w, payload);
	jw_object(&w, NULL);
	jw_text(&w, "csr", csr);
	if (v != OCPP16)
		jw_string(&w, "certificateType", type);
	jw_end(&w, '}');
	return 0;
}

/* --- between versions --- */

/* NULL: this version has no such type. */
static const char *type_word(enum ocpp_version v, struct slice type)
{
	static const char *const known[] = { "V2GRootCertificate", "MORootCertificate", "CSMSRootCertificate", "ManufacturerRootCertificate", "V2GCertificateChain" };
	if (v == OCPP16)
		return slice_is(type, "CSMSRootCertificate") ? "CentralSystemRootCertificate" : slice_is(type, "ManufacturerRootCertificate") ? "ManufacturerRootCertificate" : NULL;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (slice_is(type, known[i]))
			return known[i];
	return v == OCPP21 && slice_is(type, "OEMRootCertificate") ? "OEMRootCertificate" : NULL;
}

static int convert_install(enum ocpp_version to, const struct certificate_ask *a, struct json_writer *w)
{
	const char *type = type_word(to, a->type);
	if (!type)
		return ERR_UNSUPPORTED;
	jw_string(w, "certificateType", type);
	jw_text(w, "certificate", a->pem);
	return 0;
}

/* 1.6 knows one certificate of a station and does not name its type; 2.x takes none said for that one. */
static int convert_signed(enum ocpp_version to, const struct certificate_ask *a, const cJSON *tree, struct json_writer *w)
{
	bool plain = !a->type.p || slice_is(a->type, "ChargingStationCertificate");
	struct slice csr = json_text(tree, "csr");
	if (to == OCPP16 && !plain)
		return ERR_UNSUPPORTED;
	jw_text(w, csr.p ? "csr" : "certificateChain", csr.p ? csr : a->pem);
	if (to != OCPP16 && a->type.p)
		jw_text(w, "certificateType", a->type);
	return 0;
}

int certificate_convert(enum ocpp_version to, struct frame *f, struct buf *payload, const struct action **act_out)
{
	struct certificate_ask a;
	struct json_writer w;
	size_t from = payload->n;
	int err = ERR_UNSUPPORTED;
	certificate_ask_read(f, &a);
	*act_out = f->act->versions & 1 << to ? f->act : NULL;
	if (!*act_out)
		return err;
	jw_open(&w, payload);
	jw_object(&w, NULL);
	if (strcmp(f->act->name, "InstallCertificate") == 0)
		err = convert_install(to, &a, &w);
	else if (strcmp(f->act->name, "CertificateSigned") == 0 || strcmp(f->act->name, "SignCertificate") == 0)
		err = convert_signed(to, &a, frame_tree(f), &w);
	jw_end(&w, '}');
	if (err)
		payload->n = from;
	return err;
}

int certificates_write_query(enum ocpp_version v, const char *type, struct buf *payload, const struct action **act_out)
{
	const char *word = type_word(v, slice_of(type));
	*act_out = catalogue_find(v, SLICE("GetInstalledCertificateIds"));
	if (!word || !*act_out)
		return ERR_UNSUPPORTED;
	buf_printf(payload, v == OCPP16 ? "{\"certificateType\":\"%s\"}" : "{\"certificateType\":[\"%s\"]}", word);
	return 0;
}

bool certificates_entry(const struct frame *answer, size_t i, const char *type, enum ocpp_version to, struct buf *out)
{
	bool chains = answer->version != OCPP16;
	char path[64];
	snprintf(path, sizeof(path), "%s.%zu", chains ? "certificateHashDataChain" : "certificateHashData", i);
	struct slice one = splice_find(answer->payload, path);
	if (!one.n)
		return false;
	if (chains && to == OCPP16)
		one = splice_find(one, "certificateHashData");
	if (chains || to == OCPP16)
		buf_slice(out, one);
	else
		buf_printf(out, "{\"certificateType\":\"%s\",\"certificateHashData\":%.*s}", type, SLICE_ARG(one));
	return true;
}

void certificates_write_entries(enum ocpp_version v, struct slice list, size_t n, struct buf *payload)
{
	if (n)
		buf_printf(payload, "{\"status\":\"Accepted\",\"%s\":[%.*s]}", v == OCPP16 ? "certificateHashData" : "certificateHashDataChain", SLICE_ARG(list));
	else
		buf_puts(payload, "{\"status\":\"NotFound\"}");
}

static int write_words(enum ocpp_version v, const char *action, const char *const words[][2], size_t n, struct buf *payload, const struct action **act_out)
{
	struct json_writer w;
	*act_out = catalogue_find(v, slice_of(action));
	if (!*act_out)
		return ERR_UNSUPPORTED;
	jw_open(&w, payload);
	jw_object(&w, NULL);
	for (size_t i = 0; i < n; i++)
		jw_string(&w, words[i][0], words[i][1]);
	jw_end(&w, '}');
	return 0;
}

int certificate_write_signed(enum ocpp_version v, struct slice chain, struct buf *payload, const struct action **act_out)
{
	struct arena mem = { 0 };
	const char *const words[][2] = { { "certificateChain", arena_text(&mem, chain) }, { "certificateType", "ChargingStationCertificate" } };
	int err = write_words(v, "CertificateSigned", words, v == OCPP16 ? 1 : 2, payload, act_out);
	arena_free(&mem);
	return err;
}

int certificate_write_root(enum ocpp_version v, struct slice pem, struct buf *payload, const struct action **act_out)
{
	struct arena mem = { 0 };
	const char *const words[][2] = { { "certificateType", v == OCPP16 ? "CentralSystemRootCertificate" : "CSMSRootCertificate" },
		{ "certificate", arena_text(&mem, pem) } };
	int err = write_words(v, "InstallCertificate", words, 2, payload, act_out);
	arena_free(&mem);
	return err;
}

int certificate_write_trigger(enum ocpp_version v, struct buf *payload, const struct action **act_out)
{
	const char *const words[][2] = { { "requestedMessage", v == OCPP16 ? "SignChargePointCertificate" : "SignChargingStationCertificate" } };
	return write_words(v, v == OCPP16 ? "ExtendedTriggerMessage" : "TriggerMessage", words, 1, payload, act_out);
}

struct slice certificate_request_of(struct frame *f)
{
	const cJSON *tree = frame_tree(f);
	struct slice type = json_text(tree, "certificateType");
	if (!slice_is(f->action, "SignCertificate") || (type.p && !slice_is(type, "ChargingStationCertificate")))
		return (struct slice){ 0 };
	return json_text(tree, "csr");
}

void certificates_entry_of(const struct certificate_id *id, enum ocpp_version to, struct buf *out)
{
	struct json_writer w;
	jw_open(&w, out);
	if (to == OCPP16)
		write_hashes(&w, NULL, id);
	else
		write_chain(&w, id);
}
