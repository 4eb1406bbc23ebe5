import { tailWord, wholeBytes } from "./bits";
import {
  edgesOf,
  LIST_BYTES,
  listDense,
  listFour,
  listSparse,
  note,
  STRETCH,
} from "./list";
import { eights, halves, putHalf } from "./places";

// An iterator's own area: its state, the list of words in which a run begins or ends (16-bit numbers:
// bytes from the start of the block that was listed), and the edges found: first bit of a run, bit behind its last, and so on. lib/dirty/area.ts has the same numbers.

/** Address of the bitmap. */
const START: usize = 0;
/** Its length; 0 modulo 64 where another chunk follows. */
const BITS: usize = 4;
/** Address of the first word that is not listed yet. */
const NEXT: usize = 8;
/** Addresses of the next listed word that is not taken yet, and of the end of the list. */
const TAKE: usize = 12;
const LISTED: usize = 16;
/** How the next words are looked at. */
const MODE: usize = 20;
/** 1 where the bitmap ends here, 0 where another chunk follows. */
const FINAL: usize = 24;
/** 1 when all is found. */
const DONE: usize = 28;
/** 1 where a run is open, and where it began: so a chunk knows how the one before it ended. */
const OPEN: usize = 32;
const BEGAN: usize = 36;
/** The number of the bitmap's first bit. */
const BASE: usize = 40;
/** Address of the block that was listed. */
const FROM: usize = 44;
/** 1 where the words that are listed have few edges each. */
const FEW: usize = 48;
const LIST: usize = 64;
/** Words of a block. */
const BLOCK: u32 = 1024;
const EDGES: usize = LIST + LIST_BYTES;
/** Edges that are given at most at a time; a word may add 64. */
const MOST: u32 = 4096;

/** Stretches without an edge are skipped. */
const SPARSE: u32 = 0;
/** Every word is looked at, and those with an edge are listed. */
const DENSE: u32 = 1;
/** The edges of every word are written, without a list. */
const EVERY: u32 = 2;

/** From more edges in a word than this on, all of its bytes are looked at. */
const MANY: u32 = 10;

@inline
function putTwo(out: u32, base: u32, edges: u64): u64 {
  store<u32>(out, base + <u32> ctz(edges));
  edges &= edges - 1;
  store<u32>(out, base + <u32> ctz(edges), 4);
  return edges & (edges - 1);
}

/** The same as a call, for words that are seldom like that. */
function putMany(out: u32, base: u32, edges: u64): u32 {
  const from = i32x4.splat(base);
  out = putHalf(out, from, <u32> edges, eights());
  return putHalf(out, i32x4.add(from, halves()), <u32> (edges >>> 32), eights());
}

/**
 * Writes the places of a word's edges, `some` of them, two or four, without asking; what it writes behind them is
 * overwritten.
 */
@inline
function put(out: u32, base: u32, edges: u64, some: i32): u32 {
  const many = <u32> popcnt(edges);
  if (many > MANY) return putMany(out, base, edges);
  const end = out + (many << 2);
  edges = putTwo(out, base, edges);
  if (some > 2) edges = putTwo(out + 8, base, edges);
  for (out += some << 2; out < end; out += 8) edges = putTwo(out, base, edges);
  return end;
}

/** Whether the first words of a list have no more than two edges, as those where long runs begin or end. */
function areFew(take: u32, listed: u32, from: u32): bool {
  const end = min(listed, take + 32);
  let most: u64 = 0;
  for (; take < end; take += 2) most = max(most, popcnt(edgesOf(from + <u32> load<u16>(take))));
  return most <= 2;
}

