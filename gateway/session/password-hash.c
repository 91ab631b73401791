#include "gateway/session/password-hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define R 8
#define P 1
#define COST_LEAST 10
#define COST_MOST 17
#define SALT 16
#define KEY 32
#define HEX_LEAST 32 /* digits of a key: 16 bytes */

struct parsed {
	int cost;
	unsigned char salt[SALT], key[KEY];
};

static int derive(struct slice password, int cost, const unsigned char *salt, unsigned char out[KEY])
{
	uint64_t n = UINT64_C(1) << cost, memory = 128 * n * R + (1 << 20);
	return EVP_PBE_scrypt(password.p ? password.p : "", password.n, salt, SALT, n, R, P, memory, out, KEY) == 1 ? 0 : ERR_INVALID;
}

int password_hash(struct slice password, int cost, char out[PASSWORD_HASH_TEXT])
{
	unsigned char salt[SALT], key[KEY];
	char salt_text[2 * SALT + 1], key_text[2 * KEY + 1];
	if (RAND_bytes(salt, SALT) != 1 || derive(password, cost, salt, key) != 0)
		return ERR_INVALID;
	hex_text(salt, SALT, salt_text);
	hex_text(key, KEY, key_text);
	snprintf(out, PASSWORD_HASH_TEXT, "scrypt$%d$%d$%d$%s$%s", cost, R, P, salt_text, key_text);
	return 0;
}

bool password_hash_is(const char *text)
{
	return text && strncmp(text, "scrypt$", 7) == 0;
}

static bool parse(const char *text, struct parsed *out)
{
	int r, p, end = 0;
	char salt[2 * SALT + 1] = "", key[2 * KEY + 1] = "";
	bool ok = text && sscanf(text, "scrypt$%2d$%2d$%2d$%32[0-9a-f]$%64[0-9a-f]%n", &out->cost, &r, &p, salt, key, &end) == 5 && end && !text[end];
	return ok && r == R && p == P && out->cost >= COST_LEAST && out->cost <= COST_MOST && hex_parse(slice_of(salt), out->salt, SALT) == SALT &&
	       hex_parse(slice_of(key), out->key, KEY) == KEY;
}

bool password_hash_is_valid(const char *text)
{
	struct parsed p;
	return parse(text, &p);
}

bool password_hash_fits(const char *hash, struct slice password)
{
	struct parsed p = { .cost = PASSWORD_COST_PEOPLE };
	unsigned char key[KEY];
	bool known = parse(hash, &p);
	if (!known)
		p = (struct parsed){ .cost = PASSWORD_COST_PEOPLE };
	if (derive(password, p.cost, p.salt, key) != 0)
		return false;
	return known && CRYPTO_memcmp(key, p.key, KEY) == 0;
}

struct slice password_plain(struct slice shown, char out[PASSWORD_BYTES])
{
	int n = shown.n >= HEX_LEAST && shown.n <= 2 * PASSWORD_BYTES ? hex_parse(shown, out, PASSWORD_BYTES) : ERR_INVALID;
	return n > 0 ? (struct slice){ out, (size_t)n } : shown;
}
