/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter_state.h - the names that states and sets of states have in a filter, as
 * ss(8) spells them.  Pure.
 */
#ifndef SYNFIN_FILTER_STATE_H
#define SYNFIN_FILTER_STATE_H

#include <stddef.h>
#include <stdint.h>

/* len bytes, any case, _ for -.  Bits by enum tcp_state; 0: no such state. */
uint32_t filter_states_named(const char *name, size_t len);

/* The name of just this set, or NULL: it takes several. */
const char *filter_states_name(uint32_t states);

#endif