/** Finds the next runs; gives how many edges stand in the area: always whole runs. */
export function runs(area: u32): u32 {
  const start = load<u32>(area, START);
  const bits = load<u32>(area, BITS);
  const base = load<u32>(area, BASE);
  const first = area + <u32> EDGES;
  const full = first + 4 * MOST;
  const wordsEnd = start + wholeBytes(bits);
  let out = first;
  let next = load<u32>(area, NEXT);
  let take = load<u32>(area, TAKE);
  let listed = load<u32>(area, LISTED);
  let mode = load<u32>(area, MODE);
  let few = <bool> load<u32>(area, FEW);
  let from = load<u32>(area, FROM);
  if (load<u32>(area, OPEN)) {
    store<u32>(out, load<u32>(area, BEGAN));
    out += 4;
  }
  if (next == start) {
    // Nothing lies before the first word: these few are done without looking there.
    let carry = <u64> load<u32>(area, OPEN);
    const end = min<u32>(wordsEnd, start + 64);
    for (; next < end; next += 8) {
      const word = load<u64>(next);
      out = put(out, base + ((next - start) << 3), word ^ ((word << 1) | carry), 4);
      carry = word >>> 63;
    }
  }
  for (;;) {
    if (few) {
      for (; take < listed && out < full; take += 2) {
        const at = from + <u32> load<u16>(take);
        out = put(out, base + ((at - start) << 3), edgesOf(at), 2);
      }
    } else {
      // Four without asking: a branch that is taken one time in three costs more.
      for (; take < listed && out < full; take += 2) {
        const at = from + <u32> load<u16>(take);
        out = put(out, base + ((at - start) << 3), edgesOf(at), 4);
      }
    }
    // All is at hand here: a list, and a call a word, would cost a third more.
    while (mode == EVERY && next < wordsEnd && out < full) {
      // So many words cannot write too much, and nothing else is asked before their end.
      const bytes = min<u32>(wordsEnd - next, (full - out + 255) >>> 8 << 3);
      const most = out + (bytes >>> 1) * MANY;
      const end = next + bytes;
      const eight = eights();
      const half = halves();
      let place = i32x4.splat(base + ((next - start) << 3));
      let before = load<u64>(next - 8);
      for (; next < end; next += 8) {
        const word = load<u64>(next);
        const edges = word ^ ((word << 1) | (before >>> 63));
        before = word;
        out = putHalf(out, place, <u32> edges, eight);
        place = i32x4.add(place, half);
        out = putHalf(out, place, <u32> (edges >>> 32), eight);
        place = i32x4.add(place, half);
      }
      if (out <= most) mode = DENSE;
    }
    if (out >= full || next == wordsEnd) break;
    take = area + <u32> LIST;
    from = next;
    const left = wordsEnd - next;
    let bytes: u32 = 4 * STRETCH;
    if (mode == SPARSE && left >= bytes) {
      listed = listFour(next, take);
      next += bytes;
    } else {
      bytes = min<u32>(left, 8 * BLOCK);
      const wide = next + (bytes & ~63);
      const end = next + bytes;
      listed = mode == SPARSE ? listSparse(next, wide, take) : listDense(next, wide, take);
      for (next = wide; next < end; next += 8) listed = note(listed, next, from);
    }
    // From one word with an edge in 32 on, the branches cost more than they save.
    const listedBytes = (listed - take) << 2;
    few = areFew(take, listed, from);
    mode = listedBytes == bytes ? EVERY : listedBytes > bytes >>> 5 ? DENSE : SPARSE;
  }
  if (out < full && next == wordsEnd && !load<u32>(area, DONE)) {
    if (load<u32>(area, FINAL)) {
      const tail = tailWord(start, bits);
      const carry = start == wordsEnd ? <u64> load<u32>(area, OPEN) : load<u64>(wordsEnd - 8) >>> 63;
      const edges = tail ^ ((tail << 1) | carry);
      out = put(out, base + ((wordsEnd - start) << 3), edges, 4);
    }
    store<u32>(area, 1, DONE);
  }
  const edges = (out - first) >>> 2;
  const open = edges & 1;
  store<u32>(area, open, OPEN);
  if (open) store<u32>(area, load<u32>(out - 4), BEGAN);
  store<u32>(area, next, NEXT);
  store<u32>(area, take, TAKE);
  store<u32>(area, listed, LISTED);
  store<u32>(area, mode, MODE);
  store<u32>(area, few, FEW);
  store<u32>(area, from, FROM);
  return edges - open;
}

/** Writes the runs of some edges as 64-bit addresses and sizes. */
export function expand(edges: u32, count: u32, iova: u64, shift: u64, into: u32): void {
  const end = edges + (count << 2);
  for (; edges < end; edges += 8, into += 16) {
    const from = <u64> load<u32>(edges);
    const to = <u64> load<u32>(edges, 4);
    store<u64>(into, iova + (from << shift));
    store<u64>(into, (to - from) << shift, 8);
  }
}
