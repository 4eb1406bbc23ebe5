/** A kernel with an iommufd that keeps books: enough to see what is asked, in which order. */
import type { Kernel } from "../../../mod.ts";
import { ModelKernel } from "../../../lib/model/mod.ts";
import {
  iommu_hw_info,
  iommu_hwpt_alloc,
  iommu_ioas_alloc,
  iommu_ioas_copy,
  iommu_ioas_iova_ranges,
  iommu_ioas_map,
  iommu_ioas_map_file,
  iommu_ioas_unmap,
  iommu_iova_range,
  iommu_option,
  requestName,
  vfio_device_attach_iommufd_pt_v6_6,
  vfio_device_bind_iommufd_v6_6,
} from "../../../lib/uapi/mod.ts";

const IOMMUFD = 1000;
const DEVICE = 1001;

/** What the fake does besides. */
export interface FakeOptions {
  /** Errnos by request's name, or "open": the call is refused with it. */
  readonly refuse?: Readonly<Record<string, number>>;
  /** Usable ranges, both ends included. */
  readonly ranges?: readonly [bigint, bigint][];
  readonly alignment?: bigint;
  /** Bytes less than asked that UNMAP says it has removed. */
  readonly missing?: bigint;
  /** Capability bits of the device. */
  readonly capabilities?: bigint;
  /** Bytes of data that the IOMMU tells about itself. */
  readonly dataBytes?: number;
}

/** A kernel, and what was asked of its iommufd: the names of requests, and "close". */
export interface Fake {
  readonly kernel: Kernel;
  readonly asked: string[];
  /** The last request's bytes, by its name. */
  readonly last: Map<string, Uint8Array>;
}

/** Makes the fake. */
export function fakeKernel(options: FakeOptions = {}): Fake {
  const { refuse = {}, ranges = [[0n, (1n << 64n) - 1n]], alignment = 4096n } = options;
  const asked: string[] = [];
  const last = new Map<string, Uint8Array>();
  const views = new Map<bigint, Uint8Array>();
  const mapped = new Map<bigint, bigint>();
  const settings = new Map<number, bigint>([[1, 1n]]);
  let ids = 0;
  let free = 0x10_0000n;
  let address = 0x7000_0000n;

  const place = (fixed: boolean, iova: bigint, length: bigint): bigint => {
    const at = fixed ? iova : free;
    free += length;
    mapped.set(at, length);
    return at;
  };
  const answers: Readonly<Record<string, (bytes: Uint8Array) => void>> = {
    IOMMU_IOAS_ALLOC: (bytes) => void (iommu_ioas_alloc.over(bytes).fields.out_ioas_id = ++ids),
    IOMMU_HWPT_ALLOC: (bytes) => void (iommu_hwpt_alloc.over(bytes).fields.out_hwpt_id = ++ids),
    IOMMU_IOAS_MAP: (bytes) => {
      const { fields } = iommu_ioas_map.over(bytes);
      fields.iova = place((fields.flags & 1) !== 0, fields.iova, fields.length);
    },
    IOMMU_IOAS_MAP_FILE: (bytes) => {
      const { fields } = iommu_ioas_map_file.over(bytes);
      fields.iova = place((fields.flags & 1) !== 0, fields.iova, fields.length);
    },
    IOMMU_IOAS_COPY: (bytes) => {
      const { fields } = iommu_ioas_copy.over(bytes);
      fields.dst_iova = place((fields.flags & 1) !== 0, fields.dst_iova, fields.length);
    },
    IOMMU_IOAS_UNMAP: (bytes) => {
      const { fields } = iommu_ioas_unmap.over(bytes);
      let removed = 0n;
      for (const [iova, size] of mapped) {
        if (iova < fields.iova || iova + size > fields.iova + fields.length) continue;
        removed += size;
        mapped.delete(iova);
      }
      fields.length = removed - (options.missing ?? 0n);
    },
    IOMMU_OPTION: (bytes) => {
      const { fields } = iommu_option.over(bytes);
      if (fields.op === 0) settings.set(fields.option_id, fields.val64);
      else fields.val64 = settings.get(fields.option_id) ?? 0n;
    },
    IOMMU_GET_HW_INFO: (bytes) => {
      const { fields } = iommu_hw_info.over(bytes);
      const length = options.dataBytes ?? 24;
      views.get(fields.data_uptr)?.fill(7, 0, length);
      fields.data_len = length;
      fields.out_data_type = 1;
      fields.out_capabilities = options.capabilities ?? 0n;
    },
    VFIO_DEVICE_BIND_IOMMUFD: (bytes) => {
      vfio_device_bind_iommufd_v6_6.over(bytes).fields.out_devid = ++ids;
    },
    VFIO_DEVICE_ATTACH_IOMMUFD_PT: (bytes) => {
      vfio_device_attach_iommufd_pt_v6_6.over(bytes).fields.pt_id += 100;
    },
  };
  const readRanges = (bytes: Uint8Array): number => {
    const { fields } = iommu_ioas_iova_ranges.over(bytes);
    const list = views.get(fields.allowed_iovas)!;
    const room = fields.num_iovas;
    ranges.slice(0, room).forEach(([start, end], i) => {
      Object.assign(iommu_iova_range.over(list.subarray(i * 16)).fields, { start, last: end });
    });
    fields.num_iovas = ranges.length;
    fields.out_iova_alignment = alignment;
    return ranges.length > room ? -90 : 0;
  };

  const mine: Partial<Kernel> = {
    open: (path, flags) => {
      if (path !== "/dev/iommu" && !path.startsWith("/dev/vfio/devices/")) {
        return model.open(path, flags);
      }
      if (refuse.open !== undefined) return -refuse.open;
      asked.push(`open ${path}`);
      return path === "/dev/iommu" ? IOMMUFD : DEVICE;
    },
    close: (fd) => {
      if (fd < IOMMUFD) return model.close(fd);
      asked.push(fd === IOMMUFD ? "close" : "close device");
      return 0;
    },
    list: (path) =>
      path === "/sys/bus/pci/devices/0000:00:10.0/vfio-dev" ? ["vfio3"] : model.list(path),
    addressOf: (view) => {
      address += 0x1000n;
      views.set(address, view);
      return { address, owner: view };
    },
    ioctlBuffer: (fd, request, bytes) => {
      const name = requestName(fd === DEVICE ? "device" : "iommufd", request);
      asked.push(name);
      last.set(name, bytes.slice());
      if (refuse[name] !== undefined) return -refuse[name];
      if (name === "IOMMU_IOAS_IOVA_RANGES") return readRanges(bytes);
      answers[name]?.(bytes);
      return 0;
    },
  };
  const model: Kernel = new ModelKernel();
  const kernel = new Proxy(model, {
    get: (target, name) => {
      const own: unknown = Reflect.get(mine, name);
      if (own !== undefined) return own;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  return { kernel, asked, last };
}
