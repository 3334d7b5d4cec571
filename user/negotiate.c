// SPDX-License-Identifier: GPL-2.0-or-later
#include "negotiate.h"

#include <string.h>
#include <strings.h>

#define SPACE	" \t"

/* A piece of the header: not terminated. */
struct span {
	const char *p;
	size_t len;
};

static struct span trimmed(const char *p, size_t len)
{
	size_t lead = strspn(p, SPACE);

	if (lead > len)
		lead = len;
	p += lead;
	len -= lead;
	while (len && strchr(SPACE, p[len - 1]))
		len--;
	return (struct span){ p, len };
}

/* Takes what is in front of the next separator off *rest; false: nothing is left. */
static bool next_piece(struct span *rest, char separator, struct span *ret)
{
	const char *end;

	if (!rest->len)
		return false;
	end = memchr(rest->p, separator, rest->len);
	if (!end)
		end = rest->p + rest->len;
	*ret = trimmed(rest->p, end - rest->p);
	rest->len -= end - rest->p;
	rest->p = end;
	if (rest->len) {
		rest->p++;
		rest->len--;
	}
	return true;
}

static bool is(struct span s, const char *text)
{
	return s.len == strlen(text) && !strncasecmp(s.p, text, s.len);
}

/* Thousandths, as in "0.75"; what is no weight weighs nothing. */
static int parse_weight(struct span s)
{
	int weight = 0, unit = 100;

	if (!s.len || (s.p[0] != '0' && s.p[0] != '1') || (s.len > 1 && s.p[1] != '.'))
		return 0;
	weight = (s.p[0] - '0') * 1000;
	for (size_t i = 2; i < s.len && i < 5; i++, unit /= 10) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return 0;
		weight += (s.p[i] - '0') * unit;
	}
	return weight > 1000 ? 1000 : weight;
}

struct range {
	struct span name;
	struct span version;	/* len 0: none */
	bool escaping;
	int weight;
};

static struct span unquoted(struct span s)
{
	if (s.len >= 2 && s.p[0] == '"' && s.p[s.len - 1] == '"')
		return (struct span){ s.p + 1, s.len - 2 };
	return s;
}

static struct range parse_range(struct span piece)
{
	struct range r = { .weight = 1000 };
	struct span param, key;

	next_piece(&piece, ';', &r.name);
	while (next_piece(&piece, ';', &param)) {
		if (!next_piece(&param, '=', &key))
			continue;
		param = unquoted(trimmed(param.p, param.len));
		if (is(key, "q"))
			r.weight = parse_weight(param);
		else if (is(key, "version"))
			r.version = param;
		else if (is(key, "escaping"))
			r.escaping = true;
	}
	return r;
}

/* How exactly the range names the classic text; 0: not at all. */
static int fits_classic(const struct range *r)
{
	if (is(r->name, "text/plain"))
		return !r->version.len ? 3 : is(r->version, "0.0.4") ? 4 : 0;
	return is(r->name, "text/*") ? 2 : is(r->name, "*/*") ? 1 : 0;
}

static bool is_openmetrics(const struct range *r)
{
	return is(r->name, "application/openmetrics-text") &&
	       (!r->version.len || is(r->version, "1.0.0"));
}

/* escaping: whether the range of OpenMetrics asks for one. */
static enum exposition_format choose(const char *accept, bool *escaping)
{
	struct span rest = { accept, accept ? strlen(accept) : 0 }, piece;
	int openmetrics = 0, classic = 0, exact = 0;

	*escaping = false;
	while (next_piece(&rest, ',', &piece)) {
		struct range r = parse_range(piece);
		int fit = fits_classic(&r);

		if (is_openmetrics(&r) && r.weight > openmetrics) {
			openmetrics = r.weight;
			*escaping = r.escaping;
		}
		if (fit > exact) {
			exact = fit;
			classic = r.weight;
		}
	}
	return openmetrics > classic ? EXPOSITION_OPENMETRICS : EXPOSITION_CLASSIC;
}

enum exposition_format negotiate_format(const char *accept)
{
	bool escaping;

	return choose(accept, &escaping);
}

/* All names are plain, whatever escaping is asked for: then underscores is the same. */
const char *negotiate_content_type(const char *accept, enum exposition_format format)
{
	bool escaping;

	choose(accept, &escaping);
	if (format == EXPOSITION_CLASSIC)
		return "text/plain; version=0.0.4; charset=utf-8";
	if (escaping)
		return "application/openmetrics-text; version=1.0.0; charset=utf-8; "
		       "escaping=underscores";
	return "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

bool negotiate_gzip(const char *accept_encoding)
{
	struct span rest = { accept_encoding, accept_encoding ? strlen(accept_encoding) : 0 };
	struct span piece;
	int named = -1, any = 0;

	while (next_piece(&rest, ',', &piece)) {
		struct range r = parse_range(piece);

		if (is(r.name, "gzip") || is(r.name, "x-gzip"))
			named = r.weight;
		else if (is(r.name, "*"))
			any = r.weight;
	}
	return named >= 0 ? named > 0 : any > 0;
}
