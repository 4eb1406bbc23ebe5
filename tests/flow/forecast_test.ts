import { Container, type Forecast, VfioError } from "../../mod.ts";
import { DEFAULT_MDEV, ModelKernel, type Scene } from "../../lib/model/mod.ts";
import { equal, match, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PCI = "0000:00:10.0";
const MiB = 1n << 20n;

function opened(
  body: (container: Container) => void,
  scene: Partial<Scene> = {},
  target: string = PCI,
): void {
  using container = Container.open({ kernel: new ModelKernel(scene) });
  using _group = container.attach(target);
  body(container);
  container.unmapAll();
}

/** What stops a forecast, in short. */
const stopOf = ({ fits, mappings, stop }: Forecast): unknown[] => [
  fits,
  mappings,
  stop?.limit,
  stop?.code,
];

/** Makes the mappings of a forecast that stops, and sees the kernel agree with it. */
function agrees(container: Container, size: bigint, count: number): void {
  const predicted = container.forecast([{ iova: 0n, size, count }]);
  using memory = container.allocate(size);
  for (let i = 0; i < predicted.mappings; i += 1) {
    container.map(memory, { iova: BigInt(i) * size });
  }
  const { locked, dmaAvailable } = container.pins();
  equal([predicted.locked, predicted.dmaAvailable], [locked, dmaAvailable]);
  const iova = BigInt(predicted.mappings) * size;
  const error = throws(() => container.map(memory, { iova }), VfioError);
  equal(error.code, predicted.stop?.code);
  // The refusal carries the reasoning of the forecast.
  ok(error.message.includes(predicted.stop?.reason ?? "-"), error.message);
  container.unmapAll();
}

describe("the forecast", () => {
  it("is right at the edge of the memory limit", () =>
    opened((container) => {
      const maps = [{ size: MiB, count: 8 }];
      equal(stopOf(container.forecast(maps)), [true, 8, undefined, undefined]);
      const over = container.forecast([...maps, { size: 4096n }]);
      equal(stopOf(over), [false, 8, "memlock", "ENOMEM"]);
      equal(over.locked, 8n * MiB);
      match(over.stop?.reason ?? "", /VmLck 8 MiB \+ 4 KiB is above RLIMIT_MEMLOCK 8 MiB/);
      agrees(container, MiB, 9);
    }, { ipcLock: false }));

  it("is right at the edge of dma_entry_limit", () =>
    opened((container) => {
      equal(stopOf(container.forecast([{ size: MiB, count: 101 }])), [
        false,
        100,
        "entries",
        "ENOSPC",
      ]);
      using memory = container.allocate(MiB);
      using _first = container.map(memory, { iova: 1n << 40n });
      const over = container.forecast([{ iova: 0n, size: 4096n, count: 101 }]);
      equal(over.mappings, 99);
      match(over.stop?.reason ?? "", /dma_entry_limit of vfio_iommu_type1 is 100 mappings/);
    }, { entryLimit: 100 }));

  it("is right at the edge of dma_entry_limit, made for real", () =>
    opened((container) => agrees(container, MiB, 101), { entryLimit: 100 }));

  it("knows the IOVA ranges, overlaps and alignment", () =>
    opened((container) => {
      const of = (iova: bigint, size: bigint) => stopOf(container.forecast([{ iova, size }]));
      equal(of(0xfee0_0000n, MiB), [false, 0, "iova-range", "EINVAL"]);
      equal(of(0x1001n, MiB), [false, 0, "request", "EINVAL"]);
      equal(of(0n, 0n), [false, 0, "request", "EINVAL"]);
      const twice = container.forecast([{ iova: 0n, size: MiB }, { iova: 0x8_0000n, size: MiB }]);
      equal(stopOf(twice), [false, 1, "overlap", "EEXIST"]);
      equal(stopOf(container.forecast([{ size: 1n << 50n }])), [false, 0, "iova-range", "EINVAL"]);
      throws(() => container.forecast([{ size: MiB, count: 0 }]), RangeError, "got 0");
    }));

  it("says in a container of mediated devices what is checked only later", () =>
    opened(
      (container) => {
        const { fits, locked, later } = container.forecast([{ size: 64n * MiB }]);
        equal([fits, locked], [true, 0n]);
        match(
          later.join("; "),
          /at each page that a driver pins \(ENOMEM there\), with 8 MiB of room/,
        );
        match(
          later.join("; "),
          /all 64 MiB that are mapped are pinned, which will not: VmLck 0 bytes/,
        );
        match(later.join("; "), /only when such a group joins \(EINVAL there\)/);
      },
      { ipcLock: false },
      DEFAULT_MDEV,
    ));

  it("says what dirty tracking will refuse", () =>
    opened((container) => {
      const { fits, tracking } = container.forecast([{ iova: 1n << 43n, size: 1n << 43n }]);
      ok(fits);
      match(tracking.join(), /START takes at most 2147483647 pages in one/);
      equal(container.forecast([{ iova: 1n << 43n, size: (1n << 43n) - 4096n }]).tracking, []);
    }));
});
