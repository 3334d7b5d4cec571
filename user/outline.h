/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outline.h - what a hot function seldom calls stays out of it: inlined, its registers
 * would be saved, and its frame made, each time.  Pure.
 */
#ifndef SYNFIN_OUTLINE_H
#define SYNFIN_OUTLINE_H

#define OUTLINE __attribute__((noinline))

#endif
