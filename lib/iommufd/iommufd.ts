import { checkKind, checkOptions, type Kinds } from "../base/argument.ts";
import { check } from "../base/error.ts";
import type { IommufdLedger } from "../pins/iommufd_ledger.ts";
import type { IovaRange } from "../rules/iova.ts";
import { O_CLOEXEC, O_RDWR } from "../sys/constant.ts";
import type { MemoryOptions } from "../sys/host_pages.ts";
import type { Kernel } from "../sys/kernel.ts";
import { linux } from "../sys/libc.ts";
import { HostMemory } from "../sys/memory.ts";
import { OwnedFd } from "../sys/owned_fd.ts";
import { IOMMU_OPTION_RLIMIT_MODE } from "../uapi/flag.ts";
import { iommu_ioas_alloc } from "../uapi/iommufd.ts";
import { IOMMU_IOAS_ALLOC } from "../uapi/request.ts";
import { bindDevice, type BoundDevice } from "./device.ts";
import { explainOpen, PATH } from "./explain.ts";
import { type HardwareInfo, readHardwareInfo } from "./hw_info.ts";
import { enterIn, forgetIoas, Ioas, newIoas } from "./ioas.ts";
import { type IommufdFile, type IommufdObject, Parts, request } from "./object.ts";
import { getOption, setOption } from "./option.ts";
import { PinRecorder } from "./recorder.ts";

/** How to open an iommufd. */
export interface IommufdOptions {
  /** The kernel to talk to: the running one by default. */
  readonly kernel?: Kernel | undefined;
}

/** How to make an address space. */
export interface IoasOptions {
  /** Ranges that the kernel chooses addresses from; all by default. */
  readonly allow?: readonly IovaRange[];
  /** Whether page tables may use huge entries; true by default. */
  readonly hugePages?: boolean;
}

/**
 * Whom pinned memory is charged to. `user`: all of the user's processes together, invisible in
 * /proc but for VmPin. `process`: VmLck of the process, as type1 does.
 */
export type PinAccount = "user" | "process";

const OPTIONS: Kinds<IommufdOptions> = { kernel: "object" };
const IOAS_OPTIONS: Kinds<IoasOptions> = { allow: "object", hugePages: "boolean" };

/**
 * An open /dev/iommu: address spaces, page tables and devices, each an object of its own.
 *
 * Everything that it made is released when it is disposed, the youngest first: attachments and page
 * tables before their address spaces.
 *
 * @example Map memory for a device that is opened by its own node
 * ```ts
 * import { Iommufd } from "@pinscope/vfio";
 * import { ModelKernel } from "@pinscope/vfio/model";
 *
 * using iommufd = Iommufd.open({ kernel: new ModelKernel() }); // on a host: Iommufd.open()
 * using device = iommufd.bind("0000:00:10.0");
 * using space = iommufd.addressSpace();
 * using memory = iommufd.allocate(1n << 20n);
 * using mapping = space.map(memory); // the kernel chooses the address
 * using _attachment = device.attach(space);
 * if (mapping.iova === 0n) throw new Error("the kernel never chooses address 0");
 * ```
 *
 * @see drivers/iommu/iommufd/main.c
 */
export class Iommufd implements Disposable {
  readonly #kernel: Kernel;
  readonly #retained: Disposable;
  readonly #file: OwnedFd;
  readonly #handle: IommufdFile;
  readonly #parts = new Parts();

