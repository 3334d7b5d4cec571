// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes are an error or an event; an event decodes to itself, and says no
 * more than its header's length.
 */
#include <errno.h>
#include <string.h>

#include "decode.h"
#include "fuzz.h"
#include "tcp_state.h"

static void check_members(const union event *ev)
{
	if (ev->hdr.kind == WIRE_STATE) {
		CLAIM(ev->state.oldstate > TS_NONE && ev->state.oldstate < TS_MAX);
		CLAIM(ev->state.newstate > TS_NONE && ev->state.newstate < TS_MAX);
		CLAIM(strnlen(ev->state.owner.comm, WIRE_COMM_LEN) < WIRE_COMM_LEN);
	}
	if (ev->hdr.kind == WIRE_START)
		CLAIM(ev->start.hz && strnlen(ev->start.release, 64) < 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Exactly so long: what reads beyond is found out. */
	uint8_t *exact = malloc(size ? size : 1);
	union event ev, again, untouched;
	int err;

	CLAIM(exact);
	memcpy(exact, data, size);
	memset(&ev, 0xa5, sizeof(ev));
	memset(&untouched, 0xa5, sizeof(untouched));
	err = decode(exact, size, &ev);
	if (err) {
		CLAIM(err == -EBADMSG || err == -EPROTO || err == -ENOTSUP);
		CLAIM(!memcmp(&ev, &untouched, sizeof(ev)));
	} else {
		CLAIM(ev.hdr.len <= size && ev.hdr.len <= decode_size(ev.hdr.kind));
		CLAIM(!memcmp(&ev, exact, ev.hdr.len));
		CLAIM(!decode(&ev, ev.hdr.len, &again));
		check_members(&ev);
	}
	free(exact);
	return 0;
}
