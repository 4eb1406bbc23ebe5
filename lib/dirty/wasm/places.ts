// Which bits of a byte are set, as a table: the first 2 KiB of the memory.

/** Fills the table; before anything else. */
export function prepare(): void {
  for (let byte: u32 = 0; byte < 256; byte += 1) {
    let at = byte << 3;
    for (let bit: u32 = 0; bit < 8; bit += 1) {
      store<u8>(at, bit);
      at += (byte >>> bit) & 1;
    }
  }
}

/** The places of the bits of a byte that are set, as 16-bit numbers; those behind them mean nothing. */
// @ts-ignore: decorator
@inline
export function placesOf(byte: u32): v128 {
  return v128.load8x8_u(byte << 3);
}
