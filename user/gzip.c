// SPDX-License-Identifier: GPL-2.0-or-later
#include "gzip.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#define WINDOW_BITS	15
#define GZIP_FORMAT	16	/* added to it: a gzip header, not zlib's */
#define MEMORY_LEVEL	8	/* zlib's default */

int gzip_compress(const char *bytes, size_t len, char **ret, size_t *ret_len)
{
	z_stream z = {};
	char *buf;
	int err;

	/* The fastest level shrinks metrics to a tenth; the best to a fifteenth. */
	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS + GZIP_FORMAT, MEMORY_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	z.avail_out = deflateBound(&z, len);
	buf = malloc(z.avail_out);
	if (!buf) {
		deflateEnd(&z);
		return -ENOMEM;
	}
	z.next_in = (Bytef *)bytes;
	z.avail_in = len;
	z.next_out = (Bytef *)buf;
	err = deflate(&z, Z_FINISH) == Z_STREAM_END ? 0 : -ENOMEM;
	*ret_len = z.total_out;
	deflateEnd(&z);
	if (err)
		free(buf);
	else
		*ret = buf;
	return err;
}
