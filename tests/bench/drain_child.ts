// Drains dirty pages on the model and prints what memory that took, as JSON.
// usage: drain_child.ts large | sparse | window
import { Container } from "../../mod.ts";
import { DEFAULT_MDEV, ModelKernel } from "../../lib/model/mod.ts";

/** A model whose reads cost nothing, so that only our own side allocates. */
class IdleKernel extends ModelKernel {
  override ioctlBuffer(fd: number, request: number, argument: Uint8Array): number {
    const isGet = request === 0x3b75 && argument[4] === 4;
    return isGet ? 0 : super.ioctlBuffer(fd, request, argument);
  }
}

/** Resident memory over the start, in bytes, after draining 64 GiB of mappings. */
function residentOfDrain(): number {
  const kernel = new ModelKernel();
  using container = Container.open({ kernel });
  using group = container.attach("0000:00:10.0");
  using _device = group.device();
  using memory = container.allocate(1n << 36n);
  using _mapping = container.map(memory, { iova: 1n << 36n, pieceSize: 1n << 30n });
  using tracker = container.trackDirty();
  const start = Deno.memoryUsage().rss;
  let pages = 0;
  for (let round = 0; round < 10; round += 1) {
    for (const window of tracker.drain()) for (const run of window.runs()) pages += run.pages;
  }
  if (pages !== 10 << 24) throw new Error(`${pages} pages were dirty`);
  return Deno.memoryUsage().rss - start;
}

/** JavaScript heap and buffers that one window takes, in bytes. */
function heapOfWindow(): { heap: number; external: number } {
  using container = Container.open({ kernel: new IdleKernel() });
  using group = container.attach(DEFAULT_MDEV);
  using _device = group.device();
  using memory = container.allocate(1n << 30n);
  using _mapping = container.map(memory, { iova: 0n, pieceSize: 1n << 18n });
  using tracker = container.trackDirty();
  const drain = (): number => {
    let windows = 0;
    for (const window of tracker.drain({ maxBitmapBytes: 8 })) windows += Number(window.isCurrent);
    return windows;
  };
  // Long enough for the compilers to finish on a busy machine, too: before, more is allocated.
  for (let i = 0; i < 60; i += 1) drain();
  // The young generation is so large that nothing is collected meanwhile: see drain.ts.
  (globalThis as unknown as { gc(): void }).gc();
  const before = Deno.memoryUsage();
  let windows = 0;
  for (let i = 0; i < 10; i += 1) windows += drain();
  const after = Deno.memoryUsage();
  return {
    heap: (after.heapUsed - before.heapUsed) / windows,
    external: (after.external - before.external) / windows,
  };
}

/** Most resident memory over the start, in bytes, while 16 TiB with a few dirty pages are drained. */
function residentOfSparse(): number {
  const kernel = new ModelKernel({ devices: [{ kind: "mdev", name: DEFAULT_MDEV, group: 1 }] });
  using container = Container.open({ kernel });
  using group = container.attach(DEFAULT_MDEV);
  using _device = group.device();
  const start = Deno.memoryUsage().rss;
  using memory = container.allocate(1n << 44n);
  using _mapping = container.map(memory, { iova: 0n, pieceSize: 1n << 35n });
  const driver = kernel.vendor(DEFAULT_MDEV);
  using tracker = container.trackDirty();
  const place = (i: number): bigint => BigInt(i) * 0x9e3779b97f4an % (1n << 32n) << 12n;
  for (let i = 0; i < SPARSE; i += 1) driver.pin(place(i), 1);
  let peak = 0;
  for (let round = 0; round < 5; round += 1) {
    for (let i = 0; i < SPARSE; i += 1) driver.write(place(SPARSE + i), new Uint8Array(1));
    let [pages, windows] = [0, 0];
    for (const window of tracker.drain()) {
      for (const run of window.runs()) pages += run.pages;
      windows += 1;
      peak = Math.max(peak, Deno.memoryUsage().rss - start);
    }
    if (pages !== 2 * SPARSE || windows !== 512) throw new Error(`${pages} in ${windows} windows`);
  }
  return peak;
}

/** Pages that are pinned, and as many that are written in each round. */
const SPARSE = 2048;

const MEASURES: Readonly<Record<string, () => unknown>> = {
  large: () => ({ resident: residentOfDrain() }),
  sparse: () => ({ resident: residentOfSparse() }),
  window: heapOfWindow,
};

console.log(JSON.stringify(MEASURES[Deno.args[0] ?? ""]?.()));
