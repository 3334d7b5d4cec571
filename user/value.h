/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * value.h - a value as machines read it, in every format that has one: the
 * formats differ in what stands around it, and only in that.  Pure.
 */
#ifndef SYNFIN_VALUE_H
#define SYNFIN_VALUE_H

#include "field.h"
#include "text.h"

/* A character that is 0 is not written. */
struct value_form {
	char quote;			/* around what is not a number or a bool */
	char open, between, close;	/* of a list */
	void (*text)(struct text *t, const char *bytes, size_t len);	/* bytes of any kind */
};

void value_write(struct text *t, const struct value_form *form, enum field_type type,
		 const struct value *v);

#endif
