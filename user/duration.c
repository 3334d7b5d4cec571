// SPDX-License-Identifier: GPL-2.0-or-later
#include "duration.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#define DECIMALS	9
#define DECIMALS_ONE	1000000000ULL

static const struct unit {
	char name[3];
	uint64_t ns;
} units[] = {
	{ "",	1000000000ULL },
	{ "ms",	1000000ULL },
	{ "s",	1000000000ULL },
	{ "m",	60000000000ULL },
	{ "h",	3600000000000ULL },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_unit(const struct unit *unit, const char *text)
{
	size_t i = 0;

	while (text[i] && text[i] == unit->name[i])
		i++;
	return text[i] == unit->name[i];
}

static uint64_t unit_ns(const char *text)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (is_unit(&units[i], text))
			return units[i].ns;
	}
	return 0;
}

/* The digits before the point; saturates where no unit fits any more. */
static const char *parse_whole(const char *s, uint64_t *ret)
{
	uint64_t n = 0;

	for (; is_digit(*s); s++)
		n = n > INT64_MAX / 10 - 1 ? INT64_MAX : n * 10 + (*s - '0');
	*ret = n;
	return s;
}

/* The digits behind the point, in units of 1 / DECIMALS_ONE. */
static const char *parse_decimals(const char *s, uint64_t *ret)
{
	uint64_t n = 0;
	int i;

	for (i = 0; is_digit(*s); s++) {
		if (i < DECIMALS) {
			n = n * 10 + (*s - '0');
			i++;
		}
	}
	for (; i < DECIMALS; i++)
		n *= 10;
	*ret = n;
	return s;
}

int duration_parse(const char *text, uint64_t *ret)
{
	uint64_t whole, decimals = 0, ns, unit;

	if (!is_digit(*text))
		return -EINVAL;
	text = parse_whole(text, &whole);
	if (*text == '.') {
		if (!is_digit(text[1]))
			return -EINVAL;
		text = parse_decimals(text + 1, &decimals);
	}
	unit = unit_ns(text);
	if (!unit)
		return -EINVAL;
	/* Thousandths of the unit first: an hour's worth of decimals fits 64 bits so. */
	decimals = decimals * (unit / 1000) / (DECIMALS_ONE / 1000);
	if (__builtin_mul_overflow(whole, unit, &ns) ||
	    __builtin_add_overflow(ns, decimals, &ns) || ns > INT64_MAX)
		return -ERANGE;
	*ret = ns;
	return 0;
}
