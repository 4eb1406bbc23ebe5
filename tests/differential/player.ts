/** Plays operations on a kernel and says, step by step, what it did. */
import { MFD_CLOEXEC } from "../../lib/sys/constant.ts";
import type { Kernel } from "../../lib/sys/kernel.ts";
import {
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_GROUP_UNSET_CONTAINER,
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
} from "../../lib/uapi/mod.ts";
import { neededBytes, watchedBytes } from "./bitmap.ts";
import { chargedPages, groupNode } from "./host.ts";
import { answer, type Kind, OpenFiles } from "./open_files.ts";
import { Places } from "./places.ts";
import type { Answer, Operation } from "./operation.ts";
import { differences, Request } from "./request.ts";
import { OP } from "../kernel/vendor/layout.ts";
import { runVendor } from "./vendor.ts";

/** Bytes behind what a kernel may write that must stay as they were. */
const GUARD = 64;
const MOST_WATCHED = 4096;

/** Memory and files of one kernel; group and device slot n belong to the n-th name. */
export class Player implements Disposable {
  readonly kernel: Kernel;
  readonly #places: Places;
  readonly #devices: readonly string[];
  readonly #deaf: readonly number[];
  readonly #nodes: readonly string[];
  readonly #files: OpenFiles;
  /** For each open device the group slot that it was opened through. */
  readonly #owner = new Map<number, number>();
  /** A file that is no container. */
  readonly #other: number;
  readonly #request = new Request();
  readonly #stack: DisposableStack;
  #charged = { locked: 0, pinned: 0 };

