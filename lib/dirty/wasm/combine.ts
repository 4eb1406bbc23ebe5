// Two bitmaps of the same length; `bytes` is a multiple of 8. The result goes into the first.

/** into |= from */
export function or(into: u32, from: u32, bytes: u32): void {
  const end = into + bytes;
  const wide = into + (bytes & ~63);
  for (; into < wide; into += 64, from += 64) {
    v128.store(into, v128.or(v128.load(into), v128.load(from)));
    v128.store(into, v128.or(v128.load(into, 16), v128.load(from, 16)), 16);
    v128.store(into, v128.or(v128.load(into, 32), v128.load(from, 32)), 32);
    v128.store(into, v128.or(v128.load(into, 48), v128.load(from, 48)), 48);
  }
  for (; into < end; into += 8, from += 8) {
    store<u64>(into, load<u64>(into) | load<u64>(from));
  }
}

/** into &= from */
export function and(into: u32, from: u32, bytes: u32): void {
  const end = into + bytes;
  const wide = into + (bytes & ~63);
  for (; into < wide; into += 64, from += 64) {
    v128.store(into, v128.and(v128.load(into), v128.load(from)));
    v128.store(into, v128.and(v128.load(into, 16), v128.load(from, 16)), 16);
    v128.store(into, v128.and(v128.load(into, 32), v128.load(from, 32)), 32);
    v128.store(into, v128.and(v128.load(into, 48), v128.load(from, 48)), 48);
  }
  for (; into < end; into += 8, from += 8) {
    store<u64>(into, load<u64>(into) & load<u64>(from));
  }
}

/** into &= ~from */
export function andNot(into: u32, from: u32, bytes: u32): void {
  const end = into + bytes;
  const wide = into + (bytes & ~63);
  for (; into < wide; into += 64, from += 64) {
    v128.store(into, v128.andnot(v128.load(into), v128.load(from)));
    v128.store(into, v128.andnot(v128.load(into, 16), v128.load(from, 16)), 16);
    v128.store(into, v128.andnot(v128.load(into, 32), v128.load(from, 32)), 32);
    v128.store(into, v128.andnot(v128.load(into, 48), v128.load(from, 48)), 48);
  }
  for (; into < end; into += 8, from += 8) {
    store<u64>(into, load<u64>(into) & ~load<u64>(from));
  }
}

@inline
function xorWord(into: u32, from: u32): u64 {
  const word = load<u64>(into) ^ load<u64>(from);
  store<u64>(into, word);
  return popcnt(word);
}

/** into ^= from; gives how many bits are set in the result. */
export function xor(into: u32, from: u32, bytes: u32): u32 {
  const end = into + bytes;
  const wide = into + (bytes & ~63);
  let a: u64 = 0, b: u64 = 0;
  for (; into < wide; into += 64, from += 64) {
    a += xorWord(into, from) + xorWord(into + 8, from + 8) +
      xorWord(into + 16, from + 16) + xorWord(into + 24, from + 24);
    b += xorWord(into + 32, from + 32) + xorWord(into + 40, from + 40) +
      xorWord(into + 48, from + 48) + xorWord(into + 56, from + 56);
  }
  for (; into < end; into += 8, from += 8) a += xorWord(into, from);
  return <u32> (a + b);
}
