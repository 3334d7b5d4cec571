/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_btf.h - the running kernel's BTF, in memory: mapped where the kernel allows it
 * (6.16), else read.  Opened once for all who ask.
 */
#ifndef SYNFIN_KERNEL_BTF_H
#define SYNFIN_KERNEL_BTF_H

#include "btf_walk.h"

struct kernel_btf {
	void *data;
	size_t size;
	struct btf_walk walk;
};

/* 0; -ENOENT: it has none; or another -errno of reading it, and nothing to close. */
int kernel_btf_open(struct kernel_btf *btf);
void kernel_btf_close(struct kernel_btf *btf);	/* zeroed, too */

#endif
