import {
  capabilities,
  type Capability,
  decodeDmaAvail,
  decodeIovaRanges,
  decodeMigration,
  decodeMsixMappable,
  decodePciAtomicComp,
  decodeRegionType,
  decodeSparseMmap,
} from "../../../lib/uapi/capability.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

/** Bytes from little-endian fields: `[width, value]`. */
function bytesOf(...fields: readonly (readonly [1 | 2 | 4 | 8, number | bigint])[]): Uint8Array {
  const out: number[] = [];
  for (const [width, value] of fields) {
    for (let i = 0n; i < width; i += 1n) out.push(Number((BigInt(value) >> (8n * i)) & 0xffn));
  }
  return Uint8Array.from(out);
}

const header = (id: number, next: number): (readonly [2 | 4, number])[] => [
  [2, id],
  [2, 1],
  [4, next],
];

/** An answer to IOMMU_GET_INFO as a type1 container on x86-64 gives it: 24 + 32 + 16 + 48 bytes. */
const INFO = bytesOf(
  ...([[4, 120], [4, 3], [8, 0x1000], [4, 24], [4, 0]] as const),
  ...header(2, 56), // MIGRATION: flags, a hole, page sizes, largest bitmap
  ...([[4, 0], [4, 0], [8, 0x1000], [8, 0x1000_0000]] as const),
  ...header(3, 72), // DMA_AVAIL, and four bytes to the next multiple of 8
  ...([[4, 65535], [4, 0]] as const),
  ...header(1, 0), // IOVA_RANGE
  ...([[4, 2], [4, 0], [8, 0], [8, 0xfedf_ffffn], [8, 0xfef0_0000n], [
    8,
    (1n << 48n) - 1n,
  ]] as const),
);

const walk = (info: Uint8Array, first: number, head?: number): Capability[] => [
  ...capabilities(info, first, head),
];

describe("capabilities of a real chain", () => {
  it("come in the order of the chain, each with its own bytes", () => {
    equal(INFO.byteLength, 120);
    const found = walk(INFO, 24, 24).map(({ id, version, offset, bytes }) => [
      id,
      version,
      offset,
      bytes.byteLength,
    ]);
    equal(found, [[2, 1, 24, 32], [3, 1, 56, 16], [1, 1, 72, 48]]);
  });

  it("decode to plain objects", () => {
    const [migration, avail, ranges] = walk(INFO, 24).map(({ bytes }) => bytes);
    ok(migration && avail && ranges);
    equal(decodeMigration(migration), { pageSizes: 0x1000n, maxBitmapBytes: 0x1000_0000n });
    equal(decodeDmaAvail(avail), 65535);
    equal(decodeIovaRanges(ranges), [
      { start: 0n, end: 0xfedf_ffffn },
      { start: 0xfef0_0000n, end: 0xffff_ffff_ffffn },
    ]);
  });

  it("may follow each other without padding, as before Linux v6.6", () => {
    const info = new Uint8Array(20 + 12 + 8);
    info.set(bytesOf(...header(3, 32), [4, 7]), 20);
    info.set(bytesOf(...header(9, 0)), 32);
    equal(walk(info, 20).map(({ id, bytes }) => [id, bytes.byteLength]), [[3, 12], [9, 8]]);
  });

  it("may go backwards in the buffer", () => {
    const info = new Uint8Array(112);
    info.set(bytesOf(...header(7, 24)), 104);
    info.set(bytesOf(...header(8, 0)), 24);
    const found = walk(info, 104).map(({ id, offset, bytes }) => [id, offset, bytes.byteLength]);
    equal(found, [[7, 104, 8], [8, 24, 80]]);
  });

  it("are none where the first offset is 0", () => {
    equal(walk(INFO, 0), []);
    equal(walk(new Uint8Array(0), 0), []);
  });

  it("are found in a view that begins inside its buffer", () => {
    const larger = new Uint8Array(200);
    larger.set(INFO, 13);
    const found = walk(larger.subarray(13, 13 + INFO.byteLength), 24);
    equal(found.map(({ id }) => id), [2, 3, 1]);
    equal(decodeIovaRanges(found[2]!.bytes).length, 2);
  });
});

describe("a broken chain is refused before its first capability", () => {
  const refuse = (change: (view: DataView) => void, first: number, text: string): void => {
    const info = INFO.slice();
    change(new DataView(info.buffer));
    const error = throws(() => capabilities(info, first, 24).next(), RangeError, text);
    ok(error.message.includes("of a buffer of 120 bytes"));
  };
  const next = (at: number, to: number) => (view: DataView): void =>
    view.setUint32(at + 4, to, true);

  it("misaligned", () =>
    refuse(next(24, 58), 24, "at offset 58 of a buffer of 120 bytes: it is no"));
  it("in the fixed head", () => {
    refuse(next(24, 16), 24, "at offset 16 of a buffer of 120 bytes: it lies in the fixed head");
    refuse(() => {}, 20, "it lies in the fixed head of 24 bytes");
    refuse(next(56, 4), 24, "it lies in the fixed head of 24 bytes");
  });
  it("beyond the buffer", () => {
    refuse(next(24, 120), 24, "its header of 8 bytes ends beyond the buffer");
    refuse(next(24, 0xffff_fffc), 24, "at offset 4294967292");
    refuse(() => {}, 4096, "ends beyond the buffer");
  });
  it("with a truncated header", () => refuse(next(24, 116), 24, "at offset 116"));
  it("pointing at itself", () => refuse(next(24, 24), 24, "the chain comes back to it"));
  it("in a longer circle", () => {
    refuse(next(72, 24), 24, "at offset 24 of a buffer of 120 bytes: the chain comes back to it");
    refuse(next(72, 56), 24, "at offset 56 of a buffer of 120 bytes: the chain comes back to it");
  });
  it("with a header inside another", () => {
    refuse(next(24, 28), 24, "it lies in the header of the one at offset 24");
  });
  it("with a first offset that is no offset", () => {
    for (const first of [-8, 24.5, NaN, Infinity]) refuse(() => {}, first, "it is no offset");
  });
});

