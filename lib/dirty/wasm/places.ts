// Which bits of a byte are set, and which are not, as tables: the kernels' own bytes of the memory.

/** Where the second one begins, and behind it eight as four 32-bit numbers. */
const CLEAR: u32 = 4096;
const EIGHT: u32 = 6144;

/** Fills the tables; before anything else. */
export function prepare(): void {
  for (let byte: u32 = 0; byte < 256; byte += 1) {
    let set = byte << 4;
    let clear = CLEAR + (byte << 3);
    for (let bit: u32 = 0; bit < 8; bit += 1) {
      store<u16>(set, bit);
      store<u8>(clear, bit << 3);
      const isSet = (byte >>> bit) & 1;
      set += isSet << 1;
      clear += 1 - isSet;
    }
  }
  v128.store(EIGHT, i32x4.splat(8));
}

/** Eight, four times: read, for a constant would be made anew each time. */
// @ts-ignore: decorator
@inline
export function eights(): v128 {
  return v128.load(EIGHT);
}

// @ts-ignore: decorator
@inline
function putByte(out: u32, from: v128, set: u32): u32 {
  v128.store(out, i32x4.add(from, v128.load16x4_u(set)));
  v128.store(out, i32x4.add(from, v128.load16x4_u(set, 8)), 16);
  return out + (<u32> popcnt(set) << 2);
}

/** Writes where the bits of a word lie that are set, byte by byte: no step waits for the one before. */
// @ts-ignore: decorator
@inline
export function putBytes(out: u32, base: u32, word: u64, eight: v128): u32 {
  const low = <u32> word;
  const high = <u32> (word >>> 32);
  let from = i32x4.splat(base);
  out = putByte(out, from, (low << 4) & 4080);
  out = putByte(out, from = i32x4.add(from, eight), (low >>> 4) & 4080);
  out = putByte(out, from = i32x4.add(from, eight), (low >>> 12) & 4080);
  out = putByte(out, from = i32x4.add(from, eight), (low >>> 20) & 4080);
  out = putByte(out, from = i32x4.add(from, eight), (high << 4) & 4080);
  out = putByte(out, from = i32x4.add(from, eight), (high >>> 4) & 4080);
  out = putByte(out, from = i32x4.add(from, eight), (high >>> 12) & 4080);
  return putByte(out, i32x4.add(from, eight), (high >>> 20) & 4080);
}

/** Eight times the places of the bits of a byte that are clear: of eight words, where they lie. */
// @ts-ignore: decorator
@inline
export function wordsOf(byte: u32): v128 {
  return v128.load8x8_u(byte << 3, CLEAR);
}
