import { ERRNO } from "../base/errno.ts";
import { check, VfioError } from "../base/error.ts";
import { O_CLOEXEC, O_RDWR } from "../sys/constant.ts";
import type { Kernel } from "../sys/kernel.ts";
import { OwnedFd } from "../sys/owned_fd.ts";
import { VFIO_GROUP_FLAGS_VIABLE } from "../uapi/flag.ts";
import { vfio_group_status } from "../uapi/group.ts";
import {
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_UNSET_CONTAINER,
} from "../uapi/request.ts";
import { adoptDevice, type Device } from "./device.ts";
import { devicesToBind } from "./to_bind.ts";
import { type DeviceId, type GroupId, isNoIommu, isViable } from "./topology.ts";

/** What a {@link Group} is made from. */
export interface GroupInit {
  readonly kernel: Kernel;
  /** The open group node. */
  readonly file: OwnedFd;
  readonly id: GroupId;
  /** The device that attach was asked for. */
  readonly device: string | undefined;
  /** Called before anything of the group is released. */
  readonly onLeaving: () => void;
  /** Called after the group has left its container. */
  readonly onLeave: (group: Group) => void;
}

/** Set by the class, for this module alone: a script has no use for it. */
let make: (init: GroupInit) => Group;

/**
 * An IOMMU group that is attached to a container. Dispose closes its devices and takes it out.
 *
 * @see drivers/vfio/group.c
 */
export class Group implements Disposable {
  /** The number in /dev/vfio/<number>. */
  readonly number: number;
  /** All devices of the group, as sysfs listed them at attach. */
  readonly devices: readonly DeviceId[];
  readonly #init: GroupInit;
  readonly #open: Device[] = [];

  static {
    make = (init) => new Group(init);
  }

  private constructor(init: GroupInit) {
    this.number = init.id.number;
    this.devices = init.id.devices;
    this.#init = init;
  }

  /** Whether the group still belongs to its container. */
  get isAttached(): boolean {
    return this.#init.file.isOpen;
  }

  /**
   * Opens a device of the group.
   *
   * @param name As sysfs names it; by default the one that was attached, or the only one there is.
   * @throws {TypeError} If no name is given and the group has several devices.
   * @throws {VfioError} ENODEV: no such device, or its driver is not one of VFIO.
   * @see drivers/vfio/group.c, vfio_group_ioctl_get_device_fd
   */
  device(name: string = this.#defaultDevice()): Device {
    const { kernel, file } = this.#init;
    const argument = new TextEncoder().encode(`${name}\0`);
    const fd = check(
      kernel.ioctlBuffer(file.fd, VFIO_GROUP_GET_DEVICE_FD, argument),
      "VFIO_GROUP_GET_DEVICE_FD",
      `open device ${name} of group ${this.number}`,
      (errno) =>
        errno === ERRNO.ENODEV
          ? { hint: this.#whyNoDevice(name), rule: "group.device" }
          : undefined,
    );
    const device = adoptDevice(kernel, new OwnedFd(kernel, fd, `device ${name}`), name, () => {
      this.#open.splice(this.#open.indexOf(device), 1);
    });
    this.#open.push(device);
    return device;
  }

  #defaultDevice(): string {
    const only = this.devices.length === 1 ? this.devices[0]?.name : undefined;
    const name = this.#init.device ?? only;
    if (name !== undefined) return name;
    const names = this.devices.map((device) => device.name).join(", ");
    throw new TypeError(`Group ${this.number} has several devices, name one of: ${names}`);
  }

