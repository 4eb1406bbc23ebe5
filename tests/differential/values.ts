/** Arbitraries of the fields of requests: mostly sound, near one another, and now and then absurd. */
import { neededBytes } from "./bitmap.ts";
import type { Arbitrary, FastCheck } from "./fast_check.ts";
import type { Bitmap, Place, Pointer } from "./operation.ts";
import { HALF, PAGE } from "./places.ts";

/** Where most mappings lie: low enough for every device, and no page of it is special. */
export const BASE = 0x100_0000n;
const page = (n: number): bigint => BigInt(n) * BigInt(PAGE);
/** 8 TiB: a mapping of this size has one page too many for a bitmap. */
const TOO_LARGE = 1n << 43n;

/** A range of device addresses. */
export interface Range {
  readonly iova: bigint;
  readonly size: bigint;
}

/** Chooses the size of a bitmap from the bytes that it needs. */
type BitmapSize = (need: bigint) => bigint;

/** Makes the fields of requests. */
export class Values {
  readonly fc: FastCheck;
  constructor(fc: FastCheck) {
    this.fc = fc;
  }

  /** The first one in nearly all cases: `weight` to 1. */
  mostly<T>(usual: Arbitrary<T>, rest: Arbitrary<T>, weight = 24): Arbitrary<T> {
    return this.fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: rest });
  }

  /** One of these, the first far more often than all others. */
  rather<T>(usual: T, ...rest: T[]): Arbitrary<T> {
    return this.mostly(this.fc.constant(usual), this.fc.constantFrom(...rest));
  }

  /** An address in the window in which mappings meet, with the edges of words of a bitmap. */
  iova(): Arbitrary<bigint> {
    const { fc } = this;
    const near = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 12 }) },
      { weight: 2, arbitrary: fc.constantFrom(62, 63, 64, 65, 68, 127, 128, 130, 192) },
    ).map((n) => BASE + page(n));
    const edges = fc.constantFrom(
      0n,
      BASE - page(1),
      BASE + 0x800n,
      BASE + 1n,
      0xfee0_0000n,
      0xfedf_f000n,
      0xfeef_f000n,
      0xfef0_0000n,
      1n << 39n,
      (1n << 39n) - page(1),
      (1n << 48n) - page(1),
      1n << 48n,
      1n << 63n,
      (1n << 64n) - page(2),
      (1n << 64n) - page(1),
    );
    return this.mostly(near, edges, 20);
  }

  /** Bytes of a mapping. */
  mapSize(): Arbitrary<bigint> {
    const { fc } = this;
    const small = fc.constantFrom(1, 1, 1, 2, 3, 4, 5, 8, 16, 60, 64, 65, 128, 200).map(page);
    const odd = fc.constantFrom(
      0n,
      1n,
      0x800n,
      0x1800n,
      page(512),
      1n << 32n,
      TOO_LARGE,
      1n << 63n,
      (1n << 64n) - page(1),
      (1n << 64n) - 1n,
    );
    return this.mostly(small, odd, 24);
  }

  /** A range to unmap or to read: with `whole` of eight one that holds the window, and cuts little. */
  range(whole: number): Arbitrary<Range> {
    const { fc } = this;
    return fc.oneof<Range>(
      {
        weight: whole,
        arbitrary: fc.constantFrom<Range>(
          { iova: BASE, size: page(256) },
          { iova: BASE, size: page(512) },
          { iova: BASE - page(1), size: page(513) },
          { iova: BASE - page(3), size: page(300) },
          { iova: BASE - page(64), size: page(400) },
          { iova: BASE + page(40), size: page(300) },
        ),
      },
      { weight: 8, arbitrary: fc.record<Range>({ iova: this.iova(), size: this.mapSize() }) },
      {
        weight: 1,
        arbitrary: fc.constantFrom<Range>(
          { iova: 0n, size: 1n << 32n },
          { iova: 0n, size: TOO_LARGE },
          { iova: 0n, size: TOO_LARGE + page(1) },
          { iova: 0n, size: (1n << 64n) - page(1) },
          { iova: page(1), size: (1n << 64n) - page(1) },
          { iova: (1n << 64n) - page(1), size: page(1) },
          { iova: (1n << 64n) - page(1), size: page(2) },
          { iova: (1n << 64n) - page(64), size: page(63) },
          { iova: 0n, size: 0n },
        ),
      },
    );
  }

  #pointer(place: Place, ...offsets: number[]): Arbitrary<Pointer> {
    return this.fc.constantFrom(...offsets.map((offset): Pointer => ({ place, offset })));
  }

  /** Memory to map: with room for all but the largest sizes. */
  vaddr(): Arbitrary<Pointer> {
    const { fc } = this;
    const good = fc.oneof(
      { weight: 6, arbitrary: this.#pointer("good", 0, PAGE, 64 * PAGE, 128 * PAGE) },
      { weight: 2, arbitrary: this.#pointer("half", 0, PAGE, HALF - PAGE) },
      { weight: 2, arbitrary: this.#pointer("read-only", 0, PAGE) },
    );
    const bad = fc.oneof(
      { weight: 1, arbitrary: this.#pointer("good", 1, 0x800) },
      { weight: 1, arbitrary: this.#pointer("half", HALF) },
      { weight: 1, arbitrary: this.#pointer("nowhere", 0) },
      { weight: 1, arbitrary: this.#pointer("null", 0) },
      { weight: 1, arbitrary: this.#pointer("kernel", 0) },
      { weight: 1, arbitrary: this.#pointer("top", 0, PAGE) },
    );
    return this.mostly(good, bad, 14);
  }

  /** A bitmap for a range of some size: right, or too short, of another page, in bad memory. */
  bitmap(): Arbitrary<(size: bigint) => Bitmap> {
    const { fc } = this;
    const data = fc.oneof(
      { weight: 40, arbitrary: this.#pointer("bits", 0) },
      { weight: 3, arbitrary: this.#pointer("bits", 1, 4, 8, 4088) },
      { weight: 2, arbitrary: this.#pointer("half", HALF - 8, HALF - 12, HALF - 32, HALF) },
      { weight: 1, arbitrary: this.#pointer("read-only", 0) },
      { weight: 1, arbitrary: this.#pointer("nowhere", 0) },
      { weight: 1, arbitrary: this.#pointer("null", 0) },
      { weight: 1, arbitrary: this.#pointer("kernel", 0) },
      { weight: 1, arbitrary: this.#pointer("top", 0) },
    );
    const size = this.mostly(
      fc.constant<BitmapSize>((need) => need),
      fc.constantFrom<BitmapSize>(
        (need) => need - 1n,
        (need) => need - 8n,
        (need) => need + 1n,
        (need) => need + 8n,
        () => 0n,
        () => 1n << 28n,
        () => (1n << 28n) + 1n,
        () => 1n << 63n,
      ),
    );
    const pgsize = this.rather(
      page(1),
      ...[0n, 1n, 512n, 2048n, 0x1001n, page(2), 1n << 21n, 1n << 63n],
    );
    return fc.record({ pgsize, size, data, fill: this.rather(0, 0xff, 0x01) })
      .map(({ size, ...rest }) => (range) => ({ ...rest, size: size(neededBytes(range)) }));
  }
}
