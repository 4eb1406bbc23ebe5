/** The machines the lab can be: one table, one sentence each. */

/** An emulated machine and how its devices are set up. */
export interface Profile {
  name: string;
  about: string;
  /** Does the emulated IOMMU remap interrupts? */
  intremap: boolean;
  /** Further QEMU arguments: the devices. */
  devices: readonly string[];
  /** Devices bound to vfio-pci before the script starts. */
  bind: readonly string[];
  /** Further modules, loaded before the devices are bound. */
  modules: readonly string[];
  /** Parameters of vfio_iommu_type1. */
  type1: readonly string[];
  /** No emulated IOMMU, so that no device can be bound. */
  noIommu?: true;
  /** Only the lab's own kernel has what its tests ask. */
  ownOnly?: true;
  /** What the vendor driver has; where it is given, the driver is built and loaded. */
  vendor?: VendorUse;
}

/** What the vendor driver (vendor/) is given and makes before the script starts. */
export interface VendorUse {
  /** PCI devices bound to it instead of vfio-pci. */
  bind: readonly string[];
  /** Mediated devices that are made: UUID and type. */
  mdevs: readonly { uuid: string; type: "pins" | "no_unmap" | "logs" | "migrates" }[];
  /** Parameters of the module. */
  parameters?: string;
}

/** Two educational PCI devices with DMA, at fixed addresses, each in a group of its own. */
const edu = ["-device", "edu,addr=0x10", "-device", "edu,addr=0x11"];
const eduNames = ["0000:00:10.0", "0000:00:11.0"];

const plain: Profile = {
  name: "plain",
  about: "two edu devices, 0000:00:10.0 and 0000:00:11.0, each alone in its group",
  intremap: true,
  devices: edu,
  bind: eduNames,
  modules: [],
  type1: [],
};

/** The profiles in the order in which tests run. */
export const profiles: readonly Profile[] = [
  plain,
  {
    ...plain,
    name: "intremap_off",
    about: "no interrupt remapping: SET_IOMMU is refused with EPERM",
    intremap: false,
  },
  {
    ...plain,
    name: "entry_limit",
    about: "vfio_iommu_type1 takes 100 mappings: the 101st is refused with ENOSPC",
    type1: ["dma_entry_limit=100"],
  },
  {
    ...plain,
    name: "shared_group",
    about:
      "0000:00:12.0 (edu, vfio-pci) shares its group with 0000:00:12.1 (e1000, its own driver)",
    devices: [
      ...edu,
      // Two functions of one slot without ACS cannot be told apart by the IOMMU: one group.
      "-device",
      "edu,addr=0x12.0,multifunction=on",
      "-device",
      "e1000,addr=0x12.1,romfile=",
    ],
    bind: [...eduNames, "0000:00:12.0"],
    modules: ["e1000"],
  },
  {
    ...plain,
    name: "vendor",
    about: "the vendor driver: mdevs that pin, one that may not, and it has 0000:00:11.0",
    bind: ["0000:00:10.0"],
    vendor: {
      bind: ["0000:00:11.0"],
      mdevs: [
        { uuid: "50696e73-0000-4000-8000-000000000001", type: "pins" },
        { uuid: "50696e73-0000-4000-8000-000000000002", type: "pins" },
        { uuid: "50696e73-0000-4000-8000-000000000003", type: "no_unmap" },
      ],
    },
  },
  {
    ...plain,
    name: "own",
    about: "the lab's own kernel: iommufd, device nodes, the sample device mtty",
    modules: ["mtty"],
    ownOnly: true,
  },
  {
    ...plain,
    name: "own_reset",
    about: "the lab's own kernel: 0000:01:00.0, whose reset takes time, with address translation",
    // A function level reset is waited for 100 ms; ATS is what kernels from 7 on mind meanwhile.
    devices: [
      ...["-device", "pcie-root-port,id=behind,addr=0x10,chassis=1"],
      ...["-device", "virtio-rng-pci,bus=behind,addr=0,disable-legacy=on,ats=on"],
    ],
    bind: ["0000:01:00.0"],
    ownOnly: true,
  },
  {
    ...plain,
    name: "own_vendor",
    about: "the lab's own kernel with the vendor driver: devices that log their DMA, and migrate",
    bind: ["0000:00:10.0"],
    vendor: {
      bind: ["0000:00:11.0"],
      parameters: "pci_log=1",
      mdevs: [
        { uuid: "50696e73-0000-4000-8000-000000000001", type: "logs" },
        { uuid: "50696e73-0000-4000-8000-000000000002", type: "logs" },
        { uuid: "50696e73-0000-4000-8000-000000000003", type: "migrates" },
        { uuid: "50696e73-0000-4000-8000-000000000004", type: "pins" },
      ],
    },
    ownOnly: true,
  },
  {
    ...plain,
    name: "mock",
    about: "the lab's own kernel: iommufd and its mock IOMMU, which needs to be the only one",
    // Linux 6.12 asks the IOMMU that came first about a mock device, and VT-d declines.
    noIommu: true,
    devices: [],
    bind: [],
    ownOnly: true,
  },
];

/** Finds a profile by its name. */
export function profileNamed(name: string): Profile | undefined {
  return profiles.find((profile) => profile.name === name);
}
