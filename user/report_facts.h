/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report_facts.h - what a filter is asked about a report.  Pure.
 *
 * A transition has two states, the old and the new; what happens to a socket has
 * the one that it is in; a life has all that it passed through and the one that it
 * ended in.  Ends and owner are as far as they are known by then: of a connect()
 * that is told late, because its port was not chosen yet, as they are known now.
 */
#ifndef SYNFIN_REPORT_FACTS_H
#define SYNFIN_REPORT_FACTS_H

#include "filter.h"
#include "report.h"

/* Whether it is of one socket: others are no filter's business. */
bool report_is_of_socket(const struct report *r);

/* Points into the report. */
struct filter_facts report_facts(const struct report *r);

/* As a bit of filter_facts.states; a half-open request is in SYN_RECV. */
uint32_t facts_state(unsigned int state);

#endif
