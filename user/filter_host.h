/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter_host.h - one word of a filter's expression that names an end of a
 * connection: [FAMILY:]ADDRESS[/PREFIX][:PORT], as ss(8) has it.
 */
#ifndef SYNFIN_FILTER_HOST_H
#define SYNFIN_FILTER_HOST_H

#include "filter_parse.h"

struct filter_host {
	bool has_addr, has_port;	/* else: any */
	uint8_t addr[16];	/* masked */
	uint8_t len;
	uint16_t port;		/* 1 .. 65535 */
};

/*
 * len bytes at word.  port_only: behind sport or dport, where the colon may be
 * left out and there is no address.
 */
enum filter_problem filter_host_parse(const char *word, size_t len, bool port_only,
				      filter_service_fn service, struct filter_host *ret);

#endif
