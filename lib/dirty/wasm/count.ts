import { tailWord, wholeBytes } from "./bits";

// @ts-ignore: decorator
@inline
function four(at: u32): u64 {
  return popcnt(load<u64>(at)) + popcnt(load<u64>(at, 8)) + popcnt(load<u64>(at, 16)) +
    popcnt(load<u64>(at, 24));
}

// @ts-ignore: decorator
@inline
function sixteen(at: u32): u64 {
  return four(at) + four(at + 32) + four(at + 64) + four(at + 96);
}

/** Set bits of whole words: 32 of them a step, for a step costs more than its words. */
// @ts-ignore: decorator
@inline
function span(at: u32, bytes: u32): u64 {
  const end = at + bytes;
  const wide = at + (bytes & ~255);
  let a: u64 = 0, b: u64 = 0;
  for (; at < wide; at += 256) {
    a += sixteen(at);
    b += sixteen(at + 128);
  }
  for (; at < end; at += 8) a += popcnt(load<u64>(at));
  return a + b;
}

/** How many of the first `bits` are set. */
export function count(at: u32, bits: u32): u32 {
  return <u32> (span(at, wholeBytes(bits)) + popcnt(tailWord(at, bits)));
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
  for (; left >= cellBytes; left -= cellBytes, at += cellBytes, into += 4) {
    store<u32>(into, <u32> span(at, cellBytes));
  }
  const rest = (left << 3) | (bits & 63);
  if (rest != 0) store<u32>(into, count(at, rest));
}
