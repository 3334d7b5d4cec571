/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * negotiate.h - what an HTTP client would rather have, by the weights in its
 * Accept and Accept-Encoding (RFC 9110).  Pure.  NULL: no such header.
 */
#ifndef SYNFIN_NEGOTIATE_H
#define SYNFIN_NEGOTIATE_H

#include <stdbool.h>

#include "exposition.h"

/*
 * OpenMetrics 1.0 only if it weighs more than the classic text, which whoever
 * accepts neither gets, too.
 */
enum exposition_format negotiate_format(const char *accept);

/* The Content-Type to answer with. */
const char *negotiate_content_type(const char *accept, enum exposition_format format);

bool negotiate_gzip(const char *accept_encoding);

#endif
