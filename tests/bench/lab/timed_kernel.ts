import { type Extent, type Kernel, rawLinux as linux } from "../../../mod.ts";
import { VFIO_IOMMU_DIRTY_PAGES } from "../../../lib/uapi/mod.ts";

/** Linux, with the time that its dirty bitmaps take, and what they are asked for. */
export class TimedKernel {
  readonly kernel: Kernel;
  /** Milliseconds in DIRTY_PAGES since it was set to 0. */
  milliseconds = 0;
  /** The container's file. */
  fd = -1;
  /** Ranges that were read, as long as somebody wants them. */
  ranges: Extent[] | undefined = [];

  constructor() {
    const own = (fd: number, request: number, argument: Uint8Array): number => {
      if (request !== VFIO_IOMMU_DIRTY_PAGES) return linux.ioctlBuffer(fd, request, argument);
      const start = performance.now();
      const result = linux.ioctlBuffer(fd, request, argument);
      this.milliseconds += performance.now() - start;
      if (this.ranges !== undefined) this.#note(fd, argument, this.ranges);
      return result;
    };
    this.kernel = new Proxy(linux, {
      get: (target, name): unknown => {
        if (name === "ioctlBuffer") return own;
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]): unknown => Reflect.apply(value, target, args);
      },
    });
  }

  #note(fd: number, argument: Uint8Array, ranges: Extent[]): void {
    const { buffer, byteOffset, byteLength } = argument;
    this.fd = fd;
    if (byteLength < 24) return; // START and STOP
    const view = new DataView(buffer, byteOffset, byteLength);
    ranges.push({ iova: view.getBigUint64(8, true), size: view.getBigUint64(16, true) });
  }
}
