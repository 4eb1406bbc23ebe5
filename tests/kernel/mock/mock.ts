/**
 * The kernel's mock IOMMU (CONFIG_IOMMUFD_TEST), made and steered by one request of its own.
 *
 * @see drivers/iommu/iommufd/iommufd_test.h, selftest.c
 */

import type { HostMemory, Iommufd, IommufdObject } from "../../../mod.ts";
import { type Layout, struct } from "../../../lib/uapi/layout.ts";
import { answer, must } from "../support/raw.ts";

/** _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 32) */
const IOMMU_TEST_CMD = 0x3ba0;
const OP_ADD_RESERVED = 1;
const OP_MOCK_DOMAIN = 2;
const OP_CHECK_MAP = 3;
const OP_CHECK_REFS = 4;
const OP_REPLACE = 10;
const OP_MOCK_DOMAIN_FLAGS = 12;
const OP_DIRTY = 13;

/** The device's IOMMU tracks no dirty pages. */
export const NO_DIRTY = 1;
/** The device's IOMMU has huge entries. */
export const HUGE_IOVA = 2;

/** Where the mock IOMMU can translate: both ends included. */
export const APERTURE = { start: 1n << 24n, end: (1n << 31n) - 1n } as const;
/** The mock IOMMU's page: half of the processor's. */
export const MOCK_PAGE = 2048n;
/** Its huge entry. */
export const MOCK_HUGE: bigint = 512n * MOCK_PAGE;

const head = { size: "u32", op: "u32", id: "u32", reserved: "u32" } as const;
const ends = { ...head, one: "u64", two: "u64", three: "u64", four: "u64", five: "u64" } as const;
const ids = { ...head, stdev: "u32", hwpt: "u32", idev: "u32", flags: "u32" } as const;
const dirty = {
  ...head,
  flags: "u32",
  pad: "u32",
  iova: "u64",
  length: "u64",
  page_size: "u64",
  source: "ptr",
  count: "u64",
} as const;

const plainLayout: Layout<typeof ends> = struct("iommu_test_cmd", ends);
const idsLayout: Layout<typeof ids> = struct("iommu_test_cmd_mock", ids);
const dirtyLayout: Layout<typeof dirty> = struct("iommu_test_cmd_dirty", dirty);

/** Bytes of the whole struct, whose union these are members of. */
const SIZE = 72;

/** What requests go to: an iommufd, or a bare file of one. */
export type Asked = Pick<Iommufd, "rawIoctl">;

function ask(iommufd: Asked, bytes: Uint8Array, size: number): number {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, size, true);
  return iommufd.rawIoctl(IOMMU_TEST_CMD, bytes);
}

/** A device of the mock IOMMU, attached from its first moment on; its end takes it away. */
export class MockDevice implements Disposable, IommufdObject {
  /** What page tables are made for. */
  readonly id: number;
  /** The page table that it is attached to, or that was made of the address space. */
  readonly pageTableId: number;
  readonly #iommufd: Asked;
  readonly #stdev: number;
  #gone = false;

  /** Attaches to an address space or a page table; throws with the errno's name. */
  constructor(iommufd: Asked, target: IommufdObject, flags = 0) {
    const request = idsLayout.create(SIZE - idsLayout.size);
    request.fields.op = flags === 0 ? OP_MOCK_DOMAIN : OP_MOCK_DOMAIN_FLAGS;
    request.fields.id = target.id;
    request.fields.flags = flags;
    must(ask(iommufd, request.bytes, SIZE), "MOCK_DOMAIN");
    this.#iommufd = iommufd;
    this.#stdev = request.fields.stdev;
    this.id = request.fields.idev;
    this.pageTableId = request.fields.hwpt;
  }

  /** Attaches it to another page table or address space instead. */
  replace(target: IommufdObject): string {
    const request = idsLayout.create(SIZE - idsLayout.size);
    request.fields.op = OP_REPLACE;
    request.fields.id = this.#stdev;
    request.fields.stdev = target.id; // the union's first member
    return answer(ask(this.#iommufd, request.bytes, SIZE));
  }

  [Symbol.dispose](): void {
    if (this.#gone) return;
    this.#gone = true;
    const request = new Uint8Array(Uint32Array.of(8, this.#stdev).buffer);
    must(this.#iommufd.rawIoctl(0x3b80, request), "DESTROY of a mock device");
  }
}

/** Reserves addresses of an address space, as a device's IOMMU may. */
export function reserve(
  iommufd: Asked,
  ioas: IommufdObject,
  start: bigint,
  length: bigint,
): string {
  const request = plainLayout.create(SIZE - plainLayout.size);
  Object.assign(request.fields, { op: OP_ADD_RESERVED, id: ioas.id, one: start, two: length });
  return answer(ask(iommufd, request.bytes, SIZE));
}

/** Whether the page table leads from `iova` to the memory at `vaddr`, page by page. */
export function leadsTo(
  iommufd: Asked,
  pageTable: number,
  range: { iova: bigint; size: bigint; vaddr: bigint },
): string {
  const request = plainLayout.create(SIZE - plainLayout.size);
  Object.assign(request.fields, {
    op: OP_CHECK_MAP,
    id: pageTable,
    one: range.iova,
    two: range.size,
    three: range.vaddr,
  });
  return answer(ask(iommufd, request.bytes, SIZE));
}

/** Whether each page of memory is pinned `refs` times. */
export function pinnedTimes(iommufd: Asked, memory: HostMemory, refs: number): string {
  const request = plainLayout.create(SIZE - plainLayout.size);
  Object.assign(request.fields, {
    op: OP_CHECK_REFS,
    one: memory.size,
    two: memory.address,
    three: BigInt(refs),
  });
  return answer(ask(iommufd, request.bytes, SIZE));
}

/** Makes entries dirty as a device would: those whose bit is set, one a mock page. */
export function makeDirty(
  iommufd: Asked,
  pageTable: number,
  range: { iova: bigint; size: bigint; pageSize: bigint },
  bits: { readonly address: bigint },
): { result: string; count: bigint } {
  const request = dirtyLayout.create(SIZE - dirtyLayout.size);
  Object.assign(request.fields, {
    op: OP_DIRTY,
    id: pageTable,
    iova: range.iova,
    length: range.size,
    page_size: range.pageSize,
  });
  request.point("source", { address: bits.address });
  const result = answer(ask(iommufd, request.bytes, SIZE));
  return { result, count: request.fields.count };
}
