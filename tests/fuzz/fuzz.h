/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz.h - what the fuzzers have in common: a claim that stops the run where it
 * is not true, whatever NDEBUG says, and bytes taken from the input one by one.
 */
#ifndef SYNFIN_TESTS_FUZZ_H
#define SYNFIN_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CLAIM(truth)								\
	do {									\
		if (!(truth)) {							\
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #truth); \
			abort();						\
		}								\
	} while (0)

struct input {
	const uint8_t *p;
	size_t left;
};

/* 0 when there are no more. */
static inline uint8_t take_byte(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
