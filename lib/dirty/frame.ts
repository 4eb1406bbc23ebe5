/**
 * One piece of binary data with a header and a checksum, little endian:
 *
 * | bytes | what                                              |
 * | ----- | ------------------------------------------------- |
 * | 0-3   | "PSF1": Pinscope frame, version 1                 |
 * | 4-7   | four letters: the kind of the payload             |
 * | 8-15  | bytes of the payload                              |
 * | 16-19 | CRC-32 (that of zip) of bytes 0-15 and the payload |
 * | 20-   | the payload                                       |
 *
 * @module
 */

const MAGIC = "PSF1";
const HEADER = 20;

/** Bytes of the header of a frame. */
export const FRAME_HEADER: number = HEADER;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
  return crc;
});

/** CRC-32 of some bytes, going on from the CRC-32 of those before. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i += 1) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]!) & 255]!;
  return ~crc >>> 0;
}

const letters = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

function checksum(frame: Uint8Array): number {
  return crc32(frame.subarray(HEADER), crc32(frame.subarray(0, HEADER - 4)));
}

/**
 * Packs a payload.
 *
 * @param kind Four letters.
 */
export function packFrame(kind: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(HEADER + payload.length);
  frame.set(new TextEncoder().encode(MAGIC + kind));
  frame.set(payload, HEADER);
  const view = new DataView(frame.buffer);
  view.setBigUint64(8, BigInt(payload.length), true);
  view.setUint32(16, checksum(frame), true);
  return frame;
}

/** What the first bytes of a frame say about it; what they say may be damaged. */
export interface FrameHead {
  /** Four letters. */
  readonly kind: string;
  /** Bytes of the whole frame, with its header. */
  readonly length: bigint;
}

/** Reads a header; undefined where the bytes are too few, or begin with something else. */
export function frameHead(bytes: Uint8Array): FrameHead | undefined {
  if (bytes.length < HEADER || letters(bytes.subarray(0, 4)) !== MAGIC) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER);
  const length = BigInt(HEADER) + view.getBigUint64(8, true);
  return { kind: letters(bytes.subarray(4, 8)), length };
}

/**
 * Gives the payload of a frame; it is not copied.
 *
 * @throws {RangeError} If it is of another kind or version, cut short, too long or damaged.
 */
export function unpackFrame(kind: string, frame: Uint8Array): Uint8Array {
  const refuse = (wanted: string, got: string | number | bigint): never => {
    throw new RangeError(`Cannot read the frame: it must ${wanted}; got ${got}`);
  };
  if (frame.length < HEADER) refuse(`have a header of ${HEADER} bytes`, frame.length);
  const magic = letters(frame.subarray(0, 4));
  if (magic !== MAGIC) refuse(`begin with ${MAGIC}`, JSON.stringify(magic));
  const found = letters(frame.subarray(4, 8));
  if (found !== kind) refuse(`be of the kind ${kind}`, JSON.stringify(found));
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const wanted = BigInt(HEADER) + view.getBigUint64(8, true);
  if (BigInt(frame.length) !== wanted) refuse(`have ${wanted} bytes, as it says`, frame.length);
  const [sum, real] = [view.getUint32(16, true), checksum(frame)];
  if (sum !== real) {
    refuse(`have the checksum 0x${sum.toString(16)} that it says`, `0x${real.toString(16)}`);
  }
  return frame.subarray(HEADER);
}
