/* 1.6 calls the root of the CSMS CentralSystemRootCertificate and asks for one type at a time; 2.x has more types, lists of them, and nests
 * each hash in a chain. */
#include "ocpp/certs.h"

#include <string.h>

#include "base/json.h"

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
