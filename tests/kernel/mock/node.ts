/**
 * A device node for the mock IOMMU. The kernel's mock devices have none, so that nothing which opens a
 * device by its name could be seen with them. Here the three requests of a node are turned into those
 * of the mock device behind it; everything else is the real kernel's answer.
 */

import { type IommufdObject, type Kernel, rawLinux as linux } from "../../../mod.ts";
import {
  IOMMU_DESTROY,
  IOMMU_HWPT_SET_DIRTY_TRACKING,
  iommu_hwpt_set_dirty_tracking,
  IOMMU_IOAS_ALLOC,
  iommu_ioas_alloc,
  VFIO_DEVICE_ATTACH_IOMMUFD_PT,
  vfio_device_attach_iommufd_pt_v6_6,
  VFIO_DEVICE_BIND_IOMMUFD,
  vfio_device_bind_iommufd_v6_6,
  VFIO_DEVICE_DETACH_IOMMUFD_PT,
} from "../../../lib/uapi/mod.ts";
import { must } from "../support/raw.ts";
import { type Asked, MockDevice } from "./mock.ts";

/** By what name the device is opened. */
export const NODE_DEVICE = "0000:00:10.0";
const FOLDER = `/sys/bus/pci/devices/${NODE_DEVICE}/vfio-dev`;
const PATH = "/dev/vfio/devices/vfio0";

/** What the device does once its page table tracks. */
export type AtStart = (iommufd: Asked, hwpt: number) => void;

const askedOf = (fd: number): Asked => ({
  rawIoctl: (number, bytes) => linux.ioctlBuffer(fd, number, bytes),
});

/** The device while its node is open. */
class Node {
  #bound: { readonly asked: Asked; readonly home: IommufdObject; readonly device: MockDevice } | 0 =
    0;

  ioctl(request: number, bytes: Uint8Array): number {
    switch (request) {
      case VFIO_DEVICE_BIND_IOMMUFD: {
        const { fields } = vfio_device_bind_iommufd_v6_6.over(bytes);
        const asked = askedOf(fields.iommufd);
        // A mock device is attached from its first moment on: here to a space of its own.
        const space = iommu_ioas_alloc.create();
        space.fields.size = iommu_ioas_alloc.size;
        must(asked.rawIoctl(IOMMU_IOAS_ALLOC, space.bytes), "IOAS_ALLOC");
        const home = { id: space.fields.out_ioas_id };
        const device = new MockDevice(asked, home);
        this.#bound = { asked, home, device };
        fields.out_devid = device.id;
        return 0;
      }
      case VFIO_DEVICE_ATTACH_IOMMUFD_PT: {
        const { pt_id } = vfio_device_attach_iommufd_pt_v6_6.over(bytes).fields;
        return this.#move({ id: pt_id });
      }
      case VFIO_DEVICE_DETACH_IOMMUFD_PT:
        return this.#bound === 0 ? -22 : this.#move(this.#bound.home);
      default:
        return -25; // ENOTTY
    }
  }

  #move(target: IommufdObject): number {
    if (this.#bound === 0) return -22; // EINVAL, before it is bound
    const answer = this.#bound.device.replace(target);
    if (answer !== "OK") throw new Error(`REPLACE of a mock device: ${answer}`);
    return 0;
  }

  close(): void {
    if (this.#bound === 0) return;
    const { asked, home, device } = this.#bound;
    this.#bound = 0;
    device[Symbol.dispose]();
    const request = new Uint8Array(Uint32Array.of(8, home.id).buffer);
    must(asked.rawIoctl(IOMMU_DESTROY, request), "DESTROY of its address space");
  }
}

/** Linux, with a node for one device of its mock IOMMU. */
export function withNode(atStart: AtStart = () => {}): Kernel {
  const nodes = new Map<number, Node>();
  const own: Partial<Kernel> = {
    list: (path) => path === FOLDER ? ["vfio0"] : linux.list(path),
    open: (path, flags) => {
      if (path !== PATH) return linux.open(path, flags);
      const fd = linux.eventfd(0, 0); // a number that nothing else has
      if (fd >= 0) nodes.set(fd, new Node());
      return fd;
    },
    close: (fd) => {
      nodes.get(fd)?.close();
      nodes.delete(fd);
      return linux.close(fd);
    },
    ioctlBuffer: (fd, request, bytes) => {
      const node = nodes.get(fd);
      if (node !== undefined) return node.ioctl(request, bytes);
      const result = linux.ioctlBuffer(fd, request, bytes);
      if (result === 0 && request === IOMMU_HWPT_SET_DIRTY_TRACKING) {
        const { hwpt_id, flags } = iommu_hwpt_set_dirty_tracking.over(bytes).fields;
        if (flags !== 0) atStart(askedOf(fd), hwpt_id);
      }
      return result;
    },
  };
  return new Proxy(linux, {
    get: (target, name) => {
      if (Object.hasOwn(own, name)) return Reflect.get(own, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
