import { Container, type DirtyV9, readDirtyV9 } from "../../mod.ts";
import {
  DEFAULT_MDEV,
  ModelKernel,
  type ProposalV9,
  type SceneMdev,
  type ScenePciDevice,
  VENDOR,
  type VendorDriver,
} from "../../lib/model/mod.ts";
import { equal } from "../std/assert.ts";

export const PAGE = 4096n;
export const MiB = 1n << 20n;
export const IOVA = 1n << 32n;
/** Behind an IOMMU, and its driver never pins. */
export const PCI = "0000:00:10.0";
/** Behind an IOMMU, its driver pins; the only device of its group. */
export const ALONE = "0000:00:11.0";
/** As that one, with another device in its group. */
export const PAIR = "0000:00:12.0";
const pci = { kind: "pci", id: [0x1234, 0x11e8], class: 0x00ff00 } as const;
/** A device of each sort. */
export const DEVICES: readonly (ScenePciDevice | SceneMdev)[] = [
  { kind: "mdev", name: DEFAULT_MDEV, group: 1 },
  { ...pci, name: PCI, group: 2, driver: "vfio-pci" },
  { ...pci, name: ALONE, group: 3, driver: VENDOR },
  { ...pci, name: PAIR, group: 4, driver: VENDOR },
  { ...pci, name: "0000:00:12.1", group: 4, driver: "vfio-pci" },
];
/** The page of a bit follows from range and bitmap. */
export const INFERRED = { bitmapSize: "inferred", unit: "bytes" } as const;
/** That, without a lower bound. */
export const ANY = { ...INFERRED, lowerBound: "any" } as const;

/** What a test works with. */
export interface Setting {
  readonly kernel: ModelKernel;
  readonly container: Container;
  readonly driver: VendorDriver;
  /** Reads from the first mapped page on. */
  read(size: bigint, bitmapBytes?: number, offset?: bigint): DirtyV9;
}

/** A container with one device and 128 MiB, on a kernel with these answers. */
export function setting(
  proposal: Partial<ProposalV9> | undefined,
  body: (setting: Setting) => void,
  name: string = DEFAULT_MDEV,
): void {
  const kernel = new ModelKernel({ devices: DEVICES, proposal });
  {
    using container = Container.open({ kernel });
    using group = container.attach(name);
    using _device = group.device(name);
    using memory = container.allocate(128n * MiB);
    using _mapping = container.map(memory, { iova: IOVA });
    const read = (size: bigint, bitmapBytes?: number, offset = 0n): DirtyV9 =>
      readDirtyV9(container, { iova: IOVA + offset, size, bitmapBytes });
    const driver = name === PCI ? kernel.vendor(DEFAULT_MDEV) : kernel.vendor(name);
    body({ kernel, container, driver, read });
  }
  equal([kernel.openFiles, kernel.openMappings], [0, 0]);
}

/** The bits that are set. */
export const bits = ({ bitmap }: DirtyV9): number[] =>
  [...bitmap].flatMap((byte, i) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte >> bit & 1).map((bit) => i * 8 + bit)
  );
