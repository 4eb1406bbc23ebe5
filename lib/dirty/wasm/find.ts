import { tailWord, wholeBytes } from "./bits";

/** Where the first word lies that is not 0; `end` if there is none. */
@inline
function seek(at: u32, end: u32): u32 {
  const wide = at + ((end - at) & ~63);
  while (at < wide) {
    const low = v128.or(v128.load(at), v128.load(at, 16));
    const high = v128.or(v128.load(at, 32), v128.load(at, 48));
    if (v128.any_true(v128.or(low, high))) break;
    at += 64;
  }
  while (at < end && load<u64>(at) == 0) at += 8;
  return at;
}

/** The place of the first bit that is set; `bits` if there is none. */
export function first(at: u32, bits: u32): u32 {
  const end = at + wholeBytes(bits);
  const found = seek(at, end);
  const word = found < end ? load<u64>(found) : tailWord(at, bits);
  return word == 0 ? bits : ((found - at) << 3) + <u32> ctz(word);
}

/** Whether a bit is set. */
export function any(at: u32, bits: u32): u32 {
  return u32(first(at, bits) != bits);
}

/** The place of the last bit that is set; `bits` if there is none. */
export function last(at: u32, bits: u32): u32 {
  let end = at + wholeBytes(bits);
  const tail = tailWord(at, bits);
  if (tail != 0) return ((end - at) << 3) + 63 - <u32> clz(tail);
  const odd = at + ((end - at) & 63);
  while (end > odd) {
    const low = v128.or(v128.load(end - 64), v128.load(end - 48));
    const high = v128.or(v128.load(end - 32), v128.load(end - 16));
    if (v128.any_true(v128.or(low, high))) break;
    end -= 64;
  }
  while (end > at && load<u64>(end - 8) == 0) end -= 8;
  return end == at ? bits : ((end - at) << 3) - 1 - <u32> clz(load<u64>(end - 8));
}
