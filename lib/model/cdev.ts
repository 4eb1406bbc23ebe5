import { ERRNO } from "../base/errno.ts";
import { ATTACH_RULES, BIND_RULES, type BindState, DETACH_RULES } from "../rules/cdev.ts";
import { firstRefusal } from "../rules/refusal.ts";
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
import { DeviceFile, type DeviceHost } from "./device.ts";
import type { IoctlArgument } from "./file.ts";
import { IommufdFile } from "./iommufd.ts";
import type { AccessObject, BoundObject } from "./iommufd_device.ts";
import { targetOf } from "./iommufd_hwpt_request.ts";
import type { AreaSource } from "./memory.ts";
import type { Process } from "./process.ts";

/** What the file of a device's own node asks of the host. */
export interface CdevHost extends DeviceHost {
  /** What decides whether the device may be bound to an iommufd now. */
  state(iommufd: IommufdFile | undefined): Omit<BindState, "ownNode" | "bound" | "file">;
  /** Makes the device an object of an iommufd. */
  bind(iommufd: IommufdFile, file: CdevFile): BoundObject | AccessObject;
}

/**
 * An open /dev/vfio/devices/vfio0: nothing but to be bound, and then a device.
 *
 * @see drivers/vfio/device_cdev.c
 */
export class CdevFile extends DeviceFile {
  readonly #host: CdevHost;
  #iommufd: IommufdFile | undefined;
  #object: BoundObject | AccessObject | undefined;

  /** A file that is not bound. */
  constructor(host: CdevHost) {
    super(host);
    this.#host = host;
  }

  /** What the device is in its iommufd, while it is bound. */
  get object(): BoundObject | AccessObject | undefined {
    return this.#object;
  }

  /** The iommufd that it is bound to. */
  get iommufd(): IommufdFile | undefined {
    return this.#iommufd;
  }

  override ioctl(request: number, argument: IoctlArgument, current: Process): number {
    if (request === VFIO_DEVICE_BIND_IOMMUFD) return this.#bind(argument, current);
    if (this.#object === undefined) return -ERRNO.EINVAL;
    switch (request) {
      case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
        return this.#attach(argument, this.#object);
      case VFIO_DEVICE_DETACH_IOMMUFD_PT:
        return this.#detach(argument, this.#object);
      default:
        return super.ioctl(request, argument, current);
    }
  }

  #bind(argument: IoctlArgument, current: Process): number {
    const { size } = vfio_device_bind_iommufd_v6_6;
    if (!(argument instanceof Uint8Array) || argument.length < size) return -ERRNO.EFAULT;
    const { fields } = vfio_device_bind_iommufd_v6_6.over(argument);
    const found = current.files.get(fields.iommufd);
    const iommufd = found instanceof IommufdFile ? found : undefined;
    const refusal = firstRefusal(BIND_RULES, fields, {
      ...this.#host.state(iommufd),
      ownNode: true,
      bound: this.#object !== undefined,
      file: iommufd !== undefined ? "iommufd" : found === undefined ? "none" : "other",
    });
    if (refusal !== undefined || iommufd === undefined) return -(refusal?.errno ?? ERRNO.EBADFD);
    iommufd.users += 1; // a bound device keeps its iommufd open
    this.#iommufd = iommufd;
    this.#object = this.#host.bind(iommufd, this);
    fields.out_devid = iommufd.objects.idOf(this.#object);
    return 0;
  }

  #attach(argument: IoctlArgument, object: BoundObject | AccessObject): number {
    const { size } = vfio_device_attach_iommufd_pt_v6_6;
    if (!(argument instanceof Uint8Array) || argument.length < size) return -ERRNO.EFAULT;
    const { fields } = vfio_device_attach_iommufd_pt_v6_6.over(argument);
    // A mediated device takes address spaces only, and knows nothing else.
    const target = targetOf(this.#iommufd!.objects, fields.pt_id);
    const known = object.kind === "access" && target !== "ioas" ? "none" : target;
    const refusal = firstRefusal(ATTACH_RULES, fields, { bound: true, target: known });
    if (refusal !== undefined) return -refusal.errno;
    const result = object.attach(fields.pt_id);
    if (result < 0) return result;
    fields.pt_id = result;
    return 0;
  }

  #detach(argument: IoctlArgument, object: BoundObject | AccessObject): number {
    const { size } = vfio_device_detach_iommufd_pt_v6_6;
    if (!(argument instanceof Uint8Array) || argument.length < size) return -ERRNO.EFAULT;
    const { fields } = vfio_device_detach_iommufd_pt_v6_6.over(argument);
    const refusal = firstRefusal(DETACH_RULES, fields, { bound: true });
    if (refusal !== undefined) return -refusal.errno;
    object.detach();
    return 0;
  }

  override read(into: Uint8Array, offset: bigint | undefined): number {
    return this.#object === undefined ? -ERRNO.EINVAL : super.read(into, offset);
  }

  override write(from: Uint8Array, offset: bigint | undefined, current: Process): number {
    return this.#object === undefined ? -ERRNO.EINVAL : super.write(from, offset, current);
  }

  override map(offset: bigint, size: bigint, shared: boolean): AreaSource | number {
    return this.#object === undefined ? -ERRNO.EINVAL : super.map(offset, size, shared);
  }

  override release(): void {
    super.release();
    this.#object?.unbind();
    this.#object = undefined;
    this.#iommufd?.drop();
    this.#iommufd = undefined;
  }
}