  #whyNoDevice(name: string): string {
    const device = this.devices.find((other) => other.name === name);
    if (device === undefined) {
      return `group ${this.number} holds ${this.devices.map((d) => d.name).join(", ")}`;
    }
    return `its driver is ${device.driver ?? "none"}; bind it with: pinscope bind ${name}`;
  }

  /** Closes the devices, takes the group out of its container, and closes it. */
  [Symbol.dispose](): void {
    const { kernel, file, onLeaving, onLeave } = this.#init;
    if (!file.isOpen) return;
    const { fd } = file;
    onLeaving();
    using stack = new DisposableStack();
    stack.defer(() => onLeave(this));
    stack.use(file);
    stack.defer(() => {
      check(
        kernel.ioctl(fd, VFIO_GROUP_UNSET_CONTAINER),
        "VFIO_GROUP_UNSET_CONTAINER",
        `take group ${this.number} out of its container`,
        (errno) => errno === ERRNO.EBUSY ? "a device of it is still open elsewhere" : undefined,
      );
    });
    // UNSET_CONTAINER answers EBUSY while a device fd or a mapped region is open.
    for (const device of [...this.#open]) stack.use(device);
  }
}

/** Makes the group of an open node that has joined a container; `container.attach` does. */
export function newGroup(init: GroupInit): Group {
  return make(init);
}

/**
 * Opens the node of a group and checks that user space may have it.
 *
 * @throws {VfioError} With what stands in the way: no node, no right, in use, not viable, no IOMMU.
 */
export function openGroup(kernel: Kernel, id: GroupId): OwnedFd {
  const { number } = id;
  const action = `open IOMMU group ${number}`;
  if (isNoIommu(id)) {
    throw new VfioError({
      operation: "VFIO_NOIOMMU_IOMMU",
      errno: ERRNO.EOPNOTSUPP,
      action,
      hint: "it is in no-IOMMU mode: nothing is translated, pinned or tracked there, and the " +
        "device reaches all memory; Pinscope does not use it",
    });
  }
  const path = `/dev/vfio/${number}`;
  const fd = check(
    kernel.open(path, O_RDWR | O_CLOEXEC),
    "open",
    action,
    (errno) => whyNotOpen(kernel, errno, path, id),
  );
  const file = new OwnedFd(kernel, fd, `group ${number}`);
  try {
    checkViable(kernel, fd, id);
    return file;
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
}

function whyNotOpen(kernel: Kernel, errno: number, path: string, id: GroupId): string | undefined {
  switch (errno) {
    case ERRNO.ENOENT: {
      if (id.devices.length === 0) return `there is no ${path}`;
      const why = `no device of it is bound to a VFIO driver (${list(id.devices)})`;
      const wanted = devicesToBind(kernel, id.devices);
      return wanted.length === 0 ? why : `${why}; bind with: ${bindLines(wanted)}`;
    }
    case ERRNO.EACCES:
      return `this user may not open ${path}; as root: chown $USER ${path}`;
    case ERRNO.EBUSY:
      return `${path}, or a device of it, is open in another process, or twice in this one`;
    case ERRNO.EPERM:
      return "this needs CAP_SYS_RAWIO";
    default:
      return undefined;
  }
}

/** What to type for some devices, in one line. */
const bindLines = (names: readonly string[]): string =>
  names.map((name) => `pinscope bind ${name}`).join("; ");

/** `name (driver)` of each device. */
const list = (devices: readonly DeviceId[]): string =>
  devices.map(({ name, driver }) => `${name}: ${driver ?? "no driver"}`).join(", ");

function checkViable(kernel: Kernel, fd: number, id: GroupId): void {
  const status = vfio_group_status.create();
  status.fields.argsz = vfio_group_status.size;
  const action = `use IOMMU group ${id.number}`;
  check(
    kernel.ioctlBuffer(fd, VFIO_GROUP_GET_STATUS, status.bytes),
    "VFIO_GROUP_GET_STATUS",
    action,
  );
  if ((status.fields.flags & VFIO_GROUP_FLAGS_VIABLE) !== 0) return;
  const guilty = id.devices.filter((device) => !isViable(device));
  throw new VfioError({
    operation: "VFIO_GROUP_GET_STATUS",
    errno: ERRNO.EPERM,
    action,
    hint: guilty.length === 0
      ? `it is not viable: another user of the IOMMU owns it (${list(id.devices)})`
      : `it is not viable: a driver of the host still uses a device of it (${list(guilty)}); ` +
        `give it up with: ${bindLines(guilty.map(({ name }) => name))}`,
    details: { group: id.number, devices: id.devices },
  });
}
