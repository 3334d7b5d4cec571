/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inventory.h - which BPF programs and maps there are in the kernel, for the
 * metrics about synfin itself.
 */
#ifndef SYNFIN_INVENTORY_H
#define SYNFIN_INVENTORY_H

#include "self.h"

struct bpf_object;

/* Fills libbpf, programs and maps of ret; the rest stays as it is. */
void inventory_take(const struct bpf_object *obj, struct self *ret);

#endif
