/** Bytes of the whole words of a bitmap. */
@inline
export function wholeBytes(bits: u32): u32 {
  return (bits >>> 6) << 3;
}

/** The last word where it is not full, without the bits behind the last one; else 0. */
@inline
export function tailWord(at: u32, bits: u32): u64 {
  const rest = bits & 63;
  if (rest == 0) return 0;
  return load<u64>(at + wholeBytes(bits)) & (((<u64> 1) << rest) - 1);
}
