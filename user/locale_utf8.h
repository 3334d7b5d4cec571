/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * locale_utf8.h - whether the terminal takes UTF-8, as the environment says: as the
 * C library would find it, but that the locale needs not be installed.
 */
#ifndef SYNFIN_LOCALE_UTF8_H
#define SYNFIN_LOCALE_UTF8_H

#include <stdbool.h>

bool locale_is_utf8(void);

#endif
