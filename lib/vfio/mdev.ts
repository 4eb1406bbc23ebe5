/**
 * Mediated devices: their types, and how to make and remove them.
 *
 * @see Documentation/driver-api/vfio-mediated-device.rst
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { VfioError } from "../base/error.ts";
import { O_CLOEXEC, O_RDWR } from "../sys/constant.ts";
import type { Kernel } from "../sys/kernel.ts";
import { kernelOf } from "./kernel_option.ts";
import { readLine, writeText } from "../sys/text.ts";
import { devicePath, resolve } from "./topology.ts";

/** A type of mediated device that a parent offers. */
export interface MdevType {
  /** The parent device, as sysfs names it below /sys/class/mdev_bus. */
  readonly parent: string;
  /** The type, as sysfs names it. */
  readonly type: string;
  /** What the driver calls it, where it says. */
  readonly name: string | undefined;
  /** More about it, where the driver says. */
  readonly description: string | undefined;
  /** "vfio-pci" and others: what a device of it looks like. */
  readonly api: string | undefined;
  /** How many more can be made; undefined where the driver does not say. */
  readonly available: number | undefined;
  /** The UUIDs of those that there are. */
  readonly devices: readonly string[];
}

/** A mediated device that was made. */
export interface CreatedMdev {
  /** Its UUID: the name to attach it by. */
  readonly uuid: string;
  /** Its IOMMU group. */
  readonly group: number;
}

/** What the functions here take besides names. */
export interface MdevOptions {
  /** The running kernel by default, or a model of one. */
  readonly kernel?: Kernel;
}

const PARENTS = "/sys/class/mdev_bus";

const typesPath = (parent: string): string => `${PARENTS}/${parent}/mdev_supported_types`;

/** The names in a folder; none where it is missing. */
function names(kernel: Kernel, path: string): string[] {
  const found = kernel.list(path);
  return typeof found === "number" ? [] : found;
}

/**
 * Lists what mediated devices can be made here; nothing where no driver offers any.
 *
 * @see Documentation/ABI/testing/sysfs-bus-vfio-mdev
 */
export function listMdevTypes(options?: MdevOptions): MdevType[] {
  const kernel = kernelOf(options);
  using _held = kernel.retain();
  return names(kernel, PARENTS).flatMap((parent) =>
    names(kernel, typesPath(parent)).map((type) => {
      const path = `${typesPath(parent)}/${type}`;
      const available = readLine(kernel, `${path}/available_instances`);
      return {
        parent,
        type,
        name: readLine(kernel, `${path}/name`),
        description: readLine(kernel, `${path}/description`),
        api: readLine(kernel, `${path}/device_api`),
        available: available === undefined ? undefined : Number(available),
        devices: names(kernel, `${path}/devices`),
      };
    })
  );
}

/**
 * Makes a mediated device.
 *
 * @param parent As {@link listMdevTypes} names it.
 * @param type As {@link listMdevTypes} names it.
 * @param uuid Its name; a new one by default.
 * @throws {TypeError} If the UUID is none.
 * @throws {VfioError} ENOENT: no such parent, or no such type of it; EEXIST: the UUID is taken; ENOSPC or EUSERS:
 *   no more of this type; EACCES: only root may.
 * @see drivers/vfio/mdev/mdev_core.c, mdev_device_create
 *
 * @example Make one and remove it
 * ```ts
 * import { createMdev, listMdevTypes, removeMdev } from "@pinscope/vfio";
 * import { ModelKernel } from "@pinscope/vfio/model";
 *
 * const kernel = new ModelKernel();
 * const [offer] = listMdevTypes({ kernel });
 * if (offer === undefined) throw new Error("the model offers a type");
 * const { uuid } = createMdev(offer.parent, offer.type, undefined, { kernel });
 * removeMdev(uuid, { kernel });
 * ```
 */
export function createMdev(
  parent: string,
  type: string,
  uuid: string = crypto.randomUUID(),
  options?: MdevOptions,
): CreatedMdev {
  const kernel = kernelOf(options);
  checkUuid(uuid);
  using _held = kernel.retain();
  const action = `create the mediated device ${uuid} of type ${type}`;
  const hint = whyUnknown(listMdevTypes({ kernel }), parent, type);
  if (hint !== undefined) {
    throw new VfioError({ operation: "open", errno: ERRNO.ENOENT, action, hint });
  }
  const path = `${typesPath(parent)}/${type}/create`;
  const result = writeText(kernel, path, uuid);
  if (result < 0) {
    throw new VfioError({
      operation: `write to ${path}`,
      errno: -result,
      action,
      hint: whyNotCreated(-result),
    });
  }
  return { uuid: uuid.toLowerCase(), group: resolve(kernel, uuid).group };
}

/** The first of parent and type that is not there, and those that are. */
function whyUnknown(known: readonly MdevType[], parent: string, type: string): string | undefined {
  if (known.length === 0) return "no driver here offers mediated devices: load one first";
  const types = known.filter((each) => each.parent === parent).map((each) => each.type);
  if (types.includes(type)) return undefined;
  if (types.length > 0) return `parent ${parent} has no such type; it has: ${types.join(", ")}`;
  const parents = [...new Set(known.map((each) => each.parent))];
  return `there is no parent ${JSON.stringify(parent)}; there are: ${parents.join(", ")}`;
}

function checkUuid(uuid: string): void {
  if (devicePath(uuid)?.startsWith("/sys/bus/mdev/") === true) return;
  throw new TypeError(
    "A mediated device is named by a UUID like 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001; got " +
      JSON.stringify(uuid),
  );
}

const EUSERS = 87;

function whyNotCreated(errno: number): string | undefined {
  switch (errno) {
    case ERRNO.EEXIST:
      return "there is a device of that UUID already";
    case ERRNO.ENOSPC:
    case EUSERS:
      return "no more devices of this type can be made; remove one first";
    case ERRNO.EACCES:
    case ERRNO.EPERM:
      return "only root may";
    default:
      return undefined;
  }
}

/**
 * Removes a mediated device.
 *
 * @throws {TypeError} If the UUID is none.
 * @throws {VfioError} ENOENT: there is no such device; EBUSY: it is in use (the kernel would wait,
 *   without an end, until it is closed); EACCES: only root may.
 * @see drivers/vfio/mdev/mdev_sysfs.c, remove_store
 */
export function removeMdev(uuid: string, options?: MdevOptions): void {
  const kernel = kernelOf(options);
  checkUuid(uuid);
  using _held = kernel.retain();
  const action = `remove the mediated device ${uuid}`;
  const { group } = resolve(kernel, uuid);
  const node = `/dev/vfio/${group}`;
  const fd = kernel.open(node, O_RDWR | O_CLOEXEC);
  if (fd >= 0) kernel.close(fd);
  if (fd === -ERRNO.EBUSY) {
    const hint = `a program has ${node}, or the device, open: end it first (fuser ${node})`;
    throw new VfioError({ operation: "open", errno: ERRNO.EBUSY, action, hint });
  }
  const path = `${devicePath(uuid)}/remove`;
  const result = writeText(kernel, path, "1");
  if (result >= 0) return;
  const denied = result === -ERRNO.EACCES || result === -ERRNO.EPERM;
  const hint = denied ? "only root may" : undefined;
  throw new VfioError({ operation: `write to ${path}`, errno: -result, action, hint });
}
