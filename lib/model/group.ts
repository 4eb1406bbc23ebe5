import { ERRNO } from "../base/errno.ts";
import { VFIO_GROUP_FLAGS_CONTAINER_SET, VFIO_GROUP_FLAGS_VIABLE } from "../uapi/flag.ts";
import { vfio_group_status } from "../uapi/group.ts";
import {
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_GROUP_UNSET_CONTAINER,
} from "../uapi/request.ts";
import { ContainerFile } from "./container.ts";
import type { DeviceFile } from "./device.ts";
import { type IoctlArgument, ModelFile } from "./file.ts";
import type { AttachedGroup } from "./type1.ts";

/** What a group asks of the host. */
export interface GroupHost {
  /** The open file behind a descriptor. */
  fileOf(fd: number): ModelFile | undefined;
  /** Gives a new descriptor for a file. */
  install(file: ModelFile): number;
  /** Opens a device of the group by name; undefined if VFIO does not have it. */
  openDevice(name: string, group: GroupFile): DeviceFile | undefined;
  /** Whether user space may have the group now. */
  isViable(): boolean;
  readonly emulated: boolean;
  /** Whether there is one device in the group. */
  isSingleton(): boolean;
  /** Called when the group is closed. */
  onRelease(): void;
}

/**
 * An open /dev/vfio/<number>.
 *
 * @see drivers/vfio/group.c
 */
export class GroupFile extends ModelFile implements AttachedGroup {
  /** Devices that are open. */
  readonly devices: Set<DeviceFile> = new Set();
  /** The container that the group is in. */
  container: ContainerFile | undefined;
  /** Whether a driver of it has pinned since it joined its container. */
  hasPinned = false;
  readonly #host: GroupHost;

  /** A group that is in no container. */
  constructor(host: GroupHost) {
    super();
    this.#host = host;
  }

  /** Mediated devices only. */
  get emulated(): boolean {
    return this.#host.emulated;
  }

  /** Whether there is one device in it. */
  get isSingleton(): boolean {
    return this.#host.isSingleton();
  }

  /** Tells the drivers of the open devices. */
  dmaUnmap(iova: bigint, size: bigint): void {
    for (const device of this.devices) device.driver?.dmaUnmap(iova, size);
  }

  override ioctl(request: number, argument: IoctlArgument): number {
    switch (request) {
      case VFIO_GROUP_GET_STATUS:
        return this.#status(argument);
      case VFIO_GROUP_SET_CONTAINER:
        return this.#setContainer(argument);
      case VFIO_GROUP_UNSET_CONTAINER:
        return this.#unsetContainer();
      case VFIO_GROUP_GET_DEVICE_FD:
        return this.#device(argument);
      default:
        return -ERRNO.ENOTTY;
    }
  }

  #status(argument: IoctlArgument): number {
    if (!(argument instanceof Uint8Array) || argument.length < 8) return -ERRNO.EFAULT;
    const status = vfio_group_status.over(argument).fields;
    if (status.argsz < vfio_group_status.size) return -ERRNO.EINVAL;
    status.flags = (this.#host.isViable() ? VFIO_GROUP_FLAGS_VIABLE : 0) |
      (this.container === undefined ? 0 : VFIO_GROUP_FLAGS_CONTAINER_SET);
    return 0;
  }

  #setContainer(argument: IoctlArgument): number {
    if (!(argument instanceof Uint8Array) || argument.length < 4) return -ERRNO.EFAULT;
    if (this.container !== undefined) return -ERRNO.EINVAL;
    const fd = new DataView(argument.buffer, argument.byteOffset).getInt32(0, true);
    if (fd < 0) return -ERRNO.EINVAL;
    const file = this.#host.fileOf(fd);
    if (file === undefined) return -ERRNO.EBADF;
    if (!(file instanceof ContainerFile)) return -ERRNO.EBADFD;
    if (!this.#host.isViable()) return -ERRNO.EPERM;
    const result = file.attach(this);
    if (result === 0) this.container = file;
    return result;
  }

  #unsetContainer(): number {
    if (this.container === undefined) return -ERRNO.EINVAL;
    if (this.devices.size > 0) return -ERRNO.EBUSY;
    this.container.detach(this);
    this.container = undefined;
    return 0;
  }

  #device(argument: IoctlArgument): number {
    if (!(argument instanceof Uint8Array)) return -ERRNO.EFAULT;
    if (this.container?.iommu === undefined) return -ERRNO.EINVAL;
    const end = argument.indexOf(0);
    const name = new TextDecoder().decode(argument.subarray(0, end < 0 ? undefined : end));
    const device = this.#host.openDevice(name, this);
    if (device === undefined) return -ERRNO.ENODEV;
    this.devices.add(device);
    return this.#host.install(device);
  }

  override release(): void {
    if (this.container !== undefined) this.container.detach(this);
    this.container = undefined;
    this.#host.onRelease();
  }
}
