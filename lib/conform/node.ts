/** Devices opened by their own nodes. */

import { O_RDWR } from "../sys/constant.ts";
import type { Kernel } from "../sys/kernel.ts";
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
import type { Need } from "./check.ts";
import type { Member } from "./container.ts";
import { RawIommufd } from "./iommufd.ts";
import { missingIommufd } from "./mock.ts";
import { answer, must, RawFile, Unprepared } from "./raw.ts";

/** An open node of a device. */
export class RawNode extends RawFile {
  /** Opens one, which must work. */
  static open(kernel: Kernel, path: string): RawNode {
    return new RawNode(kernel, must(kernel.open(path, O_RDWR), "open of a device's node"));
  }

  /** BIND_IOMMUFD to a file's number; gives the number of the device. */
  bind(
    iommufd: number,
    more: { readonly argsz?: number; readonly flags?: number } = {},
  ): { readonly result: number; readonly id: number } {
    const request = vfio_device_bind_iommufd_v6_6.create();
    const argsz = request.bytes.length;
    Object.assign(request.fields, { argsz, flags: 0, iommufd, ...more });
    const result = this.ask(VFIO_DEVICE_BIND_IOMMUFD, request.bytes);
    return { result, id: request.fields.out_devid };
  }

  /** The same, which must work; gives the number of the device. */
  mustBind(iommufd: RawIommufd): number {
    const { result, id } = this.bind(iommufd.fd);
    must(result, "BIND_IOMMUFD");
    return id;
  }

  /** ATTACH_IOMMUFD_PT; gives what the kernel took. */
  attach(
    target: number,
    more: { readonly argsz?: number; readonly flags?: number } = {},
  ): { readonly result: number; readonly id: number } {
    const request = vfio_device_attach_iommufd_pt_v6_6.create();
    Object.assign(request.fields, { argsz: request.bytes.length, pt_id: target, ...more });
    const result = this.ask(VFIO_DEVICE_ATTACH_IOMMUFD_PT, request.bytes);
    return { result, id: request.fields.pt_id };
  }

  /** DETACH_IOMMUFD_PT. */
  detach(more: { readonly argsz?: number; readonly flags?: number } = {}): number {
    const request = vfio_device_detach_iommufd_pt_v6_6.create();
    Object.assign(request.fields, { argsz: request.bytes.length, ...more });
    return this.ask(VFIO_DEVICE_DETACH_IOMMUFD_PT, request.bytes);
  }
}

/** The node of a PCI device; undefined where it has none. */
function nodeOf(kernel: Kernel, { name }: Member): string | undefined {
  const list = kernel.list(`/sys/bus/pci/devices/${name}/vfio-dev`);
  return typeof list === "number" || list[0] === undefined
    ? undefined
    : `/dev/vfio/devices/${list[0]}`;
}

/** Finds the nodes of devices, and notes what is missing of iommufd. */
export function findNodes(
  kernel: Kernel,
  members: readonly Member[],
  missing: Map<Need, string>,
): string[] {
  const { iommufd, mock } = missingIommufd(kernel);
  if (iommufd !== undefined) missing.set("iommufd", iommufd);
  if (mock !== undefined) missing.set("mock", mock);
  const nodes = members.map((member) => nodeOf(kernel, member))
    .filter((node) => node !== undefined);
  const [node, node2] = iommufd === undefined ? nodes : [];
  const none = iommufd ?? "no PCI device bound to vfio-pci has a node of its own";
  if (node2 === undefined) missing.set("node2", node === undefined ? none : "there is only one");
  if (node === undefined) {
    for (const need of ["node", "node-any", "node-unsafe"] as const) missing.set(need, none);
    return [];
  }
  const refused = tryBind(kernel, node);
  if (refused !== undefined) {
    missing.set("node", `the device cannot be bound: ${refused}`);
    missing.set("node2", `the device cannot be bound: ${refused}`);
  }
  if (refused !== "EPERM") {
    missing.set("node-unsafe", "interrupts are remapped, or the risk is taken");
  }
  return nodes;
}

/** Why the device cannot be bound. */
function tryBind(kernel: Kernel, path: string): string | undefined {
  try {
    using iommufd = RawIommufd.open(kernel);
    using node = RawNode.open(kernel, path);
    const { result } = node.bind(iommufd.fd);
    return result < 0 ? answer(result) : undefined;
  } catch (error) {
    if (!(error instanceof Unprepared)) throw error;
    return error.message;
  }
}
