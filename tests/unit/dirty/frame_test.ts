import { DirtyMap } from "../../../lib/dirty/dirty_map.ts";
import { crc32, packFrame, unpackFrame } from "../../../lib/dirty/frame.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { Random } from "../random.ts";

const PAGE = 4096n;

function sample(): DirtyMap {
  return new DirtyMap(PAGE).addRange(0x1000n, 3).addRange(0x1_0000_0000n, 70_000)
    .addRange((1n << 64n) - PAGE, 1);
}

/** Every other page of a chunk, which is then kept as bits. */
function alternate(): DirtyMap {
  const runs = Array.from({ length: 3000 }, (_, i) => ({ iova: BigInt(i * 2) * PAGE, pages: 1 }));
  return new DirtyMap(PAGE).add({ pageSize: PAGE, runs: () => runs });
}

describe("a frame", () => {
  it("has the checksum of zip", () => {
    const digits = new TextEncoder().encode("123456789");
    equal(crc32(digits), 0xcbf4_3926);
    equal(crc32(digits.subarray(4), crc32(digits.subarray(0, 4))), 0xcbf4_3926);
    equal(crc32(new Uint8Array(0)), 0);
  });

  it("gives back what was put in, wherever it lies", () => {
    const payload = Uint8Array.of(1, 2, 3);
    const frame = packFrame("test", payload);
    equal([...frame.subarray(0, 16)], [
      ...new TextEncoder().encode("PSF1test"),
      3,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
    ]);
    equal([...unpackFrame("test", frame)], [1, 2, 3]);
    const inside = new Uint8Array(100);
    inside.set(frame, 7);
    equal([...unpackFrame("test", inside.subarray(7, 7 + frame.length))], [1, 2, 3]);
    equal(unpackFrame("test", packFrame("test", new Uint8Array(0))).length, 0);
  });

  it("says what is wrong with it", () => {
    const frame = packFrame("test", Uint8Array.of(1, 2, 3));
    const wrong: [Uint8Array, string][] = [
      [frame.subarray(0, 19), "have a header of 20 bytes; got 19"],
      [frame.subarray(0, 22), "have 23 bytes, as it says; got 22"],
      [Uint8Array.of(...frame, 0), "have 23 bytes, as it says; got 24"],
      [frame.with(0, 81), 'begin with PSF1; got "QSF1"'],
      [frame.with(3, 50), 'begin with PSF1; got "PSF2"'],
      [packFrame("else", new Uint8Array(0)), 'be of the kind test; got "else"'],
      [frame.with(22, 4), "have the checksum 0x"],
    ];
    for (const [bytes, message] of wrong) {
      throws(() => unpackFrame("test", bytes), RangeError, message);
    }
  });
});

