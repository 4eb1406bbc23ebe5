import { tailWord, wholeBytes } from "./bits";

@inline
function four(at: u32): u64 {
  return popcnt(load<u64>(at)) + popcnt(load<u64>(at, 8)) + popcnt(load<u64>(at, 16)) +
    popcnt(load<u64>(at, 24));
}

@inline
function sixteen(at: u32): u64 {
  return four(at) + four(at + 32) + four(at + 64) + four(at + 96);
}

/** Set bits of whole words, one after the other: 32 of them a step, for a step costs more than its words. */
function words(at: u32, bytes: u32): u32 {
  const end = at + bytes;
  const wide = at + (bytes & ~255);
  let sum: u64 = 0;
  for (; at < wide; at += 256) sum += sixteen(at) + sixteen(at + 128);
  for (; at < end; at += 8) sum += popcnt(load<u64>(at));
  return <u32> sum;
}

// Vectors are added like columns of binary numbers: of three with the same weight, `odd` has the bits of
// that weight, and `carry` those of twice it. Few are left whose bits are counted.

@inline
function odd(a: v128, b: v128, c: v128): v128 {
  return v128.xor(v128.xor(a, b), c);
}

@inline
function carry(a: v128, b: v128, c: v128): v128 {
  return v128.or(v128.and(a, b), v128.and(v128.xor(a, b), c));
}

/** The set bits of a vector in each 32 bits of it. */
@inline
function bitsOf(vector: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(i8x16.popcnt(vector)));
}

/** All of what {@link pair} has summed up. */
@inline
function total(ones: v128, twos: v128, fours: v128, eights: v128): u32 {
  let sum = i32x4.add(i32x4.shl(eights, 3), i32x4.shl(bitsOf(fours), 2));
  sum = i32x4.add(sum, i32x4.add(i32x4.shl(bitsOf(twos), 1), bitsOf(ones)));
  const two = i64x2.add(i64x2.extend_low_i32x4_u(sum), i64x2.extend_high_i32x4_u(sum));
  return <u32> (i64x2.extract_lane(two, 0) + i64x2.extract_lane(two, 1));
}

/** Bytes of a step. */
const STEP: u32 = 128;
/** Bytes of each of two stretches that are counted side by side, and how many it takes to be worth it. */
const STRETCH: u32 = 4096;
const WORTH: u32 = 1024;

/**
 * Set bits of two stretches of whole steps, side by side: memory gives more to who reads at two places.
 *
 * @returns Those of the first, and those of the second 2^32 times.
 */
function pair(a: u32, b: u32, bytes: u32): u64 {
  const none = i8x16.splat(0);
  let ones = none, twos = none, fours = none, eights = none;
  let onesB = none, twosB = none, foursB = none, eightsB = none;
  for (const end = a + bytes; a < end; a += STEP, b += STEP) {
    let x = v128.load(a), y = v128.load(a, 16);
    const a1 = carry(ones, x, y);
    ones = odd(ones, x, y);
    x = v128.load(a, 32), y = v128.load(a, 48);
    const a2 = carry(ones, x, y);
    ones = odd(ones, x, y);
    const a3 = carry(twos, a1, a2);
    twos = odd(twos, a1, a2);
    x = v128.load(a, 64), y = v128.load(a, 80);
    const a4 = carry(ones, x, y);
    ones = odd(ones, x, y);
    x = v128.load(a, 96), y = v128.load(a, 112);
    const a5 = carry(ones, x, y);
    ones = odd(ones, x, y);
    const a6 = carry(twos, a4, a5);
    twos = odd(twos, a4, a5);
    eights = i32x4.add(eights, bitsOf(carry(fours, a3, a6)));
    fours = odd(fours, a3, a6);

    x = v128.load(b), y = v128.load(b, 16);
    const b1 = carry(onesB, x, y);
    onesB = odd(onesB, x, y);
    x = v128.load(b, 32), y = v128.load(b, 48);
    const b2 = carry(onesB, x, y);
    onesB = odd(onesB, x, y);
    const b3 = carry(twosB, b1, b2);
    twosB = odd(twosB, b1, b2);
    x = v128.load(b, 64), y = v128.load(b, 80);
    const b4 = carry(onesB, x, y);
    onesB = odd(onesB, x, y);
    x = v128.load(b, 96), y = v128.load(b, 112);
    const b5 = carry(onesB, x, y);
    onesB = odd(onesB, x, y);
    const b6 = carry(twosB, b4, b5);
    twosB = odd(twosB, b4, b5);
    eightsB = i32x4.add(eightsB, bitsOf(carry(foursB, b3, b6)));
    foursB = odd(foursB, b3, b6);
  }
  const second = <u64> total(onesB, twosB, foursB, eightsB);
  return <u64> total(ones, twos, fours, eights) | (second << 32);
}

@inline
function sumOf(two: u64): u32 {
  return <u32> two + <u32> (two >>> 32);
}

/** Set bits of whole words. */
function span(at: u32, bytes: u32): u32 {
  let sum: u32 = 0;
  for (; bytes >= 2 * STRETCH; bytes -= 2 * STRETCH, at += 2 * STRETCH) {
    sum += sumOf(pair(at, at + STRETCH, STRETCH));
  }
  const half = bytes < 2 * WORTH ? 0 : (bytes >>> 1) & ~(STEP - 1);
  if (half > 0) sum += sumOf(pair(at, at + half, half));
  return sum + words(at + 2 * half, bytes - 2 * half);
}

/** How many of the first `bits` are set. */
export function count(at: u32, bits: u32): u32 {
  return span(at, wholeBytes(bits)) + <u32> popcnt(tailWord(at, bits));
}

/** In how many of the first `bits` two bitmaps differ. */
export function distance(a: u32, b: u32, bits: u32): u32 {
  const bytes = wholeBytes(bits);
  const end = a + bytes;
  const wide = a + (bytes & ~31);
  let sum: u64 = popcnt(tailWord(a, bits) ^ tailWord(b, bits));
  for (; a < wide; a += 32, b += 32) {
    sum += popcnt(load<u64>(a) ^ load<u64>(b)) + popcnt(load<u64>(a, 8) ^ load<u64>(b, 8)) +
      popcnt(load<u64>(a, 16) ^ load<u64>(b, 16)) + popcnt(load<u64>(a, 24) ^ load<u64>(b, 24));
  }
  for (; a < end; a += 8, b += 8) sum += popcnt(load<u64>(a) ^ load<u64>(b));
  return <u32> sum;
}

/**
 * Counts the set bits of each cell of `cellBits` (a multiple of 64) as 32-bit numbers; the last cell
 * may be shorter.
 */
export function cells(at: u32, bits: u32, cellBits: u32, into: u32): void {
  const cellBytes = cellBits >>> 3;
  let left = wholeBytes(bits);
  // A cell of less than two stretches is counted side by side with the next one.
  if (cellBytes >= WORTH && cellBytes < 2 * STRETCH) {
    const steps = cellBytes & ~(STEP - 1);
    const rest = cellBytes - steps;
    for (; left >= 2 * cellBytes; left -= 2 * cellBytes, at += 2 * cellBytes, into += 8) {
      const next = at + cellBytes;
      const two = pair(at, next, steps);
      store<u32>(into, <u32> two + words(at + steps, rest));
      store<u32>(into, <u32> (two >>> 32) + words(next + steps, rest), 4);
    }
  }
  for (; left >= cellBytes; left -= cellBytes, at += cellBytes, into += 4) {
    store<u32>(into, span(at, cellBytes));
  }
  const rest = (left << 3) | (bits & 63);
  if (rest != 0) store<u32>(into, count(at, rest));
}
