/** Arbitraries of what files are opened, closed, joined and asked about themselves. */
import {
  VFIO_DEVICE_FEATURE,
  VFIO_DEVICE_GET_INFO,
  VFIO_DEVICE_GET_IRQ_INFO,
  VFIO_DEVICE_GET_REGION_INFO,
  VFIO_GET_API_VERSION,
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
} from "../../lib/uapi/mod.ts";
import type { Arbitrary, FastCheck } from "./fast_check.ts";
import type { Machine } from "./machine.ts";
import type { Operation } from "./operation.ts";
import { Values } from "./values.ts";

/** Numbers that no file answers. */
const UNKNOWN = [0x3b63, 0x3b73, 0x3b7f, 0x5401];
const ON = {
  container: [
    VFIO_GET_API_VERSION,
    VFIO_IOMMU_GET_INFO,
    VFIO_IOMMU_MAP_DMA,
    VFIO_IOMMU_UNMAP_DMA,
    VFIO_IOMMU_DIRTY_PAGES,
  ],
  group: [VFIO_GROUP_GET_STATUS, VFIO_GROUP_SET_CONTAINER, VFIO_GROUP_GET_DEVICE_FD],
  device: [VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO, VFIO_DEVICE_GET_IRQ_INFO],
} as const;
/** Bit 18 of a feature's flags: only ask whether it is there. */
const PROBE = 1 << 18;

/** Draws steps with files for one machine. */
export class Files {
  readonly #fc: FastCheck;
  readonly #machine: Machine;
  readonly #values: Values;

  constructor(fc: FastCheck, machine: Machine) {
    this.#fc = fc;
    this.#machine = machine;
    this.#values = new Values(fc);
  }

  #container(): Arbitrary<number> {
    return this.#values.rather(0, 1);
  }

  /** A group slot. */
  group(): Arbitrary<number> {
    return this.#fc.integer({ min: 0, max: this.#machine.devices.length - 1 });
  }

  /** Opening, joining, leaving, closing. */
  setup(): Arbitrary<Operation> {
    const fc = this.#fc;
    const container = this.#container();
    const group = this.group();
    const device = this.group();
    const simple = fc.record({ container, group, device });
    return fc.oneof<Operation>(
      { weight: 2, arbitrary: simple.map(({ container }) => ({ op: "open", container })) },
      { weight: 1, arbitrary: simple.map(({ container }) => ({ op: "close", container })) },
      { weight: 3, arbitrary: simple.map(({ group }) => ({ op: "openGroup", group })) },
      { weight: 1, arbitrary: simple.map(({ group }) => ({ op: "closeGroup", group })) },
      { weight: 2, arbitrary: simple.map(({ group }) => ({ op: "unsetContainer", group })) },
      { weight: 1, arbitrary: simple.map(({ device }) => ({ op: "closeDevice", device })) },
      {
        weight: 5,
        arbitrary: fc.record<Operation & { op: "setContainer" }>({
          op: fc.constant("setContainer"),
          group,
          container: fc.oneof<number | "none" | "a group" | "another file">(
            { weight: 8, arbitrary: container },
            { weight: 1, arbitrary: fc.constantFrom("none", "a group", "another file") },
          ),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record<Operation & { op: "openDevice" }>({
          op: fc.constant("openDevice"),
          group,
          device,
          name: this.#values.rather("its own", "of another group", "unknown", "empty"),
        }),
      },
    );
  }

  /** Unknown numbers, NULL pointers, the status of a group. */
  odd(): Arbitrary<Operation> {
    const fc = this.#fc;
    const plain = (on: "container" | "group" | "device"): Arbitrary<Operation> =>
      fc.record<Operation & { op: "plain" }>({
        op: fc.constant("plain"),
        on: fc.constant(on),
        slot: on === "container" ? this.#container() : this.group(),
        request: fc.constantFrom(...ON[on], ...UNKNOWN),
      });
    return fc.oneof<Operation>(
      { weight: 3, arbitrary: plain("container") },
      { weight: 2, arbitrary: plain("group") },
      { weight: 2, arbitrary: plain("device") },
      {
        weight: 2,
        arbitrary: fc.record<Operation & { op: "status" }>({
          op: fc.constant("status"),
          group: this.group(),
          argsz: this.#values.rather(8, 0, 7, 9, 4096),
        }),
      },
    );
  }

  /** What a device says of itself. */
  device(): Arbitrary<Operation> {
    const fc = this.#fc;
    const device = this.group();
    const of = (
      request: number,
      argsz: readonly [number, ...number[]],
      index: Arbitrary<number>,
      flags: Arbitrary<number> = fc.constant(0),
    ): Arbitrary<Operation> =>
      fc.record({ device, argsz: this.#values.rather(...argsz), flags, index })
        .map(({ device, argsz, flags, index }) => ({
          op: "device",
          device,
          request,
          words: [argsz, flags, index],
        }));
    const index = fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255, 0xffff_ffff);
    const feature = fc.record({ index: fc.integer({ min: 0, max: 15 }), flags: fc.boolean() })
      .map(({ index, flags }) => index | (flags ? PROBE | 1 << 16 : PROBE));
    return fc.oneof<Operation>(
      {
        weight: 1,
        arbitrary: of(VFIO_DEVICE_GET_INFO, [24, 0, 15, 16, 20, 4096], fc.constant(0)),
      },
      { weight: 2, arbitrary: of(VFIO_DEVICE_GET_REGION_INFO, [32, 0, 31, 33, 256], index) },
      { weight: 1, arbitrary: of(VFIO_DEVICE_GET_IRQ_INFO, [16, 0, 15, 17], index) },
      {
        weight: 1,
        arbitrary: of(VFIO_DEVICE_FEATURE, [8, 0, 7, 16], fc.constant(0), feature),
      },
    );
  }
}