  /**
   * @param deaf Slots whose driver is not told of unmaps, on a kernel that lets it pin where another
   *   driver is told: it is not asked to, for such a kernel stops at the next unmap.
   */
  constructor(kernel: Kernel, devices: readonly string[], deaf: readonly number[] = []) {
    using stack = new DisposableStack();
    this.kernel = kernel;
    this.#files = new OpenFiles(kernel);
    stack.use(kernel.retain());
    this.#devices = devices;
    this.#deaf = deaf;
    this.#nodes = devices.map((device) => groupNode(kernel, device));
    this.#places = stack.use(new Places(kernel));
    this.#other = kernel.memfd("no container", MFD_CLOEXEC);
    stack.defer(() => void kernel.close(this.#other));
    this.#charged = chargedPages(kernel);
    this.#stack = stack.move();
  }

  /** Does one step; undefined where its file is not open, or its slot taken: nothing was called. */
  play(operation: Operation): Answer | undefined {
    const done = this.#play(operation);
    if (done === undefined) return undefined;
    const before = this.#charged;
    const after = this.#charged = chargedPages(this.kernel);
    const [locked, pinned] = [after.locked - before.locked, after.pinned - before.pinned];
    return {
      ...done,
      ...(locked === 0 ? {} : { locked }),
      ...(pinned === 0 ? {} : { pinned }),
    };
  }

  #play(operation: Operation): Answer | undefined {
    const { kernel } = this;
    switch (operation.op) {
      case "open":
        return this.#files.open("container", operation.container, "/dev/vfio/vfio");
      case "openGroup":
        return this.#files.open("group", operation.group, this.#nodes[operation.group]);
      case "close":
        return this.#files.close("container", operation.container);
      case "closeGroup":
        return this.#files.close("group", operation.group);
      case "closeDevice":
        return this.#files.close("device", operation.device);
      case "openDevice":
        return this.#openDevice(operation);
      case "setContainer":
        return this.#setContainer(operation);
      case "unsetContainer":
        return this.#files.on(
          "group",
          operation.group,
          (fd) => answer(kernel.ioctl(fd, VFIO_GROUP_UNSET_CONTAINER)),
        );
      case "plain":
        return this.#files.on(
          operation.on,
          operation.slot,
          (fd) => answer(kernel.ioctlBuffer(fd, operation.request, new Uint8Array(0))),
        );
      case "value":
        return this.#files.on(
          "container",
          operation.container,
          (fd) => answer(kernel.ioctlValue(fd, operation.request, operation.value)),
        );
      case "status":
        return this.#struct("group", operation.group, VFIO_GROUP_GET_STATUS, [operation.argsz]);
      case "info":
        return this.#struct("container", operation.container, VFIO_IOMMU_GET_INFO, [
          operation.argsz,
        ]);
      case "device":
        return this.#struct("device", operation.device, operation.request, operation.words);
      case "map": {
        const { argsz, flags, vaddr, iova, size } = operation;
        const address = this.#places.address(vaddr, size);
        this.#request.set([argsz, flags], [address, iova, size]);
        return this.#ioctl("container", operation.container, VFIO_IOMMU_MAP_DMA);
      }
      case "unmap":
      case "dirty":
        return this.#withBitmap(operation);
      case "vendor":
        return this.#vendor(operation);
      case "openIommufd":
        return this.#files.open("iommufd", operation.iommufd, "/dev/iommu");
      case "closeIommufd":
        return this.#files.close("iommufd", operation.iommufd);
      case "iommufd":
        return this.#iommufd(operation);
    }
  }

  #iommufd({ iommufd, request, words, quads, reach }: Operation & { op: "iommufd" }):
    | Answer
    | undefined {
    if (reach === undefined) {
      this.#request.set(words, quads);
      return this.#ioctl("iommufd", iommufd, request);
    }
    const { at, data, length, fill } = reach;
    const address = this.#places.address(data, length);
    this.#request.set(words, quads.map((quad, i) => i === at ? address : quad));
    if (fill === undefined) return this.#ioctl("iommufd", iommufd, request);
    const watched = length > BigInt(MOST_WATCHED) ? MOST_WATCHED : Number(length);
    const memory = this.#places.bytes(data, watched + GUARD);
    memory.fill(fill);
    const done = this.#ioctl("iommufd", iommufd, request);
    const changed = differences(memory, () => fill);
    return done === undefined || changed === "" ? done : { ...done, bitmap: changed };
  }

  #vendor(operation: Operation & { op: "vendor" }): Answer | undefined {
    const slot = this.#owner.get(operation.device) ?? 0;
    const others = [...this.#owner.values()].some((owner) => !this.#deaf.includes(owner));
    if (operation.run === OP.PIN && this.#deaf.includes(slot) && others) return undefined;
    return this.#files.on(
      "device",
      operation.device,
      (fd) => runVendor(this.kernel, fd, this.#devices[slot] ?? "", operation),
    );
  }

  #struct(kind: Kind, slot: number, request: number, words: readonly number[]): Answer | undefined {
    this.#request.set(words, []);
    return this.#ioctl(kind, slot, request);
  }

  #ioctl(kind: Kind, slot: number, request: number): Answer | undefined {
    return this.#files.on(kind, slot, (fd) => {
      const result = this.kernel.ioctlBuffer(fd, request, this.#request.bytes);
      const written = this.#request.written();
      return written === "" ? answer(result) : { ...answer(result), written };
    });
  }

  #withBitmap(operation: Operation & { op: "unmap" | "dirty" }): Answer | undefined {
    const { op, argsz, flags, iova, size, bitmap } = operation;
    const need = neededBytes(size);
    const memory = this.#places.bytes(bitmap.data, watchedBytes(bitmap, need));
    const address = this.#places.address(bitmap.data, need);
    this.#request.set([argsz, flags], [iova, size, bitmap.pgsize, bitmap.size, address]);
    memory.fill(bitmap.fill);
    const request = op === "unmap" ? VFIO_IOMMU_UNMAP_DMA : VFIO_IOMMU_DIRTY_PAGES;
    const done = this.#ioctl("container", operation.container, request);
    const changed = differences(memory, () => bitmap.fill);
    return done === undefined || changed === "" ? done : { ...done, bitmap: changed };
  }

  #setContainer(operation: Operation & { op: "setContainer" }): Answer | undefined {
    const { group, container } = operation;
    const fd = container === "none"
      ? -1
      : container === "a group"
      ? this.#files.get("group", group)
      : container === "another file"
      ? this.#other
      : this.#files.get("container", container);
    if (fd === undefined) return undefined;
    return this.#struct("group", group, VFIO_GROUP_SET_CONTAINER, [fd]);
  }

  #openDevice(operation: Operation & { op: "openDevice" }): Answer | undefined {
    const { group, device, name } = operation;
    if (this.#files.get("device", device) !== undefined) return undefined;
    const names = {
      "its own": this.#devices[group],
      "of another group": this.#devices[(group + 1) % this.#devices.length],
      "unknown": "0000:ff:1f.7",
      "empty": "",
    };
    return this.#files.on("group", group, (fd) => {
      this.#request.text(names[name] ?? "");
      const result = this.kernel.ioctlBuffer(fd, VFIO_GROUP_GET_DEVICE_FD, this.#request.bytes);
      this.#owner.set(device, group);
      return this.#files.keep("device", device, result);
    });
  }

  /** Closes all files, so that the next sequence finds the kernel as it was. */
  reset(): void {
    this.#files.closeAll();
    this.#owner.clear();
    this.#places.clear();
    this.#charged = chargedPages(this.kernel);
  }

  /** Pages that are locked now. */
  get locked(): number {
    return this.#charged.locked;
  }

  [Symbol.dispose](): void {
    this.reset();
    this.#stack.dispose();
  }
}
