/** Arbitraries of the requests that a container takes, and of what the vendor driver is told. */
import { VFIO_CHECK_EXTENSION, VFIO_SET_IOMMU } from "../../lib/uapi/mod.ts";
import { FLAG, OP } from "../kernel/vendor/layout.ts";
import type { Arbitrary, FastCheck, Weighted } from "./fast_check.ts";
import type { Machine } from "./machine.ts";
import type { Bitmap, Operation } from "./operation.ts";
import { PAGE } from "./places.ts";
import { BASE, Values } from "./values.ts";

const page = (n: number): bigint => BASE + BigInt(n * PAGE);
/** The bitmap of requests that have none. */
const NO_BITMAP: Bitmap = { pgsize: 0n, size: 0n, data: { place: "null", offset: 0 }, fill: 0 };

/** Draws requests for one machine. */
export class Requests {
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

  /** MAP_DMA. */
  map(): Arbitrary<Operation> {
    const values = this.#values;
    return this.#fc.record<Operation & { op: "map" }>({
      op: this.#fc.constant("map"),
      container: this.#container(),
      argsz: values.rather(32, 0, 31, 33, 4096),
      flags: this.#fc.oneof(
        { weight: 10, arbitrary: this.#fc.constant(3) },
        { weight: 3, arbitrary: this.#fc.constant(1) },
        { weight: 1, arbitrary: this.#fc.constantFrom(2, 0, 4, 5, 8, 11) },
      ),
      vaddr: values.vaddr(),
      iova: values.iova(),
      size: values.mapSize(),
    });
  }

  /** UNMAP_DMA, with a bitmap in a third of the cases. */
  unmap(): Arbitrary<Operation> {
    const { fc } = this.#values;
    return this.#ranged("unmap", [
      { weight: 8, arbitrary: fc.constant(0) },
      { weight: 5, arbitrary: fc.constant(1) },
      { weight: 1, arbitrary: fc.constant(2) },
      { weight: 1, arbitrary: fc.constantFrom(3, 4, 5, 6, 8, 9) },
    ]);
  }

  /** DIRTY_PAGES, mostly GET_BITMAP. */
  get(): Arbitrary<Operation> {
    return this.#ranged("dirty", [
      { weight: 16, arbitrary: this.#fc.constant(4) },
      { weight: 1, arbitrary: this.#fc.constantFrom(0, 3, 5, 6, 7, 8, 12) },
    ]);
  }

  #ranged(op: "unmap" | "dirty", flags: Weighted<number>[]): Arbitrary<Operation> {
    const { fc } = this.#values;
    // The bitmap is drawn for any range: one that depended on it would shrink badly.
    return fc.record({
      range: this.#values.range(op === "dirty" ? 20 : 2),
      container: this.#container(),
      argsz: this.#values.rather(48, 0, 7, 8, 23, 24, 40, 47, 49, 4096),
      flags: fc.oneof(...flags),
      bitmap: this.#values.bitmap(),
    }).map(({ range, bitmap, ...rest }) => ({ op, ...rest, ...range, bitmap: bitmap(range.size) }));
  }

  /** START and STOP. */
  switch(): Arbitrary<Operation> {
    return this.#fc.record({
      container: this.#container(),
      argsz: this.#values.rather(8, 0, 7, 9, 48),
      flags: this.#values.mostly(this.#fc.constant(1), this.#fc.constant(2), 3),
    }).map((fields) => ({ op: "dirty", ...fields, iova: 0n, size: 0n, bitmap: NO_BITMAP }));
  }

  /** CHECK_EXTENSION and SET_IOMMU. */
  value(): Arbitrary<Operation> {
    const { fc } = this.#values;
    const ids = fc.integer({ min: 0, max: 11 }).map(BigInt);
    return fc.record<Operation & { op: "value" }>({
      op: fc.constant("value"),
      container: this.#container(),
      request: this.#values.mostly(
        fc.constant<number>(VFIO_CHECK_EXTENSION),
        fc.constant<number>(VFIO_SET_IOMMU),
        2,
      ),
      value: this.#values.mostly(
        fc.oneof({ weight: 1, arbitrary: fc.constantFrom(1n, 3n) }, { weight: 3, arbitrary: ids }),
        fc.constantFrom(255n, 1n << 31n, (1n << 32n) + 3n, (1n << 64n) - 1n),
      ),
    });
  }

  /** GET_INFO. */
  info(): Arbitrary<Operation> {
    const fc = this.#fc;
    return fc.record<Operation & { op: "info" }>({
      op: fc.constant("info"),
      container: this.#container(),
      argsz: this.#values.mostly(
        fc.constant(256),
        fc.constantFrom(0, 15, 16, 17, 23, 24, 25, 56, 71, 72, 103, 104, 119, 120, 121),
        2,
      ),
    });
  }

  /** A command of the vendor driver. */
  vendor(): Arbitrary<Operation> {
    const fc = this.#fc;
    const { PROT_READ, PROT_WRITE, ONE_CALL } = FLAG;
    return fc.record<Operation & { op: "vendor" }>({
      op: fc.constant("vendor"),
      device: fc.constantFrom(...this.#machine.vendor),
      run: fc.oneof(
        { weight: 6, arbitrary: fc.constant<number>(OP.PIN) },
        { weight: 4, arbitrary: fc.constant<number>(OP.UNPIN) },
        { weight: 3, arbitrary: fc.constantFrom<number>(OP.WRITE, OP.READ, OP.WRITE_PINNED) },
        { weight: 1, arbitrary: fc.constantFrom<number>(OP.CLEAR, 0, 7) },
      ),
      flags: this.#values.mostly(
        fc.constantFrom<number>(PROT_READ | PROT_WRITE, PROT_READ),
        fc.constantFrom<number>(0, PROT_WRITE, 7, ONE_CALL | PROT_READ),
        6,
      ),
      iova: fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 0, max: 6 }).map(page) },
        { weight: 1, arbitrary: this.#values.iova() },
        { weight: 1, arbitrary: this.#values.iova().map((iova) => iova + 0x123n) },
      ),
      length: fc.oneof(
        { weight: 20, arbitrary: fc.constantFrom(1, 1, 1, 1, 2, 3, 5, 64) },
        { weight: 2, arbitrary: fc.constantFrom(0, 0x800, 4095, 4096) },
        { weight: 1, arbitrary: fc.constantFrom(4097, 512, 513) },
      ),
    });
  }
}
