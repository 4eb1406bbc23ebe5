/** Three devices that differ in what their groups do to the dirty scope. */
import { DEFAULT_MDEV, type SceneMdev, type ScenePciDevice, VENDOR } from "../../lib/model/mod.ts";

/** vfio-pci has it, which never pins. */
export const PCI = "0000:00:10.0";
/** A driver behind an IOMMU has it, which may pin. */
export const PINNER = "0000:00:11.0";

const pci = { kind: "pci", id: [0x1234, 0x11e8], class: 0x00ff00, model: "edu" } as const;

/** Both, in the groups 2 and 3, and a mediated device in group 1. */
export const DEVICES: readonly (ScenePciDevice | SceneMdev)[] = [
  { kind: "mdev", name: DEFAULT_MDEV, group: 1 },
  { ...pci, name: PCI, group: 2, driver: "vfio-pci" },
  { ...pci, name: PINNER, group: 3, driver: VENDOR },
];
