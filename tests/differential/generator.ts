/** Random sequences of operations, weighted so that most of them meet a container in use. */
import { VFIO_SET_IOMMU } from "../../lib/uapi/mod.ts";
import type { Arbitrary, FastCheck } from "./fast_check.ts";
import { Files } from "./files.ts";
import { iommufdSequences } from "./iommufd.ts";
import type { Machine } from "./machine.ts";
import type { Operation } from "./operation.ts";
import { Requests } from "./requests.ts";
import { PAGE } from "./places.ts";
import { BASE, Values } from "./values.ts";

/** Steps of a sequence behind its start, at most. */
const LENGTH = 60;

const START_TRACKING: Operation = {
  op: "dirty",
  container: 0,
  argsz: 8,
  flags: 1,
  iova: 0n,
  size: 0n,
  bitmap: { pgsize: 0n, size: 0n, data: { place: "null", offset: 0 }, fill: 0 },
};

/** What a sequence begins with. */
interface Start {
  /** Group slots that join container 0, and those that join container 1. */
  readonly groups: readonly [readonly number[], readonly number[]];
  readonly type: bigint;
  readonly devices: boolean;
  readonly tracking: boolean;
  readonly mappings: readonly StartMapping[];
}

/** A mapping of good memory, so many pages behind the one before it. */
interface StartMapping {
  readonly gap: number;
  readonly pages: number;
  readonly flags: number;
}

/** One step of any kind. */
function anyOperation(fc: FastCheck, machine: Machine): Arbitrary<Operation> {
  const requests = new Requests(fc, machine);
  const files = new Files(fc, machine);
  const vendor = machine.vendor.length > 0 ? [{ weight: 12, arbitrary: requests.vendor() }] : [];
  return fc.oneof<Operation>(
    { weight: 9, arbitrary: requests.map() },
    { weight: 5, arbitrary: requests.unmap() },
    { weight: 9, arbitrary: requests.get() },
    { weight: 3, arbitrary: requests.switch() },
    { weight: 2, arbitrary: requests.value() },
    { weight: 2, arbitrary: requests.info() },
    { weight: 3, arbitrary: files.setup() },
    { weight: 2, arbitrary: files.odd() },
    { weight: 1, arbitrary: files.device() },
    ...vendor,
  );
}

/** What to begin with. */
function starts(fc: FastCheck, machine: Machine): Arbitrary<Operation[]> {
  const values = new Values(fc);
  const group = new Files(fc, machine).group();
  const all = machine.devices.length;
  return fc.record<Start>({
    groups: fc.oneof<readonly [readonly number[], readonly number[]]>(
      { weight: 5, arbitrary: group.map((a) => [[a], []]) },
      { weight: 5, arbitrary: group.map((a) => [[a, (a + 1) % all], []]) },
      { weight: 2, arbitrary: group.map((a) => [[a], [(a + 1) % all]]) },
      { weight: 1, arbitrary: fc.constant([[], []]) },
    ),
    type: fc.oneof(
      { weight: 10, arbitrary: fc.constant(3n) },
      { weight: 1, arbitrary: fc.constant(1n) },
    ),
    devices: machine.vendor.length > 0 ? values.rather(true, false) : values.rather(false, true),
    tracking: values.mostly(fc.constant(true), fc.constant(false), 3),
    mappings: fc.array(
      fc.record<StartMapping>({
        gap: fc.constantFrom(0, 0, 0, 0, 0, 1, 3, 60, 64),
        pages: fc.constantFrom(1, 2, 4, 16, 33, 64, 70),
        flags: values.rather(3, 1),
      }),
      { minLength: 1, maxLength: 3, size: "max" },
    ),
  }).map(begin);
}

/** The steps that make a container as {@link Start} says. */
function begin(start: Start): Operation[] {
  const list: Operation[] = [];
  start.groups.forEach((groups, container) => {
    if (groups.length === 0) return;
    list.push({ op: "open", container });
    for (const group of groups) {
      list.push({ op: "openGroup", group }, { op: "setContainer", group, container });
    }
    list.push({ op: "value", container, request: VFIO_SET_IOMMU, value: start.type });
    if (!start.devices) return;
    for (const group of groups) {
      list.push({ op: "openDevice", group, device: group, name: "its own" });
    }
  });
  if (start.tracking) list.push(START_TRACKING);
  let iova = BASE;
  let offset = 0;
  for (const { gap, pages, flags } of start.mappings) {
    iova += BigInt(gap * PAGE);
    const size = BigInt(pages * PAGE);
    const vaddr = { place: "good", offset } as const;
    list.push({ op: "map", container: 0, argsz: 32, flags, vaddr, iova, size });
    iova += size;
    offset += pages * PAGE;
  }
  return list;
}

/** Leads steps that want an open device to one that the start has opened, in most cases. */
function aim(operation: Operation, open: readonly number[]): Operation {
  const wantsOpen = operation.op === "vendor" || operation.op === "device";
  if (!wantsOpen || open.length === 0 || open.includes(operation.device)) return operation;
  return { ...operation, device: open[operation.device % open.length]! };
}

/** Sequences of operations for a machine. */
export function sequences(fc: FastCheck, machine: Machine): Arbitrary<Operation[]> {
  if (machine.iommufd) return iommufdSequences(fc, LENGTH);
  return fc.record({
    start: starts(fc, machine),
    body: fc.array(anyOperation(fc, machine), { minLength: 1, maxLength: LENGTH, size: "max" }),
  }).map(({ start, body }) => {
    const open = start.flatMap((step) => step.op === "openDevice" ? [step.device] : [])
      .filter((slot) => machine.vendor.length === 0 || machine.vendor.includes(slot));
    return [...start, ...body.map((step) => aim(step, open))];
  });
}
