// Drains dirty pages on the model and prints what memory that took, as JSON.
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
  for (let i = 0; i < 20; i += 1) drain();
  // Young garbage makes the heap shrink now and then: the median of many short drains is the rate.
  const heaps: number[] = [];
  const externals: number[] = [];
  for (let i = 0; i < 51; i += 1) {
    const before = Deno.memoryUsage();
    const windows = drain();
    const after = Deno.memoryUsage();
    heaps.push((after.heapUsed - before.heapUsed) / windows);
    externals.push((after.external - before.external) / windows);
  }
  const middle = (values: number[]): number => values.sort((a, b) => a - b)[25] ?? NaN;
  return { heap: middle(heaps), external: middle(externals) };
}

console.log(JSON.stringify({ resident: residentOfDrain(), ...heapOfWindow() }));
