import { ERRNO } from "../base/errno.ts";
import type { ProposalV9 } from "../rules/proposal.ts";
import { asideHere } from "../sys/aside_here.ts";
import { RLIMIT_MEMLOCK } from "../sys/constant.ts";
import {
  type AsideCall,
  type AsideRequest,
  type Kernel,
  type PollRequest,
  type ResourceLimit,
  UNLIMITED,
  type ViewAddress,
} from "../sys/kernel.ts";
import {
  IOMMU_HWPT_GET_DIRTY_BITMAP,
  VFIO_DEVICE_FEATURE,
  VFIO_IOMMU_DIRTY_PAGES,
} from "../uapi/request.ts";
import { ContainerFile } from "./container.ts";
import type { DeviceDma } from "./device_dma.ts";
import { DeviceFile } from "./device.ts";
import { EventFile, type IoctlArgument, MemoryFile } from "./file.ts";
import { Host } from "./host.ts";
import { dirtyRangeOf, IommufdFile } from "./iommufd.ts";
import { mapMemory, unmapMemory } from "./mapping_call.ts";
import { Paths } from "./paths.ts";
import type { Process } from "./process.ts";
import { Round } from "./round.ts";
import { completeScene, type Scene } from "./scene.ts";
import { reportRange } from "./vendor_feature.ts";
import type { VendorDriver } from "./vendor_driver.ts";

/**
 * A VFIO kernel in memory: containers, groups, devices and type1, with the refusals of the real one,
 * on a small host. It needs no permission, no root and no Linux.
 *
 * @example A mediated device whose driver pins a page
 * ```ts
 * import { Container } from "@pinscope/vfio";
 * import { DEFAULT_MDEV, ModelKernel } from "@pinscope/vfio/model";
 *
 * const kernel = new ModelKernel();
 * using container = Container.open({ kernel });
 * using group = container.attach(DEFAULT_MDEV);
 * using _device = group.device();
 * using memory = container.allocate(4096n);
 * using _mapping = container.map(memory, { iova: 0x10000n });
 * kernel.vendor(DEFAULT_MDEV).pin(0x10000n, 1);
 * if (container.pins().locked !== 4096n) throw new Error("one page is locked");
 * ```
 */
export class ModelKernel implements Kernel {
  /** "model". */
  readonly name = "model";
  #host: Host;
  #process: Process;
  #round = new Round();
  #paths: Paths;

  /**
   * Starts a kernel.
   *
   * @param scene What differs from the default scene.
   */
  constructor(scene: Partial<Scene> = {}) {
    this.#host = new Host(completeScene(scene));
    this.#process = this.#host.fork();
    this.#paths = new Paths(this.#host, this.#process);
  }

