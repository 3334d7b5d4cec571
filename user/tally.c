// SPDX-License-Identifier: GPL-2.0-or-later
#include "tally.h"

static void count_connection(struct tally *t, const struct report *r, bool existing)
{
	if (r->conn->flags & CONN_EXISTING && !existing)
		return;
	t->connections++;
	t->incomplete += !r->connection.complete;
	t->owners_unknown += !r->conn->owner.from;
	t->outcomes[r->connection.verdict.outcome]++;
	t->closes[r->connection.verdict.close]++;
}

void tally_report(struct tally *t, const struct report *r, bool existing)
{
	switch (r->kind) {
	case REPORT_STATE:
		t->transitions++;
		break;
	case REPORT_RETRANSMIT:
		if (!r->retransmit.err)
			t->retransmits += r->retransmit.segs;
		break;
	case REPORT_RESET:
		t->resets++;
		break;
	case REPORT_CONNECTION:
		count_connection(t, r, existing);
		break;
	case REPORT_LOST:
		t->lost[r->lost.where] += r->lost.count;
		break;
	case REPORT_LATE_SEGMENT:
	case REPORT_TIME_WAIT:
	case REPORT_TW_GROUP:
	case REPORT_PORT_SPACE:
	case REPORT_LISTENER:
	case REPORT_LISTENERS:
	case REPORT_SOCKET:
	case REPORT_KINDS:
		break;
	}
}

void tally_finish(struct tally *t, const struct engine *e)
{
	uint64_t known = e->births + e->adopted;

	if (e->births_counted > known)
		t->unseen = e->births_counted - known;
}

uint64_t tally_lost(const struct tally *t)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < LOST_MAX; i++)
		sum += t->lost[i];
	return sum;
}
