/**
 * What is plugged into a model: devices, their drivers, limits of the process.
 *
 * @module
 */

import { checkOptions, type Kinds } from "../base/argument.ts";
import { BEFORE_V6_18, type Behaviour, BEHAVIOURS } from "../rules/behaviour.ts";
import type { IovaRange } from "../rules/iova.ts";
import type { ProposalV9 } from "../rules/proposal.ts";
import type { DmaWorkload } from "./device_dma.ts";
import type { SceneIommufd, SceneMdev, SceneMdevDriver, ScenePciDevice } from "./scene_device.ts";
import type { Workload } from "./vendor_driver.ts";

export type * from "./scene_device.ts";

/** A process that `/proc` shows. */
export interface SceneProcess {
  /** Its number. */
  readonly pid: number;
  /** Its program. */
  readonly name: string;
  /** VmLck. */
  readonly lockedKiB: bigint;
  /** VmPin. */
  readonly pinnedKiB: bigint;
  /** Where its descriptors lead, by number; undefined if nobody may look. */
  readonly files?: Readonly<Record<number, string>>;
}

/** What a {@link ModelKernel} is made from. */
export interface Scene {
  /** What is plugged in. */
  readonly devices: readonly (ScenePciDevice | SceneMdev)[];
  /** The release that /proc shows. */
  readonly release: string;
  /** RLIMIT_MEMLOCK in bytes. */
  readonly memlock: bigint;
  /** Whether the process has CAP_IPC_LOCK. */
  readonly ipcLock: boolean;
  /** Mappings that a container may have. */
  readonly entryLimit: number;
  /** Whether the IOMMU remaps interrupts; without it a group is refused with EPERM. */
  readonly interruptRemapping: boolean;
  /** Smallest page of the IOMMU, in bytes. */
  readonly pageSize: bigint;
  /** What the IOMMU can address. */
  readonly ranges: readonly IovaRange[];
  /** Whether the IOMMU keeps the processor's caches coherent: VFIO_DMA_CC_IOMMU. */
  readonly coherent: boolean;
  /** How the kernel answers where kernels differ. */
  readonly behaviour: Behaviour;
  /** The same by name, as "6.1": the behaviour of a kernel that was recorded. */
  readonly profile?: string;
  /** The driver of mediated devices. */
  readonly mdevs: SceneMdevDriver;
  /** What the kernel has of iommufd; nothing, if undefined. Left out, a profile has what was recorded. */
  readonly iommufd?: SceneIommufd | undefined;
  /** Processes besides the script's own. */
  readonly processes: readonly SceneProcess[];
  /**
   * Speaks the ABI of the v9 series, which never shipped, in place of VFIO_IOMMU_DIRTY_PAGES: see
   * `readDirtyV9`. A question that is left open is answered as mainline did in Linux v5.8. Without
   * it, the model speaks what real kernels do.
   */
  readonly proposal?: Partial<ProposalV9> | undefined;
}

/** The mediated device of the default scene. */
export const DEFAULT_MDEV = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

/** Pins a ring of four pages at first, and writes two others in each round. */
const ringAndWrites: Workload = (driver, round) => {
  const [first] = driver.mappings();
  if (first === undefined || first.size < 64n * 4096n) return;
  if (round === 0) driver.pin(first.iova + 16n * 4096n, 4);
  const at = first.iova + BigInt(32 + round * 3 % 24) * 4096n;
  driver.write(at, new Uint8Array(2 * 4096).fill(round + 1));
};

/** Writes a ring of eight pages by DMA, and two others in each round. */
const dmaRing: DmaWorkload = (dma, round) => {
  const [first] = dma.mappings();
  if (first === undefined || first.size < 64n * 4096n) return;
  const bytes = new Uint8Array(2 * 4096).fill(round + 1);
  dma.write(first.iova + BigInt(round * 2 % 8) * 4096n, bytes);
  dma.write(first.iova + BigInt(32 + round * 3 % 24) * 4096n, bytes);
};

/**
 * A small host: two devices for experiments, one of them free; a mediated device whose driver pins
 * and writes; and a network card and a disk that the host needs.
 */
