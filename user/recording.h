/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recording.h - how a recording file begins.  After this come raw records
 * (wire.h), back to back: WIRE_START first, WIRE_END last.
 */
#ifndef SYNFIN_RECORDING_H
#define SYNFIN_RECORDING_H

#include <stdint.h>

#define RECORDING_MAGIC		"synfin\r\n"	/* a text-mode copy shows */
#define RECORDING_BYTE_ORDER	0x01020304u

struct recording_header {
	char magic[8];
	uint32_t byte_order;
	uint32_t version;	/* WIRE_VERSION */
};

#endif
