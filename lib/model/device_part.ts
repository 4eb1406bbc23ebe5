import { LowPower } from "./device_feature.ts";
import { type DmaAccess, EduDevice } from "./edu.ts";
import { PciConfig } from "./pci_config.ts";
import { PciIrqs } from "./pci_irq.ts";
import type { RegionPart } from "./region_part.ts";
import type { ScenePciDevice } from "./scene.ts";
import type { PinningDriver } from "./pinning_driver.ts";
import { REGION_SUBTYPE, REGION_TYPE } from "./vendor_layout.ts";

/** What only a PCI device has. */
export interface PciPart {
  readonly config: PciConfig;
  readonly irqs: PciIrqs;
  readonly power: LowPower;
  /** Whether the device can be reset: edu cannot. */
  readonly canReset: boolean;
}

/** What a device is made of. */
export interface DeviceParts {
  readonly pci: PciPart | undefined;
  /** The driver, where it is one that pins. */
  readonly vendor: PinningDriver | undefined;
  /** How many regions it counts. */
  readonly regionCount: number;
  /** Those that are not empty. */
  readonly regions: ReadonlyMap<number, RegionPart>;
}

const CONFIG_REGION = 7;
/** Regions of a PCI device before those of a driver's own. */
export const PCI_REGIONS = 9;
/** The VGA region is counted in every device, and refused where there is none. */
export const VGA_REGION = 8;
const EDU_BAR = 1 << 20;

/** A PCI device with the registers of its model, and the command region of a driver that pins. */
export function pciParts(
  device: ScenePciDevice,
  access: DmaAccess,
  vendor: PinningDriver | undefined,
): DeviceParts {
  const isEdu = device.model === "edu";
  const config = new PciConfig(device, isEdu ? EDU_BAR : 0);
  const irqs = new PciIrqs();
  config.msiOn = () => irqs.isMsi;
  const regions = new Map<number, RegionPart>([[CONFIG_REGION, config]]);
  if (isEdu) {
    const edu = new EduDevice(access, config, () => irqs.raise());
    irqs.level = () => edu.raises;
    regions.set(0, edu);
  }
  if (vendor !== undefined) {
    const type = [REGION_TYPE, REGION_SUBTYPE] as const;
    const { region } = vendor;
    regions.set(PCI_REGIONS, {
      type,
      size: region.size,
      canMap: false,
      read: (offset, into) => region.read(offset, into),
      write: (offset, from, current) => region.write(offset, from, current),
    });
  }
  const regionCount = PCI_REGIONS + (vendor === undefined ? 0 : 1);
  const pci = { config, irqs, power: new LowPower(), canReset: !isEdu };
  return { pci, vendor, regionCount, regions };
}

/** A mediated device: the command region of its driver. */
export function mdevParts(vendor: PinningDriver): DeviceParts {
  return { pci: undefined, vendor, regionCount: 1, regions: new Map([[0, vendor.region]]) };
}
