/**
 * Walks the chain of capabilities that an info request leaves behind its struct.
 *
 * The kernel's offsets are not trusted: a chain that is bent, crosses itself or leaves the buffer is
 * refused as a whole, before its first capability is given out.
 *
 * @see include/uapi/linux/vfio.h, struct vfio_info_cap_header
 * @module
 */
import { vfio_info_cap_header } from "./capability_struct.ts";

export * from "./capability_decode.ts";

/** One capability, with everything up to the next one or the end of the buffer. */
export interface Capability {
  /** What it is; each info request has its own numbers. */
  readonly id: number;
  /** The version of its struct; all known ones are 1. */
  readonly version: number;
  /** Where it begins, in bytes from the start of the info struct. */
  readonly offset: number;
  /** Its bytes, header included: a view of the buffer, not a copy. */
  readonly bytes: Uint8Array;
}

const HEADER = vfio_info_cap_header.size;
// Kernels before v6.6 put a capability right behind the 12 bytes of DMA_AVAIL, so 4 and not 8.
const ALIGN = vfio_info_cap_header.align;
// struct vfio_device_info as it was before v6.6, the shortest head that has a chain.
const SHORTEST_HEAD = 20;

/**
 * Gives the capabilities of an info struct, in the order of the chain.
 *
 * @example The chain of a container
 * ```ts
 * import { capabilities } from "@pinscope/vfio/uapi";
 *
 * const info = new Uint8Array(40);
 * const view = new DataView(info.buffer);
 * view.setUint16(24, 3, true); // id: DMA_AVAIL
 * view.setUint16(26, 1, true); // version
 * view.setUint32(32, 65535, true);
 *
 * const [capability] = capabilities(info, 24);
 * if (capability?.id !== 3) throw new Error("the chain begins with DMA_AVAIL");
 * ```
 *
 * @param info The info struct and what follows it, as the kernel filled the buffer.
 * @param first `cap_offset`, in bytes from the start of `info`; 0 for no chain.
 * @param head `sizeof` the info struct, where no capability may lie; at least 20 bytes.
 * @throws {RangeError} If an offset is misaligned, lies in the head or beyond the buffer, meets a
 *   capability that was given before, or lies in the header of another.
 */
export function* capabilities(
  info: Uint8Array,
  first: number,
  head: number = SHORTEST_HEAD,
): Generator<Capability, void, undefined> {
  const view = new DataView(info.buffer, info.byteOffset, info.byteLength);
  const chain: number[] = [];
  const seen = new Set<number>();
  for (let offset = first; offset !== 0; offset = view.getUint32(offset + 4, true)) {
    const fault = faultOf(offset, info.byteLength, Math.max(head, SHORTEST_HEAD), seen);
    if (fault !== undefined) throw chainError(offset, info.byteLength, fault);
    seen.add(offset);
    chain.push(offset);
  }
  const sorted = chain.toSorted((a, b) => a - b);
  const ends = new Map<number, number>();
  for (const [i, offset] of sorted.entries()) {
    const end = sorted[i + 1] ?? info.byteLength;
    if (end - offset < HEADER) {
      throw chainError(
        end,
        info.byteLength,
        `it lies in the header of the one at offset ${offset}`,
      );
    }
    ends.set(offset, end);
  }
  for (const offset of chain) {
    yield {
      id: view.getUint16(offset, true),
      version: view.getUint16(offset + 2, true),
      offset,
      bytes: info.subarray(offset, ends.get(offset)),
    };
  }
}

/** What is wrong with an offset; the set makes the walk end, however the chain is bent. */
function faultOf(
  offset: number,
  length: number,
  head: number,
  seen: ReadonlySet<number>,
): string | undefined {
  if (!Number.isInteger(offset) || offset < 0) return "it is no offset";
  if (offset < head) return `it lies in the fixed head of ${head} bytes`;
  if (offset % ALIGN !== 0) return `it is no multiple of ${ALIGN}`;
  if (offset + HEADER > length) return `its header of ${HEADER} bytes ends beyond the buffer`;
  if (seen.has(offset)) return "the chain comes back to it";
  return undefined;
}

function chainError(offset: number, length: number, fault: string): RangeError {
  return new RangeError(
    `Cannot read the capability at offset ${offset} of a buffer of ${length} bytes: ${fault}`,
  );
}
