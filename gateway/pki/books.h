/* What the box's own authority has issued, on disk (authority.h). */
#ifndef AMPGATE_GATEWAY_PKI_BOOKS_H
#define AMPGATE_GATEWAY_PKI_BOOKS_H

#include <stddef.h>

#include "gateway/pki/authority.h"

struct books {
	struct issued *all; /* with room for one more */
	size_t n;
};

/* No file is empty books. To be freed also after an error. */
int books_read(const char *dir, struct books *b) MUST_CHECK;
int books_write(const char *dir, const struct books *b) MUST_CHECK;
void books_free(struct books *b);

#endif
