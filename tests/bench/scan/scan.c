// The native side of the scan rows: plain C on the same bytes, one command a line on standard input.
//   load SLOT BYTES   then as many bytes; allocates and fills a bitmap
//   FUNCTION SLOT OTHER   runs once; answers "nanoseconds result"
#include "scan.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

uint32_t pairs[2 * MOST + SLACK];
static uint64_t *slot[16];
static size_t words[16];
static uint32_t *cells;
static uint64_t sum; // what a consumer that looks at each run would do; off while timing
static int summing;

void give(size_t runs) {
	if (!summing) {
		__asm__ volatile("" : : "r"(pairs) : "memory");
		return;
	}
	for (size_t i = 0; i < 2 * runs; i += 2)
		sum = sum * 31 + pairs[i] * 7ull + pairs[i + 1];
}

// find_next_bit and find_next_zero_bit in turns, as the kernel's own users do.
static size_t next(const uint64_t *w, size_t n, size_t from, uint64_t flip) {
	size_t i = from >> 6;
	if (i >= n)
		return n << 6;
	uint64_t v = (w[i] ^ flip) & (~0ull << (from & 63));
	while (!v) {
		if (++i == n)
			return n << 6;
		v = w[i] ^ flip;
	}
	return (i << 6) + __builtin_ctzll(v);
}

static uint64_t runs_next(const uint64_t *w, size_t n) {
	uint64_t total = 0;
	size_t at = 0, out = 0;
	for (;;) {
		size_t start = next(w, n, at, 0);
		if (start == n << 6)
			break;
		at = next(w, n, start, ~0ull);
		pairs[2 * out] = start;
		pairs[2 * out + 1] = at;
		if (++out == MOST) {
			give(out);
			total += out;
			out = 0;
		}
	}
	give(out);
	return total + out;
}

// Edges word by word: where a bit differs from the one before.
static uint64_t runs_edges(const uint64_t *w, size_t n) {
	uint64_t total = 0, carry = 0;
	size_t out = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t v = w[i], t = v ^ (v << 1 | carry);
		carry = v >> 63;
		while (t) {
			pairs[out++] = (i << 6) + __builtin_ctzll(t);
			t &= t - 1;
			if (out == 2 * MOST) {
				give(MOST);
				total += MOST;
				out = 0;
			}
		}
	}
	if (carry)
		pairs[out++] = n << 6;
	give(out / 2);
	return total + out / 2;
}

static uint64_t count(const uint64_t *w, size_t n) {
	uint64_t c = 0;
	for (size_t i = 0; i < n; i++)
		c += __builtin_popcountll(w[i]);
	return c;
}

static uint64_t or_into(uint64_t *a, const uint64_t *b, size_t n) {
	for (size_t i = 0; i < n; i++)
		a[i] |= b[i];
	return 0;
}

static uint64_t xor_into(uint64_t *a, const uint64_t *b, size_t n) {
	uint64_t c = 0;
	for (size_t i = 0; i < n; i++) {
		a[i] ^= b[i];
		c += __builtin_popcountll(a[i]);
	}
	return c;
}

static uint64_t distance(const uint64_t *a, const uint64_t *b, size_t n) {
	uint64_t c = 0;
	for (size_t i = 0; i < n; i++)
		c += __builtin_popcountll(a[i] ^ b[i]);
	return c;
}

// Cells of 32768 bits: 512 words.
static uint64_t heat(const uint64_t *w, size_t n) {
	for (size_t i = 0; i < n; i += 512)
		cells[i / 512] = count(w + i, 512);
	return cells[n / 512 - 1];
}

int main(void) {
	char line[64], what[32];
	size_t a, b;
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%31s %zu %zu", what, &a, &b) != 3)
			return 2;
		if (!strcmp(what, "load")) {
			words[a] = b / 8;
			// Huge pages where the system has them, as the memory of a tracker.
			slot[a] = aligned_alloc(2 << 20, b);
			if (slot[a])
				madvise(slot[a], b, MADV_HUGEPAGE);
			free(cells);
			cells = malloc(b / 1024 + 64);
			if (!slot[a] || !cells || fread(slot[a], 1, b, stdin) != b)
				return 3;
			printf("0 0\n");
			fflush(stdout);
			continue;
		}
		struct timespec from, to;
		uint64_t result = 0;
		size_t n = words[a];
		sum = 0;
		summing = !strncmp(what, "sum-", 4);
		const char *f = summing ? what + 4 : what;
		clock_gettime(CLOCK_MONOTONIC, &from);
		if (!strcmp(f, "next")) result = runs_next(slot[a], n);
		else if (!strcmp(f, "edges")) result = runs_edges(slot[a], n);
		else if (!strcmp(f, "simd")) result = runs_simd(slot[a], n);
		else if (!strcmp(f, "bytes")) result = runs_bytes(slot[a], n);
		else if (!strcmp(f, "simd-level")) result = simd_level();
		else if (!strcmp(f, "bytes-level")) result = bytes_level();
		else if (!strcmp(f, "count")) result = count(slot[a], n);
		else if (!strcmp(f, "or")) result = or_into(slot[a], slot[b], n);
		else if (!strcmp(f, "xor")) result = xor_into(slot[a], slot[b], n);
		else if (!strcmp(f, "distance")) result = distance(slot[a], slot[b], n);
		else if (!strcmp(f, "heat")) result = heat(slot[a], n);
		else return 4;
		clock_gettime(CLOCK_MONOTONIC, &to);
		printf("%lld %llu\n", (to.tv_sec - from.tv_sec) * 1000000000ll + to.tv_nsec - from.tv_nsec,
		       (unsigned long long)(summing ? sum : result));
		fflush(stdout);
	}
	return 0;
}
