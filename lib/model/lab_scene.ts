import type { Scene, SceneMdev, ScenePciDevice } from "./scene.ts";

/** The vendor driver of the lab, which pins for a PCI device. */
export const LAB_VENDOR = "pinscope-vfio-pci";

/** What uname says on the lab's own kernel. */
const OWN = "6.12.95-pinscope";

/** QEMU's edu, as the lab plugs it in. */
const edu = (slot: string, group: number, driver: string): ScenePciDevice => ({
  kind: "pci",
  name: `0000:00:${slot}.0`,
  group,
  id: [0x1234, 0x11e8],
  class: 0x00ff00,
  driver,
  model: "edu",
});

type MdevType = "pins" | "no_unmap" | "logs" | "migrates";

const mdev = (number: number, group: number, type: MdevType): SceneMdev => ({
  kind: "mdev",
  name: `50696e73-0000-4000-8000-00000000000${number}`,
  group,
  type,
});

/** What the lab's machines have in common: 39 bits of address, and the memory limit of a login. */
const machine = {
  release: "6.12.95+deb12-amd64",
  ranges: [
    { start: 0n, end: 0xfedf_ffffn },
    { start: 0xfef0_0000n, end: 0x7f_ffff_ffffn },
  ],
  coherent: false,
  iommufd: undefined, // Debian's kernels are built without it
  mdevs: {
    name: "pinscope_vendor",
    api: "pinscope-vendor",
    limit: 32,
    types: [
      { name: "pins", title: "pins pages on command", canPin: true },
      { name: "no_unmap", title: "without dma_unmap: may not pin", canPin: false },
      {
        name: "logs",
        title: "pins, logs its writes, has all migration states",
        canPin: true,
        logs: true,
        migrates: "all",
      },
      {
        name: "migrates",
        title: "pins, migrates while it is stopped",
        canPin: true,
        migrates: "stopped",
      },
    ],
  },
  processes: [],
} as const satisfies Partial<Scene>;

/**
 * The machine of Pinscope's lab with its vendor driver (`deno task lab run --profile vendor`): edu at
 * 0000:00:10.0 with vfio-pci, edu at 0000:00:11.0 with a driver that pins, and three mediated devices,
 * the last of which may not pin.
 *
 * @example A suite for the lab, on the model
 * ```ts
 * import { LAB_SCENE, ModelKernel } from "@pinscope/vfio/model";
 *
 * const kernel = new ModelKernel(LAB_SCENE);
 * const groups = kernel.list("/dev/vfio");
 * if (String(groups) !== "10,5,6,8,9,vfio") throw new Error("the groups are those of the lab");
 * ```
 */
export const LAB_SCENE: Partial<Scene> = {
  ...machine,
  devices: [
    edu("10", 5, "vfio-pci"),
    edu("11", 6, LAB_VENDOR),
    mdev(1, 8, "pins"),
    mdev(2, 9, "pins"),
    mdev(3, 10, "no_unmap"),
  ],
};

const plain: Partial<Scene> = {
  ...machine,
  devices: [edu("10", 5, "vfio-pci"), edu("11", 6, "vfio-pci")],
};

/**
 * The machines of the lab by their names (`deno task lab profiles`): the same devices, groups and
 * addresses, so that one suite runs on both.
 */
export const LAB_SCENES: Readonly<
  Record<
    | "plain"
    | "intremap_off"
    | "entry_limit"
    | "shared_group"
    | "vendor"
    | "own"
    | "own_vendor"
    | "mock",
    Partial<Scene>
  >
> = {
  plain,
  intremap_off: { ...plain, interruptRemapping: false },
  entry_limit: { ...plain, entryLimit: 100 },
  shared_group: {
    ...plain,
    devices: [
      edu("10", 5, "vfio-pci"),
      edu("11", 6, "vfio-pci"),
      { ...edu("12", 7, "vfio-pci"), name: "0000:00:12.0" },
      {
        kind: "pci",
        name: "0000:00:12.1",
        group: 7,
        id: [0x8086, 0x100e],
        class: 0x020000,
        hostDriver: "e1000",
        driver: "e1000",
      },
    ],
  },
  vendor: LAB_SCENE,
  own: { ...plain, release: OWN, iommufd: { dirtyTracking: false } },
  own_vendor: {
    ...machine,
    release: OWN,
    iommufd: { dirtyTracking: false },
    devices: [
      edu("10", 5, "vfio-pci"),
      { ...edu("11", 6, LAB_VENDOR), logs: true },
      mdev(1, 8, "logs"),
      mdev(2, 9, "logs"),
      mdev(3, 10, "migrates"),
      mdev(4, 11, "pins"),
    ],
  },
  mock: { ...machine, release: OWN, devices: [], iommufd: { dirtyTracking: false, mock: true } },
};
