// SPDX-License-Identifier: GPL-2.0-or-later
#include "human.h"

#include <time.h>

#define NSEC_PER_SEC	1000000000ull

/* u / one with as many decimals as make three digits. */
static void three_digits(struct text *t, uint64_t u, uint64_t one)
{
	text_uint(t, u / one);
	if (u / one >= 100)
		return;
	text_char(t, '.');
	if (u / one >= 10)
		text_uint(t, u % one * 10 / one);
	else
		text_uint_padded(t, u % one * 100 / one, 2);
}

static void two_units(struct text *t, uint64_t u, uint64_t ratio, char big, char small)
{
	text_uint(t, u / ratio);
	text_char(t, big);
	text_uint_padded(t, u % ratio, 2);
	text_char(t, small);
}

void human_duration(struct text *t, uint64_t us)
{
	uint64_t s = us / 1000000;

	if (us < 1000) {
		text_uint(t, us);
		text_str(t, "us");
	} else if (us < 1000000) {
		three_digits(t, us, 1000);
		text_str(t, "ms");
	} else if (s < 60) {
		three_digits(t, us, 1000000);
		text_char(t, 's');
	} else if (s < 3600) {
		two_units(t, s, 60, 'm', 's');
	} else if (s < 86400) {
		two_units(t, s / 60, 60, 'h', 'm');
	} else {
		two_units(t, s / 3600, 24, 'd', 'h');
	}
}

void human_bytes(struct text *t, uint64_t bytes)
{
	static const char units[] = "kMGTPE";
	const char *unit = units;
	uint64_t one = 1000;

	if (bytes < one) {
		text_uint(t, bytes);
		return;
	}
	while (bytes / one >= 1000) {
		one *= 1000;
		unit++;
	}
	text_uint(t, bytes / one);
	if (bytes / one < 10) {
		text_char(t, '.');
		text_uint(t, bytes % one / (one / 10));
	}
	text_char(t, *unit);
}

static void two_digits(char *p, int n)
{
	p[0] = '0' + n / 10;
	p[1] = '0' + n % 10;
}

/* A second that the C library cannot convert stands as --:--:--. */
static void convert(struct local_clock *c, uint64_t second)
{
	time_t when = second;
	struct tm tm;

	*c = (struct local_clock){ .second = second, .hms = "--:--:--" };
	if (!localtime_r(&when, &tm))
		return;
	two_digits(c->hms, tm.tm_hour);
	two_digits(c->hms + 3, tm.tm_min);
	two_digits(c->hms + 6, tm.tm_sec);
}

void human_clock(struct text *t, struct local_clock *c, uint64_t ns, unsigned int decimals)
{
	uint64_t second = ns / NSEC_PER_SEC, fraction = ns % NSEC_PER_SEC;

	if (!c->hms[0] || c->second != second)
		convert(c, second);
	text_bytes(t, c->hms, sizeof(c->hms));
	if (!decimals)
		return;
	for (unsigned int i = decimals; i < 9; i++)
		fraction /= 10;
	text_char(t, '.');
	text_uint_padded(t, fraction, decimals);
}
