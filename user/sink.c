// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink.h"

void sink_begin(struct sink *s)
{
	if (s->ops->begin)
		s->ops->begin(s);
}

bool sink_row(struct sink *s, const struct row *row)
{
	char buf[SINK_RECORD_MAX];
	struct text t = text_into(buf, sizeof(buf) - 1);

	s->ops->row(s, &t, row);
	*t.p++ = '\n';
	if (!out_append(s->out, buf, t.p - buf))
		return false;
	s->records++;
	return true;
}
