import { checkKind } from "../base/argument.ts";
import { ERRNO } from "../base/errno.ts";
import { check, VfioError } from "../base/error.ts";
import { O_CLOEXEC, O_RDWR } from "../sys/constant.ts";
import type { Kernel } from "../sys/kernel.ts";
import { OwnedFd } from "../sys/owned_fd.ts";
import {
  vfio_device_attach_iommufd_pt_v6_6,
  vfio_device_bind_iommufd_v6_6,
  vfio_device_detach_iommufd_pt_v6_6,
} from "../uapi/device_cdev.ts";
import {
  VFIO_DEVICE_ATTACH_IOMMUFD_PT,
  VFIO_DEVICE_BIND_IOMMUFD,
  VFIO_DEVICE_DETACH_IOMMUFD_PT,
} from "../uapi/request.ts";
import { explainAttach, explainBind } from "./explain.ts";
import { Hwpt, hwptParts } from "./hwpt.ts";
import { type Ioas, partsOf } from "./ioas.ts";
import { type IommufdFile, type IommufdObject, Parts } from "./object.ts";
import { recorded } from "./recorder.ts";

/** A device that is attached; dispose detaches it. */
export interface Attachment extends Disposable {
  /** The page table that it uses: the given one, or the one that the kernel made of the address space. */
  readonly pageTableId: number;
}

/** What the device came from. */
interface DeviceInit {
  readonly iommufd: IommufdFile;
  readonly name: string;
  readonly id: number;
  readonly file: OwnedFd;
  readonly onClose: (device: BoundDevice) => void;
}

/** Set by the class, for this folder alone. */
let make: (init: DeviceInit) => BoundDevice;
let parts: (device: BoundDevice) => Parts;
let kernel: (device: BoundDevice) => Kernel;

/**
 * A device opened by its own node and bound to an iommufd. Dispose detaches and closes it.
 *
 * @see drivers/vfio/device_cdev.c
 */
export class BoundDevice implements Disposable, IommufdObject {
  /** As sysfs names it. */
  readonly name: string;
  /** The number of the device in the iommufd. */
  readonly id: number;
  readonly #init: DeviceInit;
  readonly #parts = new Parts();
  #attachment: Attachment | undefined;

  static {
    make = (init) => new BoundDevice(init);
    parts = (device) => device.#parts;
    kernel = (device) => device.#init.iommufd.kernel;
  }

  private constructor(init: DeviceInit) {
    this.name = init.name;
    this.id = init.id;
    this.#init = init;
  }

  /** The device's file, while it is open: VFIO's device requests go there. */
  get fd(): number {
    return this.#init.file.fd;
  }

  /** What it is attached to, if it is. */
  get attachment(): Attachment | undefined {
    return this.#attachment;
  }

  /**
   * Attaches the device to a page table, or to an address space: the kernel then takes or makes a
   * page table itself, which tracks no dirty pages.
   *
   * @throws {ReferenceError} If it is attached already: dispose the attachment first.
   * @throws {VfioError} EINVAL: the page table does not fit the device; ENOMEM: the memory limit.
   * @see drivers/vfio/device_cdev.c, vfio_df_ioctl_attach_pt
   */
  attach(target: Ioas | Hwpt): Attachment {
    if (this.#attachment !== undefined) {
      throw new ReferenceError(`${this.name} is attached already; dispose its attachment first`);
    }
    if (target instanceof Hwpt) return this.#attach(target, hwptParts(target));
    return this.#charged("page-table", target, () => this.#attach(target, partsOf(target)));
  }

