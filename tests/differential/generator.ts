/** Random sequences of operations, weighted so that most of them meet a container in use. */
import { VFIO_SET_IOMMU } from "../../lib/uapi/mod.ts";
import type { Arbitrary, FastCheck } from "./fast_check.ts";
import { Files } from "./files.ts";
import type { Machine } from "./machine.ts";
import type { Bitmap, Operation } from "./operation.ts";
import { Requests } from "./requests.ts";
import { Values } from "./values.ts";

/** Steps of a sequence behind its start, at most. */
const LENGTH = 60;

/** What a sequence begins with. */
interface Start {
  /** Group slots that join container 0, and those that join container 1. */
  readonly groups: readonly [readonly number[], readonly number[]];
  readonly type: bigint;
  readonly devices: boolean;
  readonly tracking: boolean;
}

/** One step of any kind. */
function anyOperation(fc: FastCheck, machine: Machine): Arbitrary<Operation> {
  const requests = new Requests(fc, machine);
  const files = new Files(fc, machine);
  const vendor = machine.vendor.length > 0 ? [{ weight: 9, arbitrary: requests.vendor() }] : [];
  return fc.oneof<Operation>(
    { weight: 9, arbitrary: requests.map() },
    { weight: 7, arbitrary: requests.unmap() },
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
      { weight: 6, arbitrary: group.map((a) => [[a], []]) },
      { weight: 3, arbitrary: group.map((a) => [[a, (a + 1) % all], []]) },
      { weight: 2, arbitrary: group.map((a) => [[a], [(a + 1) % all]]) },
      { weight: 1, arbitrary: fc.constant([[], []]) },
    ),
    type: fc.oneof(
      { weight: 10, arbitrary: fc.constant(3n) },
      { weight: 1, arbitrary: fc.constant(1n) },
    ),
    devices: machine.vendor.length > 0 ? values.rather(true, false) : values.rather(false, true),
    tracking: fc.boolean(),
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
  const bitmap: Bitmap = {
    pgsize: 0n,
    size: 0n,
    data: { place: "null", offset: 0 },
    fill: 0,
  };
  if (start.tracking) {
    const fields = { container: 0, argsz: 8, flags: 1, iova: 0n, size: 0n, bitmap };
    list.push({ op: "dirty", ...fields });
  }
  return list;
}

/** Sequences of operations for a machine. */
export function sequences(fc: FastCheck, machine: Machine): Arbitrary<Operation[]> {
  return fc.record({
    start: starts(fc, machine),
    body: fc.array(anyOperation(fc, machine), { minLength: 1, maxLength: LENGTH, size: "max" }),
  }).map(({ start, body }) => [...start, ...body]);
}