  /**
   * The same kernel as a child process sees it: with the descriptors that are open, so the same
   * containers, and memory at the same addresses, but with an account of its own. What the child writes
   * to memory the parent sees too, as if all of it were shared.
   */
  fork(): ModelKernel {
    const child = new ModelKernel(this.#host.scene);
    child.#host = this.#host;
    child.#process = this.#host.fork(this.#process);
    child.#paths = new Paths(child.#host, child.#process);
    child.#round = this.#round;
    return child;
  }

  /** The number of the process. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Gives the process CAP_IPC_LOCK, or takes it away. */
  set ipcLock(has: boolean) {
    this.#process.account.ipcLock = has;
  }

  /**
   * The driver of a mediated device, or of a PCI device bound to {@link VENDOR}, to play the device
   * with.
   *
   * @throws {TypeError} If the scene has no such device.
   */
  vendor(name: string): VendorDriver {
    const driver = this.#host.devices.get(name)?.vendor?.script;
    if (driver === undefined) throw new TypeError(`The scene has no device ${name} that pins`);
    return driver;
  }

  /**
   * The DMA of a PCI device, to play the device with.
   *
   * @throws {TypeError} If the scene has no such device.
   */
  dma(name: string): DeviceDma {
    const device = this.#host.devices.get(name);
    if (device?.scene.kind === "pci") return device.dma;
    throw new TypeError(`The scene has no PCI device ${name}`);
  }

  /** Locks memory of the process, as somebody else's mlock does; negative to unlock. */
  lock(bytes: bigint): void {
    this.#process.account.uncharge(-bytes);
  }

  /** How it speaks the v9 series, if its scene says that it does. */
  get proposalV9(): ProposalV9 | undefined {
    return this.#host.proposal;
  }

  /** How many descriptors are open: for tests that nothing is left behind. */
  get openFiles(): number {
    return this.#process.files.size;
  }

  /** How many mappings of memory there are: for the same tests. */
  get openMappings(): number {
    return this.#process.memory.count;
  }

  /** Nothing has to be kept. */
  retain(): Disposable {
    return { [Symbol.dispose]: () => {} };
  }

  /** Opens a file of the model. */
  open(path: string): number {
    const file = this.#paths.open(path);
    if (typeof file === "number") return file;
    file.path = path;
    return this.#process.files.install(file);
  }

  /** Closes a descriptor; the file goes with its last user. */
  close(fd: number): number {
    return this.#process.files.close(fd);
  }

  /** ioctl without an argument. */
  ioctl(fd: number, request: number): number {
    return this.#ioctl(fd, request, undefined);
  }

  /** ioctl with a value. */
  ioctlValue(fd: number, request: number, value: bigint): number {
    return this.#ioctl(fd, request, value);
  }

  /** ioctl with a pointer. */
  ioctlBuffer(fd: number, request: number, argument: Uint8Array): number {
    return this.#ioctl(fd, request, argument.length === 0 ? undefined : argument);
  }

  /** At once: nothing here takes long. */
  ioctlAside(request: AsideRequest): AsideCall {
    return asideHere(this, request);
  }

  #ioctl(fd: number, request: number, argument: IoctlArgument): number {
    const file = this.#process.files.get(fd);
    if (file === undefined) return -ERRNO.EBADF;
    if (file instanceof ContainerFile && request === VFIO_IOMMU_DIRTY_PAGES) {
      if (this.#round.begins(file, argument)) this.#host.work(file);
    }
    if (file instanceof IommufdFile && request === IOMMU_HWPT_GET_DIRTY_BITMAP) {
      const range = dirtyRangeOf(argument);
      if (range !== undefined && this.#round.beginsAt(file, range)) this.#host.nodes.work(file);
    }
    if (file instanceof DeviceFile && request === VFIO_DEVICE_FEATURE) {
      const range = reportRange(argument);
      if (range !== undefined && this.#round.beginsAt(file, range)) file.workForLog();
    }
    return file.ioctl(request, argument, this.#process);
  }

  /** Reads on. */
  read(fd: number, into: Uint8Array): number {
    return this.#process.files.get(fd)?.read(into, undefined) ?? -ERRNO.EBADF;
  }

  /** Writes on. */
  write(fd: number, from: Uint8Array): number {
    return this.#process.files.get(fd)?.write(from, undefined, this.#process) ?? -ERRNO.EBADF;
  }

  /** Reads at an offset. */
  pread(fd: number, into: Uint8Array, offset: bigint): number {
    return this.#process.files.get(fd)?.read(into, offset) ?? -ERRNO.EBADF;
  }

  /** Writes at an offset. */
  pwrite(fd: number, from: Uint8Array, offset: bigint): number {
    return this.#process.files.get(fd)?.write(from, offset, this.#process) ?? -ERRNO.EBADF;
  }

  /** The target of a link. */
  readlink(path: string): string | number {
    return this.#paths.readlink(path);
  }

  /** The names in a folder. */
  list(path: string): string[] | number {
    return this.#paths.list(path);
  }

  /** Maps memory, or a file. */
  mmap(
    length: bigint,
    protection: number,
    flags: number,
    fd: number,
    offset: bigint,
  ): bigint | number {
    return mapMemory(this.#process, { length, protection, flags, fd, offset });
  }

  /** Unmaps what {@link mmap} gave, whole. */
  munmap(address: bigint, length: bigint): number {
    return unmapMemory(this.#process, address, length);
  }

  /** A file without a name. */
  memfd(): number {
    return this.#process.files.install(new MemoryFile());
  }

  /** Sets the length of a file. */
  ftruncate(fd: number, length: bigint): number {
    return this.#process.files.get(fd)?.truncate(length) ?? -ERRNO.EBADF;
  }

  /** A counter for interrupts. */
  eventfd(initial: number): number {
    return this.#process.files.install(new EventFile(initial));
  }

  /** What has come; nothing comes while a script waits, so the timeout does not matter. */
  poll(requests: readonly PollRequest[]): number[] {
    const POLLNVAL = 0x20;
    return requests.map(({ fd, events }) => this.#process.files.get(fd)?.poll(events) ?? POLLNVAL);
  }

  /** The memory limit of the process; other limits are not kept. */
  prlimit(pid: number, resource: number, next?: ResourceLimit): ResourceLimit | number {
    const process = pid === 0 ? this.#process : this.#paths.processOf(`${pid}`);
    if (process === undefined) return -ERRNO.ESRCH;
    if (resource !== RLIMIT_MEMLOCK) return { soft: UNLIMITED, hard: UNLIMITED };
    return process.account.limit(next);
  }

  /** Compares files of this process; those of others are not to be seen. */
  sameFile(pidA: number, fdA: number, pidB: number, fdB: number): number {
    const [processA, processB] = [
      this.#paths.processOf(`${pidA}`),
      this.#paths.processOf(`${pidB}`),
    ];
    if (processA === undefined || processB === undefined) return -ERRNO.EPERM;
    const [a, b] = [processA.files.get(fdA), processB.files.get(fdB)];
    if (a === undefined || b === undefined) return -ERRNO.EBADF;
    return a === b ? 0 : 1;
  }

  /** Zeroed JavaScript memory. */
  allocate(size: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(size);
  }

  /** An address for a view: mmap'd memory has its own. */
  addressOf(view: Uint8Array): ViewAddress {
    return { address: this.#process.memory.addressOf(view), owner: view };
  }

  /** The bytes of a whole mapping. */
  viewOf(address: bigint, length: number): ArrayBuffer {
    return this.#process.memory.view(address, length);
  }
}
