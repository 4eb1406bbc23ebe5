import { ERRNO } from "../base/errno.ts";
import type { Behaviour } from "../rules/behaviour.ts";
import {
  GET_DEVICE_FD_RULES,
  type GroupState,
  SET_CONTAINER_RULES,
  UNSET_CONTAINER_RULES,
} from "../rules/group.ts";
import { firstRefusal } from "../rules/refusal.ts";
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
import type { Process } from "./process.ts";
import type { AttachedGroup } from "./type1.ts";

/** What a group asks of the host. */
export interface GroupHost {
  /** Whether VFIO has a device of that name in the group. */
  hasDevice(name: string): boolean;
  /** Opens a device that it has. */
  openDevice(name: string, group: GroupFile): DeviceFile;
  /** Whether user space may have the group now. */
  isViable(): boolean;
  readonly emulated: boolean;
  readonly behaviour: Behaviour;
  /** Whether there is one device in the group. */
  isSingleton(): boolean;
  /** Called before the group leaves its container. */
  onLeave(): void;
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

  override ioctl(request: number, argument: IoctlArgument, current: Process): number {
    switch (request) {
      case VFIO_GROUP_GET_STATUS:
        return this.#status(argument);
      case VFIO_GROUP_SET_CONTAINER:
        return this.#setContainer(argument, current);
      case VFIO_GROUP_UNSET_CONTAINER:
        return this.#unsetContainer();
      case VFIO_GROUP_GET_DEVICE_FD:
        return this.#device(argument, current);
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

  #setContainer(argument: IoctlArgument, current: Process): number {
    if (!(argument instanceof Uint8Array) || argument.length < 4) return -ERRNO.EFAULT;
    const fd = new DataView(argument.buffer, argument.byteOffset).getInt32(0, true);
    const file = current.files.get(fd);
    const container = file instanceof ContainerFile ? file : undefined;
    const kind = container !== undefined ? "container" : file === undefined ? "none" : "other";
    const moving = container?.iommu?.hasInvalidVaddr;
    const refusal = firstRefusal(SET_CONTAINER_RULES, { file: kind }, { ...this.#state(), moving });
    if (refusal !== undefined) return -refusal.errno;
    const result = container?.attach(this, current) ?? -ERRNO.EBADFD;
    if (result === 0) this.container = container;
    return result;
  }

  #state(): GroupState {
    return {
      inContainer: this.container !== undefined,
      hasIommu: this.container?.iommu !== undefined,
      viable: this.#host.isViable(),
      openDevices: this.devices.size,
      behaviour: this.#host.behaviour,
    };
  }

  #unsetContainer(): number {
    const refusal = firstRefusal(UNSET_CONTAINER_RULES, {}, this.#state());
    if (refusal !== undefined) return -refusal.errno;
    this.#leave();
    return 0;
  }

  #leave(): void {
    if (this.container === undefined) return;
    this.#host.onLeave();
    this.container.detach(this);
    this.container = undefined;
  }

  #device(argument: IoctlArgument, current: Process): number {
    if (!(argument instanceof Uint8Array)) return -ERRNO.EFAULT;
    const end = argument.indexOf(0);
    if (end < 0) return -ERRNO.EINVAL;
    const name = new TextDecoder().decode(argument.subarray(0, end));
    const known = this.#host.hasDevice(name);
    const refusal = firstRefusal(GET_DEVICE_FD_RULES, { known }, this.#state());
    if (refusal !== undefined) return -refusal.errno;
    const device = this.#host.openDevice(name, this);
    this.devices.add(device);
    this.users += 1; // an open device keeps its group open
    return current.files.install(device);
  }

  /** A device of the group is closed. */
  close(device: DeviceFile): void {
    if (this.devices.delete(device)) this.drop();
  }

  override release(): void {
    this.#leave();
    this.#host.onRelease();
  }
}
