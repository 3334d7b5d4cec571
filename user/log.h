/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.h - diagnostics on stderr, one line each, "synfin: " in front.  Whatever
 * is in the text, it stays one line of visible ASCII.  An error says what was
 * tried, on what, why it failed, and the cure.
 */
#ifndef SYNFIN_LOG_H
#define SYNFIN_LOG_H

/* The one permitted global: set once, before anything is logged. */
enum log_level { LOG_QUIET, LOG_NORMAL, LOG_VERBOSE };
extern enum log_level log_level;

/* At every level. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Not with -q. */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* With -v. */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
