import { wordsOf } from "./places";

// Which words of a block have an edge: a run begins or ends in them. A list of them is made of 16-bit
// numbers: bytes from the block's start.

/** Bytes of each of four stretches that are looked at side by side, and of the list of each. */
export const STRETCH: u32 = 4096;
const PART: u32 = STRETCH / 4 + 32;
/** Bytes of the longest list. */
export const LIST_BYTES: u32 = 4 * PART;

@inline
export function edgesOf(at: u32): u64 {
  const word = load<u64>(at);
  return word ^ ((word << 1) | (load<u64>(at - 8) >>> 63));
}

@inline
export function note(list: u32, at: u32, from: u32): u32 {
  store<u16>(list, at - from);
  return list + (u32(edgesOf(at) != 0) << 1);
}

/** Ones where a word of two has no edge: where all of its bits are as the last one before them. */
@inline
function plain(words: v128, before: v128): v128 {
  return i64x2.eq(words, i64x2.lt_s(before, i64x2.splat(0)));
}

/** Lists those of 8 words that have an edge, without a branch; `before` is the word before them. */
@inline
function noteEight(list: u32, before: u32, offset: v128): u32 {
  // With offsets that are constants each load is one instruction.
  const a = plain(v128.load(before, 8), v128.load(before));
  const b = plain(v128.load(before, 24), v128.load(before, 16));
  const c = plain(v128.load(before, 40), v128.load(before, 32));
  const d = plain(v128.load(before, 56), v128.load(before, 48));
  const low = v128.shuffle<i32>(a, b, 0, 2, 4, 6);
  const high = v128.shuffle<i32>(c, d, 0, 2, 4, 6);
  const plains = <u32> i16x8.bitmask(i16x8.narrow_i32x4_s(low, high));
  v128.store(list, i16x8.add(offset, wordsOf(plains)));
  return list + 16 - (<u32> popcnt(plains) << 1);
}

@inline
function orOf(at: u32): v128 {
  const low = v128.or(v128.load(at), v128.load(at, 16));
  return v128.or(low, v128.or(v128.load(at, 32), v128.load(at, 48)));
}

@inline
function andOf(at: u32): v128 {
  const low = v128.and(v128.load(at), v128.load(at, 16));
  return v128.and(low, v128.and(v128.load(at, 32), v128.load(at, 48)));
}

/** Whether a bit of 128 bytes is set. */
@inline
function hasSet(at: u32): bool {
  return v128.any_true(v128.or(orOf(at), orOf(at + 64)));
}

/** Whether a bit of 128 bytes is clear. */
@inline
function hasClear(at: u32): bool {
  return v128.any_true(v128.not(v128.and(andOf(at), andOf(at + 64))));
}

/**
 * Lists the words of a block that have an edge, skipping 128 bytes at a time: where all of their bits
 * are as the last one before them, there is no edge.
 */
@inline
export function listSparse(from: u32, end: u32, list: u32): u32 {
  let isSet = load<i64>(from - 8) < 0;
  let at = from;
  const wide = from + ((end - from) & ~127);
  for (;;) {
    if (isSet) while (at < wide && !hasClear(at)) at += 128;
    else while (at < wide && !hasSet(at)) at += 128;
    if (at == wide) break;
    list = noteEight(list, at - 8, i16x8.splat(<i16> (at - from)));
    list = noteEight(list, at + 56, i16x8.splat(<i16> (at + 64 - from)));
    isSet = load<i64>(at, 120) < 0;
    at += 128;
  }
  return at < end ? noteEight(list, at - 8, i16x8.splat(<i16> (at - from))) : list;
}

/** Lists the words with an edge of 64 bytes, if a bit of them is other than the last one before them. */
@inline
function listOthers(list: u32, from: u32, at: u32, isSet: bool): u32 {
  const hasOther = isSet ? v128.any_true(v128.not(andOf(at))) : v128.any_true(orOf(at));
  return hasOther ? noteEight(list, at - 8, i16x8.splat(<i16> (at - from))) : list;
}

@inline
function lastIsSet(before: u32): bool {
  return load<i64>(before - 8) < 0;
}

/** Appends the list of a stretch to that of those before it. */
@inline
function append(list: u32, part: u32, end: u32): u32 {
  const to = list + (end - part);
  for (; part < end; part += 16, list += 16) v128.store(list, v128.load(part));
  return to;
}

/**
 * Lists the words of four stretches that have an edge, skipping 64 bytes of each at a time. Memory gives
 * half as much again to who reads at four places.
 */
export function listFour(from: u32, list: u32): u32 {
  const b = from + STRETCH, c = b + STRETCH, d = c + STRETCH;
  let isSet = lastIsSet(from), isSetB = lastIsSet(b), isSetC = lastIsSet(c), isSetD = lastIsSet(d);
  let la = list, lb = list + PART, lc = lb + PART, ld = lc + PART;
  let at = from;
  for (;;) {
    if (!(isSet || isSetB || isSetC || isSetD)) {
      while (
        at < b && !v128.any_true(
          v128.or(
            v128.or(orOf(at), orOf(at + STRETCH)),
            v128.or(orOf(at + 2 * STRETCH), orOf(at + 3 * STRETCH)),
          ),
        )
      ) at += 64;
    } else if (isSet && isSetB && isSetC && isSetD) {
      while (
        at < b && !v128.any_true(
          v128.not(
            v128.and(
              v128.and(andOf(at), andOf(at + STRETCH)),
              v128.and(andOf(at + 2 * STRETCH), andOf(at + 3 * STRETCH)),
            ),
          ),
        )
      ) at += 64;
    }
    if (at == b) break;
    la = listOthers(la, from, at, isSet);
    isSet = lastIsSet(at + 64);
    lb = listOthers(lb, from, at + STRETCH, isSetB);
    isSetB = lastIsSet(at + STRETCH + 64);
    lc = listOthers(lc, from, at + 2 * STRETCH, isSetC);
    isSetC = lastIsSet(at + 2 * STRETCH + 64);
    ld = listOthers(ld, from, at + 3 * STRETCH, isSetD);
    isSetD = lastIsSet(at + 3 * STRETCH + 64);
    at += 64;
  }
  la = append(la, list + PART, lb);
  la = append(la, list + 2 * PART, lc);
  return append(la, list + 3 * PART, ld);
}

/** The same without a branch. */
@inline
export function listDense(at: u32, end: u32, list: u32): u32 {
  const step = i16x8.splat(64);
  let offset = i16x8.splat(0);
  for (; at < end; at += 64) {
    list = noteEight(list, at - 8, offset);
    offset = i16x8.add(offset, step);
  }
  return list;
}
