// What the two files of the native side share.
#include <stddef.h>
#include <stdint.h>

#define MOST 2048 // runs given at a time: a consumer takes them between, as ours does
#define SLACK 96  // places behind them: a vector writes more than is counted
extern uint32_t pairs[2 * MOST + SLACK];
void give(size_t runs);

// Which vectors the compiler had for this processor: 513 (AVX-512 that compresses bytes), 512, 2
// (AVX2), or 0. The first pair never compresses bytes.
int simd_level(void);
uint64_t runs_simd(const uint64_t *w, size_t n);
int bytes_level(void);
uint64_t runs_bytes(const uint64_t *w, size_t n);
