// Runs with the widest vectors of this processor: what somebody writes who needs no portability. It is
// compiled twice: for what every processor with AVX-512 has (x86-64-v4), and where this one has it,
// with the instruction that compresses bytes (VBMI2), which WebAssembly has no counterpart of.
// First the words are listed in which a run begins or ends, then the places of the edges are written.
// Where such words are rare, empty stretches are skipped at once; where they are not, no branch is
// taken that cannot be foretold. Which of the two is right is told by the block before.
#include "scan.h"
#include <immintrin.h>
#include <string.h>

#define BLOCK 1024 // words listed at a time

#if defined(__AVX512F__) && defined(__AVX512BW__)
#ifdef __AVX512VBMI2__
#define LEVEL 513
#else
#define LEVEL 512
#endif

// Bits that differ from the one before; `before` has the words one place lower.
static inline __m512i edges_of(__m512i v, __m512i before) {
#ifdef __AVX512VBMI2__
	return _mm512_xor_si512(v, _mm512_shldi_epi64(v, before, 1));
#else
	return _mm512_xor_si512(v, _mm512_or_si512(_mm512_slli_epi64(v, 1), _mm512_srli_epi64(before, 63)));
#endif
}

static inline uint32_t *note(uint32_t *list, __m512i t, uint32_t at) {
	__mmask8 m = _mm512_test_epi64_mask(t, t);
	__m256i places = _mm256_add_epi32(_mm256_set1_epi32(at), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
	places = _mm512_castsi512_si256(_mm512_maskz_compress_epi32(m, _mm512_castsi256_si512(places)));
	_mm256_storeu_si256((__m256i *)list, places);
	return list + __builtin_popcount(m);
}

#define LOAD(k) __m512i v##k = _mm512_loadu_si512(w + at + 8 * k)
#define EDGE(k, low) __m512i t##k = edges_of(v##k, _mm512_alignr_epi64(v##k, low, 7))

// Whole vectors of words; behind the first 8 of the bitmap.
static inline uint32_t *list_words(const uint64_t *w, size_t at, size_t end, uint32_t *list, int dense) {
	__m512i last = _mm512_loadu_si512(w + at - 8);
	for (; at + 32 <= end; at += 32) {
		LOAD(0); LOAD(1); LOAD(2); LOAD(3);
		EDGE(0, last); EDGE(1, v0); EDGE(2, v1); EDGE(3, v2);
		last = v3;
		if (!dense) {
			__m512i any = _mm512_or_si512(_mm512_or_si512(t0, t1), _mm512_or_si512(t2, t3));
			if (!_mm512_test_epi64_mask(any, any))
				continue;
		}
		list = note(list, t0, at);
		list = note(list, t1, at + 8);
		list = note(list, t2, at + 16);
		list = note(list, t3, at + 24);
	}
	for (; at < end; at += 8) {
		LOAD(0);
		EDGE(0, last);
		last = v0;
		list = note(list, t0, at);
	}
	return list;
}

static inline uint32_t *put(uint32_t *out, uint32_t base, uint64_t t) {
	__m512i from = _mm512_set1_epi32(base);
#ifdef __AVX512VBMI2__
	static const uint8_t iota[64] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
		28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
		53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
	__m512i p = _mm512_maskz_compress_epi8(t, _mm512_loadu_si512(iota));
	int many = __builtin_popcountll(t);
	_mm512_storeu_si512(out, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(p))));
	if (many > 16) {
		__m128i b = _mm512_extracti32x4_epi32(p, 1), c = _mm512_extracti32x4_epi32(p, 2);
		_mm512_storeu_si512(out + 16, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(b)));
		_mm512_storeu_si512(out + 32, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(c)));
		if (many > 48) {
			__m128i d = _mm512_extracti32x4_epi32(p, 3);
			_mm512_storeu_si512(out + 48, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(d)));
		}
	}
	return out + many;
#else
	__m512i iota = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	int many = __builtin_popcountll(t);
	if (many <= 10) {
		uint32_t *end = out + many;
		// Four without asking: a branch that is taken one time in three costs more.
		for (int i = 0; i < 4; i++, t &= t - 1)
			out[i] = base + _tzcnt_u64(t);
		for (out += 4; out < end; out++, t &= t - 1)
			*out = base + _tzcnt_u64(t);
		return end;
	}
	for (int i = 0; i < 4; i++, t >>= 16) {
		_mm512_storeu_si512(out, _mm512_maskz_compress_epi32(t, _mm512_add_epi32(from, iota)));
		out += __builtin_popcount(t & 0xffff);
		from = _mm512_add_epi32(from, _mm512_set1_epi32(16));
	}
	return out;
