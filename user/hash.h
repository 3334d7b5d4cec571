/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash.h - a number for a table's buckets, of 64-bit words.  Who may choose the words must
 * not know what the hash began with.  Pure.
 */
#ifndef SYNFIN_HASH_H
#define SYNFIN_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash_word(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 32;
}

/* size: a multiple of a word's, wherever the bytes are. */
static inline uint64_t hash_words(uint64_t hash, const void *bytes, size_t size)
{
	uint64_t word;

	for (size_t at = 0; at < size; at += sizeof(word)) {
		memcpy(&word, (const char *)bytes + at, sizeof(word));
		hash = hash_word(hash, word);
	}
	return hash;
}

#endif