describe("a set of pages as a frame", () => {
  it("comes back the same", () => {
    const random = new Random(41);
    const maps = [new DirtyMap(PAGE), new DirtyMap(1n << 21n), sample(), alternate()];
    for (let round = 0; round < 30; round += 1) {
      const map = new DirtyMap(PAGE);
      for (let i = random.below(200); i > 0; i -= 1) {
        map.addRange(BigInt(random.below(200_000)) * PAGE, random.pick([1, 2, 100, 40_000]));
      }
      maps.push(map);
    }
    for (const map of maps) {
      const back = DirtyMap.fromBytes(map.toBytes());
      equal([back.pageSize, back.count, back.byteLength], [
        map.pageSize,
        map.count,
        map.byteLength,
      ]);
      ok(back.equals(map));
      equal([...back.toBytes()], [...map.toBytes()]);
    }
  });

  it("comes back the same at every edge of the numbers in it", () => {
    for (const n of [1, 2, 126, 127, 128, 129, 255, 256, 16383, 16384, 16385, 32639, 32640]) {
      const pages = [
        new DirtyMap(PAGE).addRange(0n, n), //                       as long as that
        new DirtyMap(PAGE).addRange(BigInt(n) * PAGE, 1), //         so many clear pages before it
        new DirtyMap(PAGE).addRange(BigInt(n) * 32768n * PAGE, 1), // so many chunks left out
      ];
      for (const map of pages) ok(DirtyMap.fromBytes(map.toBytes()).equals(map), `${n}`);
    }
    for (const runs of [1, 127, 128, 129, 1023, 1024, 1025]) {
      const map = new DirtyMap(PAGE);
      for (let i = 0; i < runs; i += 1) map.addRange(BigInt(i * 3) * PAGE, 2);
      ok(DirtyMap.fromBytes(map.toBytes()).equals(map), `${runs} runs`);
    }
  });

  it("comes back the same where a number lies over the end of what was allocated", () => {
    for (let runs = 60; runs < 160; runs += 1) {
      for (const first of [0, 1, 200]) {
        const map = new DirtyMap(PAGE);
        for (let i = 0; i < runs; i += 1) map.addRange(BigInt(first + i * 200) * PAGE, 1);
        ok(DirtyMap.fromBytes(map.toBytes()).equals(map), `${runs} runs from ${first} on`);
      }
    }
  });

  it("is small: a few bytes a run, or a bit a page", () => {
    const one = new DirtyMap(PAGE).toBytes().length;
    const runs = Array.from({ length: 1025 }, (_, i) => ({ iova: BigInt(i * 3) * PAGE, pages: 2 }));
    const of = (count: number): number =>
      new DirtyMap(PAGE).add({ pageSize: PAGE, runs: () => runs.slice(0, count) }).toBytes().length;
    equal([of(1024), of(1025)], [one + 3 + 2 * 1024, one + 2 + 4096]);
    equal(one, 28);
    equal(new DirtyMap(PAGE).addRange(0n, 2 ** 24).toBytes().length, one + 512 * 6);
    equal(alternate().toBytes().length, one + 2 + 4096);
  });

  it("is refused when it is cut anywhere", () => {
    for (const bytes of [sample().toBytes(), alternate().toBytes()]) {
      for (let length = 0; length < bytes.length; length += 1) {
        throws(() => DirtyMap.fromBytes(bytes.subarray(0, length)), RangeError, "Cannot read the");
      }
    }
  });

  it("is refused when any bit of it is another", () => {
    const bytes = sample().toBytes();
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      throws(() => DirtyMap.fromBytes(damaged), RangeError, "Cannot read the frame");
    }
  });

  it("is refused when the checksum is right and the pages are not", () => {
    const size = [0, 16, 0, 0, 0, 0, 0, 0];
    const wrong: Readonly<Record<string, [number[], string]>> = {
      "no page size": [[0, 16], "8 more bytes; got 2"],
      "a page size of 0": [[0, 0, 0, 0, 0, 0, 0, 0], "power of two; got 0"],
      "a page size of 3": [[3, 0, 0, 0, 0, 0, 0, 0], "power of two; got 3"],
      "a chunk without runs": [[...size, 0], "1 more bytes; got 0"],
      "bits that are cut": [[...size, 0, 0, 1, 2], "4096 more bytes; got 2"],
      "a chunk without a page": [
        [...size, 0, 0, ...Array(4096).fill(0)],
        "a page in each chunk; got none",
      ],
      "runs that touch": [[...size, 0, 2, 0, 0, 0, 0], "a clear page between two runs"],
      "too many runs": [[...size, 0, 0x81, 0x80, 1], "at most 16384; got 16385"],
      "a run behind the chunk": [[...size, 0, 1, 0xff, 0xff, 1, 1], "at most 0; got 1"],
      "a run behind the chunk's end": [
        [...size, 0, 1, 0x80, 0x80, 2, 0],
        "at most 32767; got 32768",
      ],
      "a chunk behind the last": [
        [0, 0, 0, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 1, 0, 0],
        "pages below 2^64 only; got chunk 1",
      ],
      "a run longer than the chunk": [
        [...size, 0, 1, 0, 0x80, 0x80, 2],
        "at most 32767; got 32768",
      ],
      "a number without an end": [
        [...size, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
        "a longer one",
      ],
      "a chunk above 64 bits": [[...size, 0x80, 0x80, 0x80, 0x80, 0x80, 4], "at most 137438953471"],
    };
    for (const [payload, message] of Object.values(wrong)) {
      const frame = packFrame("page", Uint8Array.from(payload));
      throws(() => DirtyMap.fromBytes(frame), RangeError, message);
    }
    const last = packFrame("page", Uint8Array.from([...size, 0, 1, 0xff, 0xff, 1, 0]));
    equal([...DirtyMap.fromBytes(last).runs()], [{ iova: 32767n * PAGE, size: PAGE, pages: 1 }]);
  });

  it("wants bytes", () => {
    throws(() => DirtyMap.fromBytes("PSF1" as unknown as Uint8Array), TypeError, "got the string");
  });
});
