// Which bits of a byte are set, and which are not, as tables: the first 4 KiB of the memory.

/** Where the second one begins. */
const CLEAR: u32 = 2048;

/** Fills the tables; before anything else. */
export function prepare(): void {
  for (let byte: u32 = 0; byte < 256; byte += 1) {
    let set = byte << 3;
    let clear = set + CLEAR;
    for (let bit: u32 = 0; bit < 8; bit += 1) {
      store<u8>(set, bit);
      store<u8>(clear, bit << 3);
      const isSet = (byte >>> bit) & 1;
      set += isSet;
      clear += 1 - isSet;
    }
  }
}

/** The places of the bits of a byte that are set, as 16-bit numbers; those behind them mean nothing. */
// @ts-ignore: decorator
@inline
export function placesOf(byte: u32): v128 {
  return v128.load8x8_u(byte << 3);
}

/** Eight times the places of the bits of a byte that are clear: of eight words, where they lie. */
// @ts-ignore: decorator
@inline
export function wordsOf(byte: u32): v128 {
  return v128.load8x8_u((byte << 3) + CLEAR);
}
