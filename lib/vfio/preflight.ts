/**
 * What the kernel would say to a request, by its rules and the state of a container.
 *
 * @module
 */

import { checkKind, checkOptions, type Kinds } from "../base/argument.ts";
import type { Extent } from "../base/extent.ts";
import { ERRNO } from "../base/errno.ts";
import { fitsMemlock, memlockReason } from "../pins/memlock.ts";
import type { PinSnapshot } from "../pins/snapshot.ts";
import type { Behaviour } from "../rules/behaviour.ts";
import { DIRTY_RULES, type DirtyPagesRequest } from "../rules/dirty.ts";
import { MAP_RULES, type MapRequest } from "../rules/map.ts";
import { type Refusal, refusals, type Rule, type RuleState } from "../rules/refusal.ts";
import type { RuleText } from "../rules/table.ts";
import { UNMAP_RULES, type UnmapRequest } from "../rules/unmap.ts";
import { VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP } from "../uapi/flag.ts";
import type { Kernel } from "../sys/kernel.ts";
import { probeBehaviour } from "./behaviour.ts";
import type { IommuInfo } from "./iommu_info.ts";
import type { IommuType } from "./iommu_type.ts";
import type { Mapper } from "./mapper.ts";

/** A request to explain, by the C name of the request. */
export type ContainerRequest =
  | { readonly request: "VFIO_IOMMU_MAP_DMA" } & MapRequest
  | { readonly request: "VFIO_IOMMU_UNMAP_DMA" } & UnmapRequest
  | { readonly request: "VFIO_IOMMU_DIRTY_PAGES" }
    & Omit<DirtyPagesRequest, keyof Extent>
    & Partial<Extent>;

/** What {@link explainRequest} finds. */
export interface Explanation {
  /** The rules that the request breaks; the kernel answers with the error of the first one. */
  readonly refusals: readonly Refusal[];
  /** Rules that only the kernel can decide, as whether memory can be pinned. */
  readonly undecided: readonly RuleText[];
}

/** What is explained from. */
export interface ExplainHost {
  readonly kernel: Kernel;
  /** The container's file. */
  readonly fd: number;
  readonly type: IommuType;
  readonly mapper: Mapper;
  /** The tracker that runs. */
  readonly tracker: unknown;
  info(): IommuInfo;
  pins(): PinSnapshot;
  accountState(): { readonly groups: number; readonly iommuGroups: number };
}

const GET_BITMAP = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP;
const REQUESTS = [
  "VFIO_IOMMU_MAP_DMA",
  "VFIO_IOMMU_UNMAP_DMA",
  "VFIO_IOMMU_DIRTY_PAGES",
] as const;
const FIELDS = {
  request: REQUESTS,
  argsz: "number",
  flags: "number",
  iova: "bigint",
  size: "bigint",
  vaddr: "bigint",
  bitmap: "object",
} as const;
const BITMAP_FIELDS = { pageSize: "bigint", size: "bigint", address: "bigint" } as const;

/** @throws {TypeError} With the field that is missing, not known, or of the wrong kind. */
function checkRequest(request: ContainerRequest): void {
  const all: Kinds<MapRequest & DirtyPagesRequest & { request: string }> = FIELDS;
  checkOptions<object>(request, all);
  const { bitmap } = request as DirtyPagesRequest;
  checkOptions<object>(bitmap, BITMAP_FIELDS);
  if (bitmap !== undefined) {
    checkKind("bitmap.pageSize", bitmap.pageSize, "bigint");
    checkKind("bitmap.size", bitmap.size, "bigint");
  }
  checkKind("request", request.request, REQUESTS);
  checkKind("flags", request.flags, "number");
  const ranged = request.request !== "VFIO_IOMMU_DIRTY_PAGES" || request.flags === GET_BITMAP;
  for (const name of ["iova", "size"] as const) {
    if (ranged) checkKind(name, request[name], "bigint");
  }
}

/** See `Container.explain`. */
export function explainRequest(host: ExplainHost, request: ContainerRequest): Explanation {
  checkRequest(request);
  const info = host.info();
  const { groups, iommuGroups } = host.accountState();
  const behaviour: Behaviour = probeBehaviour(host.kernel, host.fd, info.pageSize);
  const state = {
    behaviour,
    pageSize: info.pageSize,
    mappings: host.mapper.pieces,
    ranges: iommuGroups > 0 ? info.iovaRanges : undefined,
    entriesLeft: info.dmaAvailable,
    emulated: iommuGroups < groups,
    tracking: host.tracker !== undefined,
    v1: host.type === "v1",
  };
  switch (request.request) {
    case "VFIO_IOMMU_MAP_DMA": {
      const rules = iommuGroups > 0 ? MAP_RULES : MAP_RULES.filter(({ test }) => test);
      const found = explanation(rules, request, state);
      return iommuGroups > 0 ? withMemlock(found, host.pins(), request.size) : found;
    }
    case "VFIO_IOMMU_UNMAP_DMA":
      return explanation(UNMAP_RULES, request, state);
    case "VFIO_IOMMU_DIRTY_PAGES":
      return explanation(DIRTY_RULES, { iova: 0n, size: 0n, ...request }, state);
  }
}

function explanation<Request, State extends RuleState>(
  rules: readonly Rule<Request, State>[],
  request: Request,
  state: State,
): Explanation {
  return {
    refusals: [...refusals(rules, request, state)],
    undecided: rules.filter(({ test, concerns }) =>
      test === undefined && concerns?.(request) !== false
    ),
  };
}

/** The memory limit can be read, so that rule is decided here. */
function withMemlock(found: Explanation, pins: PinSnapshot, size: bigint): Explanation {
  const isMemlock = ({ name }: RuleText): boolean => name === "map.memlock";
  const rule = found.undecided.find(isMemlock);
  const undecided = found.undecided.filter((other) => !isMemlock(other));
  if (rule === undefined || fitsMemlock(pins, pins.locked + size)) return { ...found, undecided };
  const refusal: Refusal = {
    errno: ERRNO.ENOMEM,
    rule: rule.name,
    source: rule.source,
    reason: memlockReason(pins, pins.locked, size),
  };
  return { refusals: [...found.refusals, refusal], undecided };
}