export const DEFAULT_SCENE: Scene = {
  devices: [
    {
      kind: "pci",
      name: "0000:00:03.0",
      group: 1,
      id: [0x8086, 0x10d3],
      class: 0x020000,
      hostDriver: "e1000e",
      driver: "e1000e",
      net: { name: "eth0", up: true },
    },
    {
      kind: "pci",
      name: "0000:00:04.0",
      group: 2,
      id: [0x1b36, 0x0010],
      class: 0x010802,
      hostDriver: "nvme",
      driver: "nvme",
      disk: { name: "nvme0n1", mount: "/" },
    },
    {
      kind: "pci",
      name: "0000:00:10.0",
      group: 3,
      id: [0x1234, 0x11e8],
      class: 0x00ff00,
      driver: "vfio-pci",
      model: "edu",
      workload: dmaRing,
    },
    {
      kind: "pci",
      name: "0000:00:11.0",
      group: 4,
      id: [0x1234, 0x11e8],
      class: 0x00ff00,
      model: "edu",
    },
    { kind: "mdev", name: DEFAULT_MDEV, group: 5, workload: ringAndWrites },
  ],
  release: "6.12.0-model",
  memlock: 8n << 20n,
  ipcLock: true,
  entryLimit: 65535,
  interruptRemapping: true,
  pageSize: 4096n,
  ranges: [
    { start: 0n, end: 0xfedf_ffffn },
    { start: 0xfef0_0000n, end: 0xffff_ffff_ffffn },
  ],
  coherent: true,
  iommufd: { dirtyTracking: true },
  behaviour: BEFORE_V6_18,
  mdevs: {
    name: "model_mdev",
    api: "vfio-pci",
    limit: 4,
    types: [{
      name: "pin",
      title: "pins and writes on command",
      canPin: true,
      logs: true,
      migrates: "all",
    }],
  },
  processes: [
    { pid: 1, name: "systemd", lockedKiB: 0n, pinnedKiB: 0n },
    {
      pid: 1301,
      name: "qemu-system-x86",
      lockedKiB: 4_194_304n,
      pinnedKiB: 0n,
      files: { 21: "/dev/vfio/vfio" },
    },
  ],
};

const SCENE_KINDS: Kinds<Scene> = {
  devices: "object",
  release: "string",
  memlock: "bigint",
  ipcLock: "boolean",
  entryLimit: "number",
  interruptRemapping: "boolean",
  pageSize: "bigint",
  ranges: "object",
  coherent: "boolean",
  behaviour: "object",
  profile: "string",
  mdevs: "object",
  iommufd: "object",
  processes: "object",
  proposal: "object",
};
const PROPOSAL_KINDS: Kinds<ProposalV9> = {
  bitmapSize: ["validated", "ignored", "inferred"],
  lowerBound: ["smallest-iommu-page", "any"],
  unit: ["u64", "bytes"],
  scope: ["singleton", "all", "never"],
};

/**
 * A whole scene, from what differs from {@link DEFAULT_SCENE}.
 *
 * @throws {TypeError} If it has a name that no scene has, or a wrong kind of value; if no behaviour
 *   has the name of its profile.
 */
export function completeScene(scene: Partial<Scene>): Scene {
  checkOptions(scene, SCENE_KINDS);
  checkOptions(scene.proposal, PROPOSAL_KINDS);
  const { profile } = scene;
  if (profile === undefined) return { ...DEFAULT_SCENE, ...scene };
  const behaviour = BEHAVIOURS.find(({ name }) => name === profile);
  if (behaviour === undefined) {
    const names = BEHAVIOURS.map(({ name }) => name).join(", ");
    throw new TypeError(`A profile must be one of ${names}; got ${profile}`);
  }
  // The recorded kernels are Debian's, which have no iommufd, but for the lab's own.
  const iommufd = scene.iommufd ?? (behaviour.iommufd === true ? DEFAULT_SCENE.iommufd : undefined);
  return { ...DEFAULT_SCENE, release: `${profile}-model`, ...scene, iommufd, behaviour };
}
