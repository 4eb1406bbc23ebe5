// Which bits of a byte are set, and which are not, as tables: the kernels' own bytes of the memory.
// Places are as wide as they are written: widening them anew each time would cost a seventh.

/** Where the second table begins, and behind it eight and 32 as four 32-bit numbers. */
const CLEAR: u32 = 8192;
const EIGHT: u32 = 10240;

/** Fills the tables; before anything else. */
export function prepare(): void {
  for (let byte: u32 = 0; byte < 256; byte += 1) {
    let set = byte << 5;
    let clear = CLEAR + (byte << 3);
    for (let bit: u32 = 0; bit < 8; bit += 1) {
      store<u32>(set, bit);
      store<u8>(clear, bit << 3);
      const isSet = (byte >>> bit) & 1;
      set += isSet << 2;
      clear += 1 - isSet;
    }
  }
  v128.store(EIGHT, i32x4.splat(8));
  v128.store(EIGHT, i32x4.splat(32), 16);
}

/** Eight, four times: read, for a constant would be made anew each time. */
@inline
export function eights(): v128 {
  return v128.load(EIGHT);
}

/** The bits of half a word, four times. */
@inline
export function halves(): v128 {
  return v128.load(EIGHT, 16);
}

@inline
function putByte(out: u32, from: v128, set: u32): u32 {
  v128.store(out, i32x4.add(from, v128.load(set)));
  v128.store(out, i32x4.add(from, v128.load(set, 16)), 16);
  return out + (<u32> popcnt(set) << 2);
}

/** Writes where the bits of half a word lie that are set, byte by byte: no step waits for the one before. */
@inline
export function putHalf(out: u32, from: v128, half: u32, eight: v128): u32 {
  out = putByte(out, from, (half << 5) & 8160);
  out = putByte(out, from = i32x4.add(from, eight), (half >>> 3) & 8160);
  out = putByte(out, from = i32x4.add(from, eight), (half >>> 11) & 8160);
  return putByte(out, i32x4.add(from, eight), (half >>> 19) & 8160);
}

/** Eight times the places of the bits of a byte that are clear: of eight words, where they lie. */
@inline
export function wordsOf(byte: u32): v128 {
  return v128.load8x8_u(byte << 3, CLEAR);
}