#endif
}

#elif defined(__AVX2__)
#define LEVEL 2
static uint8_t places[256][8]; // which bits of a byte are set

static inline __m256i edges_of(const uint64_t *w) {
	__m256i v = _mm256_loadu_si256((const __m256i *)w);
	__m256i before = _mm256_loadu_si256((const __m256i *)(w - 1));
	return _mm256_xor_si256(v, _mm256_or_si256(_mm256_slli_epi64(v, 1), _mm256_srli_epi64(before, 63)));
}

static inline __m256i places_of(uint8_t byte, uint32_t base) {
	__m256i p = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)places[byte]));
	return _mm256_add_epi32(p, _mm256_set1_epi32(base));
}

static inline int empty(__m256i t) {
	return _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(t, _mm256_setzero_si256())));
}

static inline uint32_t *list_words(const uint64_t *w, size_t at, size_t end, uint32_t *list, int dense) {
	for (; at < end; at += 8) {
		__m256i a = edges_of(w + at), b = edges_of(w + at + 4), any = _mm256_or_si256(a, b);
		if (!dense && _mm256_testz_si256(any, any))
			continue;
		uint8_t m = (empty(a) | empty(b) << 4) ^ 255;
		_mm256_storeu_si256((__m256i *)list, places_of(m, at));
		list += __builtin_popcount(m);
	}
	return list;
}

static inline uint32_t *put(uint32_t *out, uint32_t base, uint64_t t) {
	int many = __builtin_popcountll(t);
	if (many > 10) {
		for (int i = 0; i < 8; i++, t >>= 8, base += 8) {
			_mm256_storeu_si256((__m256i *)out, places_of(t, base));
			out += __builtin_popcount(t & 255);
		}
		return out;
	}
	uint32_t *end = out + many;
	// Two without asking: more than one edge in a word is the rule.
	for (; out < end; out += 2) {
		out[0] = base + _tzcnt_u64(t);
		t &= t - 1;
		out[1] = base + _tzcnt_u64(t);
		t &= t - 1;
	}
	return end;
}
#else
#define LEVEL 0
#endif

int LEVEL_OF(void) {
	return LEVEL;
}

#if LEVEL == 0
uint64_t RUNS(const uint64_t *w, size_t n) {
	(void)w, (void)n;
	return 0;
}
#else

static uint32_t list[BLOCK + 64];

// Gives what is there but the start of a run that is still open.
static uint32_t *flush(uint32_t *out, uint64_t *total) {
	size_t runs = (out - pairs) / 2, odd = (out - pairs) % 2;
	give(runs);
	*total += runs;
	if (odd)
		pairs[0] = out[-1];
	return pairs + odd;
}

uint64_t RUNS(const uint64_t *w, size_t n) {
	uint64_t total = 0, carry = 0;
	uint32_t *out = pairs, *full = pairs + 2 * MOST;
#if LEVEL == 2
	for (int byte = 0; byte < 256; byte++)
		for (int bit = 0, k = 0; bit < 8; bit++)
			if (byte >> bit & 1)
				places[byte][k++] = bit;
#endif
	size_t at = 0, whole = n & ~(size_t)7;
	int dense = 0;
	for (; at < 8 && at < n; at++) {
		out = put(out, at << 6, w[at] ^ (w[at] << 1 | carry));
		carry = w[at] >> 63;
	}
	while (at < whole) {
		size_t end = whole - at > BLOCK ? at + BLOCK : whole;
		uint32_t *listed = list_words(w, at, end, list, dense);
		dense = (size_t)(listed - list) * 8 > end - at;
		for (uint32_t *take = list; take < listed; take++) {
			uint64_t word = w[*take];
			out = put(out, *take << 6, word ^ (word << 1 | w[*take - 1] >> 63));
			if (out >= full)
				out = flush(out, &total);
		}
		at = end;
	}
	for (; at < n; at++)
		out = put(out, at << 6, w[at] ^ (w[at] << 1 | w[at - 1] >> 63));
	if (n && w[n - 1] >> 63)
		*out++ = n << 6;
	flush(out, &total);
	return total;
}
#endif