  private constructor(kernel: Kernel) {
    using undo = new DisposableStack();
    this.#kernel = kernel;
    this.#retained = undo.use(kernel.retain());
    const opened = kernel.open(PATH, O_RDWR | O_CLOEXEC);
    const fd = check(opened, "open", "open an iommufd", explainOpen);
    const file = undo.use(new OwnedFd(kernel, fd, "the iommufd"));
    this.#file = file;
    this.#handle = {
      kernel,
      recorder: undefined,
      get fd() {
        return file.fd;
      },
    };
    undo.move();
  }

  /**
   * Opens /dev/iommu.
   *
   * @param options The kernel: the running one by default.
   * @returns The iommufd; dispose closes it, with all that it made.
   * @throws {TypeError} If an option is not known or of the wrong kind.
   * @throws {VfioError} ENOENT: the kernel has no iommufd; EACCES: no right to open it.
   * @see drivers/iommu/iommufd/main.c, iommufd_fops_open
   */
  static open(options?: IommufdOptions): Iommufd {
    const { kernel = linux } = checkOptions(options, OPTIONS);
    return new Iommufd(kernel);
  }

  /** The file, while it is open. */
  get fd(): number {
    return this.#file.fd;
  }

  /** Whom pinned memory is charged to. */
  get account(): PinAccount {
    return getOption(this.#handle, IOMMU_OPTION_RLIMIT_MODE, 0) === 1n ? "process" : "user";
  }

  /**
   * Chooses whom pinned memory is charged to, before the first object is made.
   *
   * @throws {TypeError} If it is neither.
   * @throws {VfioError} EPERM without CAP_SYS_RESOURCE; EBUSY once there is an object.
   * @see drivers/iommu/iommufd/ioas.c, iommufd_option_rlimit_mode
   */
  set account(whom: PinAccount) {
    checkKind("account", whom, ["user", "process"]);
    setOption(this.#handle, IOMMU_OPTION_RLIMIT_MODE, 0, whom === "process" ? 1n : 0n);
  }

  /**
   * Begins to note what each operation pins and charges, and what it should by the rules. A second
   * call gives the same ledger. What is mapped already is taken to be charged as it would be now.
   *
   * @returns The ledger; VmPin and VmLck are read before and after each operation from now on.
   * @throws {VfioError} If /proc cannot be read.
   *
   * @example When a mapping is pinned
   * ```ts
   * import { Iommufd } from "@pinscope/vfio";
   * import { ModelKernel } from "@pinscope/vfio/model";
   *
   * using iommufd = Iommufd.open({ kernel: new ModelKernel() });
   * const ledger = iommufd.keepLedger();
   * using device = iommufd.bind("0000:00:10.0");
   * using space = iommufd.addressSpace();
   * using memory = iommufd.allocate(8n * 4096n);
   * using _mapping = space.map(memory); //       nothing is pinned yet
   * using _attachment = device.attach(space); // now it is
   * const pinned = ledger.entries.map(({ charged }) => charged.pinned);
   * if (pinned.join() !== "0,32768") throw new Error(pinned.join());
   * ```
   */
  keepLedger(): IommufdLedger {
    const { recorder } = this.#handle;
    if (recorder !== undefined) return recorder.ledger;
    const made = new PinRecorder(this.#kernel, () => this.account, (book, mode) => {
      for (const part of this.#parts) if (part instanceof Ioas) enterIn(book, part, mode);
    });
    this.#handle.recorder = made;
    return made.ledger;
  }

  /**
   * Makes an address space.
   *
   * @returns The address space; dispose destroys it, with what belongs to it.
   * @throws {TypeError} If an option is not known or of the wrong kind.
   * @throws {RangeError} If an allowed range is empty, or two overlap.
   * @throws {VfioError} ENOMEM.
   * @see drivers/iommu/iommufd/ioas.c, iommufd_ioas_alloc_ioctl
   */
  addressSpace(options?: IoasOptions): Ioas {
    const { allow, hugePages } = checkOptions(options, IOAS_OPTIONS);
    const struct = iommu_ioas_alloc.create();
    const operation = [IOMMU_IOAS_ALLOC, "IOMMU_IOAS_ALLOC"] as const;
    request(this.#handle, operation, struct, "make an address space");
    const ioas = newIoas(this.#handle, struct.fields.out_ioas_id, (gone) => {
      this.#parts.delete(gone);
    });
    using undo = new DisposableStack();
    undo.use(ioas);
    if (hugePages !== undefined) ioas.hugePages = hugePages;
    if (allow !== undefined) ioas.allow(allow);
    undo.move();
    this.#parts.add(ioas);
    return ioas;
  }

  /**
   * Opens a device by its own node and binds it to this iommufd; its group must not be open.
   *
   * @param device A PCI address `0000:00:10.0`, or the UUID of a mediated device.
   * @returns The device; dispose detaches and closes it.
   * @throws {TypeError} If it is neither.
   * @throws {VfioError} ENODEV: no such device, no driver of VFIO, or a kernel without device nodes;
   *   EBUSY: its group is open.
   * @see drivers/vfio/device_cdev.c, vfio_df_ioctl_bind_iommufd
   */
  bind(device: string): BoundDevice {
    const bound = bindDevice(this.#handle, device, (gone) => this.#parts.delete(gone));
    this.#parts.add(bound);
    return bound;
  }

  /**
   * Reads what the IOMMU of a device can do.
   *
   * @param device A device that is bound to this iommufd.
   * @throws {VfioError} ENOENT, if it is not.
   * @see drivers/iommu/iommufd/device.c, iommufd_get_hw_info
   */
  hardwareInfo(device: IommufdObject): HardwareInfo {
    return readHardwareInfo(this.#handle, device);
  }

  /**
   * Takes zeroed host memory that can be mapped. Dispose gives it back, with its last mapping.
   *
   * @param size Bytes, a multiple of 4096 or of the huge page size.
   * @param options Huge pages, or a file behind the memory.
   * @throws {TypeError} If the size is no bigint, or an option is not known.
   * @throws {RangeError} If the size is not such a multiple.
   * @throws {VfioError} ENOMEM, where the host has not enough memory or huge pages.
   */
  allocate(size: bigint, options?: MemoryOptions): HostMemory {
    return HostMemory.allocate(this.#kernel, size, options);
  }

  /**
   * Makes an ioctl on the iommufd that nothing checks: the kernel reads and writes as much memory as
   * the struct claims, and Pinscope does not learn what changed.
   *
   * @returns The kernel's answer, or -errno.
   */
  rawIoctl(number: number, argument: Uint8Array): number {
    return this.#kernel.ioctlBuffer(this.fd, number, argument);
  }

  /**
   * Releases what it made, the youngest first, and closes the file; twice does nothing.
   *
   * @throws {VfioError} EBUSY, if something that Pinscope did not make used one of its objects: the
   *   file is closed then all the same, and takes both with it.
   */
  [Symbol.dispose](): void {
    if (!this.#file.isOpen) return;
    const parts = [...this.#parts];
    using stack = new DisposableStack();
    stack.use(this.#retained);
    // What could not be destroyed, because somebody else's object used it, went with the file.
    for (const part of parts) if (part instanceof Ioas) stack.defer(() => forgetIoas(part));
    stack.use(this.#file);
    stack.use(this.#parts);
  }
}