describe("a decoder believes no count", () => {
  it("of ranges", () => {
    for (const count of [3, 0xffff_ffff]) {
      const info = INFO.slice();
      new DataView(info.buffer).setUint32(72 + 8, count, true);
      const bytes = walk(info, 24)[2]!.bytes;
      throws(() => decodeIovaRanges(bytes), RangeError, `with ${count} entries`);
    }
    equal(decodeIovaRanges(bytesOf(...header(1, 0), [4, 0], [4, 0])), []);
  });
  it("of areas", () => {
    const areas = bytesOf(...header(1, 0), [4, 1], [4, 0], [8, 0x2000], [8, 0x1000]);
    equal(decodeSparseMmap(areas), [{ offset: 0x2000n, size: 0x1000n }]);
    throws(
      () => decodeSparseMmap(areas.subarray(0, 31)),
      RangeError,
      "needs 32 bytes, there are 31",
    );
    throws(
      () => decodeSparseMmap(areas.subarray(0, 15)),
      RangeError,
      "needs 16 bytes, there are 15",
    );
  });
  it("nor that a capability is whole", () => {
    const short = bytesOf(...header(1, 0));
    const decoders = [decodeIovaRanges, decodeMigration, decodeDmaAvail, decodeSparseMmap];
    for (const decode of [...decoders, decodeRegionType, decodePciAtomicComp]) {
      throws(() => decode(short), RangeError, "there are 8");
    }
    throws(() => decodeMsixMappable(short.subarray(1)), RangeError, "there are 7");
  });
});

describe("capabilities of devices and regions", () => {
  it("TYPE, MSIX_MAPPABLE and PCI_ATOMIC_COMP", () => {
    const type = bytesOf(...header(2, 0), [4, 0x8000_8086], [4, 1]);
    equal(decodeRegionType(type), { type: 0x8000_8086, subtype: 1 });
    equal(decodeMsixMappable(bytesOf(...header(3, 0))), true);
    equal(decodeMsixMappable(type), false);
    const atomic = bytesOf(...header(5, 0), [4, 5], [4, 0]);
    equal(decodePciAtomicComp(atomic), { comp32: true, comp64: false, comp128: true });
  });
});

/** Ours, not one of DataView: that would mean that the bounds were not checked before. */
const refusal = (error: unknown): void =>
  ok(error instanceof RangeError && error.message.startsWith("Cannot read "), `${error}`);

describe("any bytes at all", () => {
  it("end, and are read only inside the buffer (10000 random buffers)", () => {
    // A generator of our own: a failure can be repeated.
    let seed = 0x2545_f491;
    const random = (below: number): number => {
      seed ^= seed << 13;
      seed ^= seed >>> 17;
      seed ^= seed << 5;
      return (seed >>> 0) % below;
    };
    const decoders = [decodeIovaRanges, decodeMigration, decodeDmaAvail, decodeSparseMmap];
    let whole = 0;
    let refused = 0;
    for (let round = 0; round < 10_000; round += 1) {
      const length = random(256);
      const outside = 16;
      const buffer = new Uint8Array(outside + length + outside).fill(0xa5);
      const info = buffer.subarray(outside, outside + length);
      // Small multiples of 4, and many zeros, make chains that go on for a while and end.
      for (let i = 0; i < length; i += 1) {
        const word = random(3) === 0 ? 0 : 4 * random(64);
        info[i] = random(60) === 0 ? random(256) : i % 4 === 0 ? word : 0;
      }
      try {
        for (const { offset, bytes } of capabilities(info, 4 * random(70))) {
          ok(offset >= 20 && offset + 8 <= length, `offset ${offset} of ${length}`);
          ok(bytes.buffer === buffer.buffer && bytes.byteOffset === outside + offset);
          ok(bytes.byteLength >= 8 && offset + bytes.byteLength <= length);
          whole += 1;
          for (const decode of decoders) {
            try {
              decode(bytes);
            } catch (error) {
              refusal(error);
            }
          }
        }
      } catch (error) {
        refusal(error);
        refused += 1;
      }
      ok(buffer.subarray(0, outside).every((byte) => byte === 0xa5), "nothing is written");
    }
    ok(whole > 500 && refused > 500, `both ways are met: ${whole} given, ${refused} refused`);
  });
});