  /** Does what may make, or end, a page table of an address space: the ledger is told. */
  #charged<T>(kind: "page-table" | "page-table-gone", space: Ioas, act: () => T): T {
    return recorded(this.#init.iommufd.recorder, act, (book) => {
      book.setTables(space.id, partsOf(space).size);
      return [kind, `${this.name} and address space ${space.id}`];
    });
  }

  #attach(target: Ioas | Hwpt, parts: Parts): Attachment {
    const { kernel } = this.#init.iommufd;
    const struct = vfio_device_attach_iommufd_pt_v6_6.create();
    struct.fields.argsz = vfio_device_attach_iommufd_pt_v6_6.size;
    struct.fields.pt_id = target.id;
    check(
      kernel.ioctlBuffer(this.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, struct.bytes),
      "VFIO_DEVICE_ATTACH_IOMMUFD_PT",
      `attach ${this.name} to ${target instanceof Hwpt ? "page table" : "address space"} ` +
        target.id,
      (errno) => explainAttach(kernel, errno),
    );
    const attachment: Attachment = {
      pageTableId: struct.fields.pt_id,
      [Symbol.dispose]: () => {
        if (this.#attachment !== attachment) return;
        this.#attachment = undefined;
        const detach = (): void => {
          parts.delete(attachment);
          this.#detach();
        };
        if (target instanceof Hwpt) detach();
        else this.#charged("page-table-gone", target, detach);
      },
    };
    parts.add(attachment);
    this.#attachment = attachment;
    return attachment;
  }

  #detach(): void {
    const struct = vfio_device_detach_iommufd_pt_v6_6.create();
    struct.fields.argsz = vfio_device_detach_iommufd_pt_v6_6.size;
    const { kernel } = this.#init.iommufd;
    const result = kernel.ioctlBuffer(this.fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, struct.bytes);
    check(result, "VFIO_DEVICE_DETACH_IOMMUFD_PT", `detach ${this.name}`);
  }

  /** Detaches the device and closes it; twice does nothing. */
  [Symbol.dispose](): void {
    if (!this.#init.file.isOpen) return;
    using stack = new DisposableStack();
    stack.defer(() => this.#init.onClose(this));
    stack.use(this.#init.file);
    if (this.#attachment !== undefined) stack.use(this.#attachment);
    stack.use(this.#parts); // mapped regions and a log go while the device is still attached
  }
}

/** What uses the file of a bound device and goes before it. */
export function boundParts(device: BoundDevice): Parts {
  return parts(device);
}

/** What answers a bound device's system calls. */
export function kernelOf(device: BoundDevice): Kernel {
  return kernel(device);
}

/** See `Iommufd.bind`. */
export function bindDevice(
  iommufd: IommufdFile,
  name: string,
  onClose: (device: BoundDevice) => void,
): BoundDevice {
  checkKind("device", name, "string");
  const { kernel } = iommufd;
  const action = `bind ${name} to an iommufd`;
  const path = `/dev/vfio/devices/${nodeOf(iommufd, name, action)}`;
  using undo = new DisposableStack();
  const fd = check(
    kernel.open(path, O_RDWR | O_CLOEXEC),
    "open",
    action,
    (errno) =>
      errno === ERRNO.EACCES || errno === ERRNO.EPERM
        ? `this user may not open ${path}; as root: chown USER ${path}`
        : undefined,
  );
  const file = undo.use(new OwnedFd(kernel, fd, `device ${name}`));
  const struct = vfio_device_bind_iommufd_v6_6.create();
  struct.fields.argsz = vfio_device_bind_iommufd_v6_6.size;
  struct.fields.iommufd = iommufd.fd;
  const result = kernel.ioctlBuffer(fd, VFIO_DEVICE_BIND_IOMMUFD, struct.bytes);
  check(result, "VFIO_DEVICE_BIND_IOMMUFD", action, explainBind);
  undo.move();
  return make({ iommufd, name, id: struct.fields.out_devid, file, onClose });
}

/** A PCI address, or the UUID of a mediated device. */
const PCI = /^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;
const MDEV = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The name of a device's node: vfio0 and so on. */
function nodeOf({ kernel }: IommufdFile, name: string, action: string): string {
  const bus = PCI.test(name) ? "pci" : MDEV.test(name) ? "mdev" : undefined;
  if (bus === undefined) {
    throw new TypeError(
      `A device is a PCI address, as 0000:00:10.0, or the UUID of a mediated device; got ` +
        JSON.stringify(name),
    );
  }
  const folder = `/sys/bus/${bus}/devices/${name}`;
  const list = kernel.list(`${folder}/vfio-dev`);
  const [node] = typeof list === "number" ? [] : list;
  if (node !== undefined) return node;
  const hint = typeof kernel.list(folder) === "number"
    ? "there is no such device"
    : "it has no driver of VFIO, or the kernel was built without CONFIG_VFIO_DEVICE_CDEV: bind it " +
      "to vfio-pci, or attach its group to a Container";
  throw new VfioError({ operation: "open", errno: ERRNO.ENODEV, action, hint });
}
