import { ERRNO } from "../base/errno.ts";
import type { ProposalV9 } from "../rules/proposal.ts";
import { MAP_ANONYMOUS, RLIMIT_MEMLOCK } from "../sys/constant.ts";
import {
  type Kernel,
  type PollRequest,
  type ResourceLimit,
  UNLIMITED,
  type ViewAddress,
} from "../sys/kernel.ts";
import { VFIO_IOMMU_DIRTY_PAGES } from "../uapi/request.ts";
import { ContainerFile } from "./container.ts";
import { EventFile, type IoctlArgument, MemoryFile, type ModelFile } from "./file.ts";
import { type FileTable, Host } from "./host.ts";
import type { VendorDriver } from "./vendor_driver.ts";
import { ModelMemory } from "./memory.ts";
import { addProcfs, SELF } from "./procfs.ts";
import { DEFAULT_SCENE, type Scene } from "./scene.ts";
import { addDevices, addSysfs } from "./sysfs.ts";
import { Round } from "./round.ts";
import { Tree } from "./tree.ts";

const OWN_FDS = new RegExp(`^/proc/(?:self|${SELF})/fd$`);
const OWN_FD = new RegExp(`^/proc/(?:self|${SELF})/fd/(\\d+)$`);
/** Descriptors 0 to 2 are taken by the terminal. */
const FIRST_FD = 3;

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
  readonly #host: Host;
  readonly #files = new Map<number, ModelFile>();
  readonly #mapped = new Map<bigint, ModelFile>();
  readonly #round = new Round();
  #tree: Tree | undefined;

  /**
   * Starts a kernel.
   *
   * @param scene What differs from {@link DEFAULT_SCENE}.
   */
  constructor(scene: Partial<Scene> = {}) {
    this.#host = new Host({ ...DEFAULT_SCENE, ...scene });
  }

  /**
   * The driver of a mediated device, or of a PCI device bound to {@link VENDOR}, to play the device
   * with.
   *
   * @throws {TypeError} If the scene has no such device.
   */
  vendor(name: string): VendorDriver {
    const driver = this.#host.devices.get(name)?.vendor;
    if (driver === undefined) throw new TypeError(`The scene has no device ${name} that pins`);
    return driver;
  }

  /** Locks memory of the process, as somebody else's mlock does; negative to unlock. */
  lock(bytes: bigint): void {
    this.#host.account.uncharge(-bytes);
  }

  /** How it speaks the v9 series, if its scene says that it does. */
  get proposalV9(): ProposalV9 | undefined {
    return this.#host.scene.proposal;
  }

  /** How many descriptors are open: for tests that nothing is left behind. */
  get openFiles(): number {
    return this.#files.size;
  }

  /** How many mappings of memory there are: for the same tests. */
  get openMappings(): number {
    return this.#host.memory.count;
  }

  #paths(): Tree {
    if (this.#tree === undefined) {
      this.#tree = new Tree();
      addSysfs(this.#tree, this.#host, () => this.#tree = undefined);
      addProcfs(this.#tree, this.#host);
      const table: FileTable = {
        fileOf: (fd) => this.#files.get(fd),
        install: (file) => this.#install(file),
      };
      addDevices(this.#tree, this.#host, table);
    }
    return this.#tree;
  }

  #install(file: ModelFile): number {
    let fd = FIRST_FD;
    while (this.#files.has(fd)) fd += 1;
    file.users += 1;
    this.#files.set(fd, file);
    return fd;
  }

  #drop(file: ModelFile): void {
    file.users -= 1;
    if (file.users === 0) file.release();
  }

  /** Nothing has to be kept. */
  retain(): Disposable {
    return { [Symbol.dispose]: () => {} };
  }

  /** Opens a file of the model. */
  open(path: string): number {
    const file = this.#paths().open(path);
    if (typeof file === "number") return file;
    file.path = path;
    return this.#install(file);
  }

  /** Closes a descriptor; the file goes with its last user. */
  close(fd: number): number {
    const file = this.#files.get(fd);
    if (file === undefined) return -ERRNO.EBADF;
    this.#files.delete(fd);
    this.#drop(file);
    return 0;
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

  #ioctl(fd: number, request: number, argument: IoctlArgument): number {
    const file = this.#files.get(fd);
    if (file === undefined) return -ERRNO.EBADF;
    if (file instanceof ContainerFile && request === VFIO_IOMMU_DIRTY_PAGES) {
      if (this.#round.begins(file, argument)) this.#host.work(file);
    }
    return file.ioctl(request, argument);
  }

  /** Reads on. */
  read(fd: number, into: Uint8Array): number {
    return this.#files.get(fd)?.read(into, undefined) ?? -ERRNO.EBADF;
  }

  /** Writes on. */
  write(fd: number, from: Uint8Array): number {
    return this.#files.get(fd)?.write(from, undefined) ?? -ERRNO.EBADF;
  }

  /** Reads at an offset. */
  pread(fd: number, into: Uint8Array, offset: bigint): number {
    return this.#files.get(fd)?.read(into, offset) ?? -ERRNO.EBADF;
  }

  /** Writes at an offset. */
  pwrite(fd: number, from: Uint8Array, offset: bigint): number {
    return this.#files.get(fd)?.write(from, offset) ?? -ERRNO.EBADF;
  }

  /** The target of a link. */
  readlink(path: string): string | number {
    const fd = OWN_FD.exec(path)?.[1];
    if (fd !== undefined) return this.#files.get(Number(fd))?.path ?? -ERRNO.ENOENT;
    return this.#paths().readlink(path);
  }

  /** The names in a folder. */
  list(path: string): string[] | number {
    if (OWN_FDS.test(path)) return [...this.#files.keys()].map(String).sort();
    return this.#paths().list(path);
  }

  /** Maps memory, or a file. */
  mmap(
    length: bigint,
    protection: number,
    flags: number,
    fd: number,
    offset: bigint,
  ): bigint | number {
    if (length <= 0n) return -ERRNO.EINVAL;
    if ((flags & MAP_ANONYMOUS) !== 0) {
      return this.#host.memory.map(new ModelMemory(length), 0n, length, protection);
    }
    const file = this.#files.get(fd);
    if (file === undefined) return -ERRNO.EBADF;
    const memory = file.map(offset, length);
    if (typeof memory === "number") return memory;
    const address = this.#host.memory.map(memory, 0n, length, protection);
    file.users += 1; // a mapping keeps its file open
    this.#mapped.set(address, file);
    return address;
  }

  /** Unmaps what {@link mmap} gave, whole. */
  munmap(address: bigint, length: bigint): number {
    if (!this.#host.memory.unmap(address, length)) return -ERRNO.EINVAL;
    const file = this.#mapped.get(address);
    this.#mapped.delete(address);
    if (file !== undefined) this.#drop(file);
    return 0;
  }

  /** A file without a name. */
  memfd(): number {
    return this.#install(new MemoryFile());
  }

  /** Sets the length of a file. */
  ftruncate(fd: number, length: bigint): number {
    return this.#files.get(fd)?.truncate(length) ?? -ERRNO.EBADF;
  }

  /** A counter for interrupts. */
  eventfd(initial: number): number {
    return this.#install(new EventFile(initial));
  }

  /** What has come; nothing comes while a script waits, so the timeout does not matter. */
  poll(requests: readonly PollRequest[]): number[] {
    const POLLNVAL = 0x20;
    return requests.map(({ fd, events }) => this.#files.get(fd)?.poll(events) ?? POLLNVAL);
  }

  /** The memory limit of the process; other limits are not kept. */
  prlimit(pid: number, resource: number, next?: ResourceLimit): ResourceLimit | number {
    if (pid !== 0 && pid !== SELF) return -ERRNO.ESRCH;
    if (resource !== RLIMIT_MEMLOCK) return { soft: UNLIMITED, hard: UNLIMITED };
    const { account } = this.#host;
    const old = { soft: account.soft, hard: account.hard };
    if (next !== undefined) {
      if (next.soft > next.hard) return -ERRNO.EINVAL;
      account.soft = next.soft;
      account.hard = next.hard;
    }
    return old;
  }

  /** Compares files of this process; those of others are not to be seen. */
  sameFile(pidA: number, fdA: number, pidB: number, fdB: number): number {
    if (pidA !== SELF || pidB !== SELF) return -ERRNO.EPERM;
    const [a, b] = [this.#files.get(fdA), this.#files.get(fdB)];
    if (a === undefined || b === undefined) return -ERRNO.EBADF;
    return a === b ? 0 : 1;
  }

  /** Zeroed JavaScript memory. */
  allocate(size: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(size);
  }

  /** An address for a view: mmap'd memory has its own. */
  addressOf(view: Uint8Array): ViewAddress {
    return { address: this.#host.memory.addressOf(view), owner: view };
  }

  /** The bytes of a whole mapping. */
  viewOf(address: bigint, length: number): ArrayBuffer {
    return this.#host.memory.view(address, length);
  }
}
