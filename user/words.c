// SPDX-License-Identifier: GPL-2.0-or-later
#include "words.h"

#include <stddef.h>

#define TEXT(name, text) text,
#define X(lower, upper)						\
const char *lower##_text(enum lower##_word w)			\
{								\
	static const char *const texts[] = { NULL, upper##_WORDS(TEXT) };	\
								\
	return w < upper##_MAX ? texts[w] : NULL;		\
}
WORDS(X)
