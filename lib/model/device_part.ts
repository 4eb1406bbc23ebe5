import { EduDevice } from "./edu.ts";
import { ModelMemory } from "./memory.ts";
import type { SceneMdev, ScenePciDevice } from "./scene.ts";
import type { Type1 } from "./type1.ts";

/** A region of a modelled device: plain memory, or registers that do something. */
export interface RegionPart {
  readonly size: number;
  /** Plain memory, which can be mapped. */
  readonly memory: ModelMemory | undefined;
  read(offset: number, into: Uint8Array): void;
  write(offset: number, from: Uint8Array): void;
}

/** What a device is made of. */
export interface DeviceParts {
  readonly isPci: boolean;
  readonly regionCount: number;
  readonly regions: ReadonlyMap<number, RegionPart>;
  /** Vectors of each interrupt index. */
  readonly irqs: readonly number[];
  /** Called when the device raises its interrupt. */
  onInterrupt: () => void;
  reset(): void;
}

const CONFIG_REGION = 7;
const PCI_REGIONS = 9;

function plainMemory(size: number, mappable: boolean): RegionPart {
  const memory = new ModelMemory(BigInt(size));
  return {
    size,
    memory: mappable ? memory : undefined,
    read: (offset, into) => memory.read(BigInt(offset), into),
    write: (offset, from) => memory.write(BigInt(offset), from),
  };
}

/** The head of a configuration space: ids and class. @see PCI Local Bus Specification 3.0, 6.1 */
function configSpace(device: ScenePciDevice): RegionPart {
  const part = plainMemory(256, false);
  const head = new DataView(new ArrayBuffer(16));
  head.setUint16(0, device.id[0], true);
  head.setUint16(2, device.id[1], true);
  head.setUint32(8, device.class << 8, true);
  part.write(0, new Uint8Array(head.buffer));
  return part;
}

/** A PCI device with the registers of its model. */
export function pciParts(device: ScenePciDevice, iommu: () => Type1 | undefined): DeviceParts {
  const config = configSpace(device);
  const parts: DeviceParts = {
    isPci: true,
    regionCount: PCI_REGIONS,
    regions: new Map(),
    irqs: [1, 1, 0, 0, 1],
    onInterrupt: () => {},
    reset: () => edu?.reset(),
  };
  const edu = device.model === "edu"
    ? new EduDevice(iommu, config, () => parts.onInterrupt())
    : undefined;
  const regions = new Map<number, RegionPart>([[CONFIG_REGION, config]]);
  if (edu !== undefined) regions.set(0, edu);
  return {
    ...parts,
    regions,
    get onInterrupt() {
      return parts.onInterrupt;
    },
    set onInterrupt(call) {
      parts.onInterrupt = call;
    },
  };
}

/** A mediated device: one region of plain memory that can be mapped. */
export function mdevParts(_device: SceneMdev): DeviceParts {
  return {
    isPci: false,
    regionCount: 1,
    regions: new Map([[0, plainMemory(4096, true)]]),
    irqs: [1],
    onInterrupt: () => {},
    reset: () => {},
  };
}
