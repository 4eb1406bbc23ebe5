/** The machines of the lab, as a model is made like them. */
import { LAB_SCENES, ModelKernel } from "../../lib/model/mod.ts";
import { O_RDWR } from "../../lib/sys/constant.ts";
import type { Kernel } from "../../lib/sys/kernel.ts";
import {
  VFIO_GROUP_SET_CONTAINER,
  VFIO_SET_IOMMU,
  VFIO_TYPE1v2_IOMMU,
} from "../../lib/uapi/mod.ts";
import { probeBehaviour } from "../../lib/vfio/behaviour.ts";
import { groupNode } from "./host.ts";
import { Player } from "./player.ts";

/** What a player can use: group and device slot n are those of the n-th name. */
export interface Machine {
  readonly devices: readonly string[];
  /** Slots whose device has the vendor driver; those that stand there more often are drawn so. */
  readonly vendor: readonly number[];
  /** Slots whose driver is not told of unmaps. */
  readonly deaf: readonly number[];
  /** Whether its steps are those of iommufd, on the mock IOMMU, and not of containers. */
  readonly iommufd?: true;
  /** A model with the same devices that behaves like the kernel given. */
  model(like: Kernel): Kernel;
}

/** A kernel and a model that is made like it, ready to be compared; both end with the stack. */
export function openPlayers(
  machine: Machine,
  kernel: Kernel,
  stack: DisposableStack,
): readonly [Player, Player] {
  stack.use(kernel.retain());
  const [device] = machine.devices;
  const anyCallback = device !== undefined && behaviourOf(kernel, device).anyCallback;
  const deaf = anyCallback === true ? machine.deaf : [];
  return [
    stack.use(new Player(kernel, machine.devices, deaf)),
    stack.use(new Player(machine.model(kernel), machine.devices, deaf)),
  ];
}

/** Asks a kernel how it behaves, with a container that is gone afterwards. */
function behaviourOf(kernel: Kernel, device: string): ReturnType<typeof probeBehaviour> {
  using stack = new DisposableStack();
  const must = (result: number, what: string): number => {
    if (result < 0) throw new Error(`${what}: ${result}`);
    return result;
  };
  const open = (path: string): number => {
    const fd = must(kernel.open(path, O_RDWR), path);
    stack.defer(() => void kernel.close(fd));
    return fd;
  };
  const container = open("/dev/vfio/vfio");
  const group = open(groupNode(kernel, device));
  const argument = new Uint8Array(Int32Array.of(container).buffer);
  must(kernel.ioctlBuffer(group, VFIO_GROUP_SET_CONTAINER, argument), "SET_CONTAINER");
  must(kernel.ioctlValue(container, VFIO_SET_IOMMU, BigInt(VFIO_TYPE1v2_IOMMU)), "SET_IOMMU");
  return probeBehaviour(kernel, container, 4096n);
}

function machine(scene: "plain" | "vendor", about: Omit<Machine, "model">): Machine {
  return {
    ...about,
    model: (like) => {
      const behaviour = behaviourOf(like, about.devices[0] ?? "");
      return new ModelKernel({ ...LAB_SCENES[scene], behaviour });
    },
  };
}

/** The lab's profile `plain`: two edu devices, each alone in its group. */
export const PLAIN: Machine = machine("plain", {
  devices: ["0000:00:10.0", "0000:00:11.0"],
  vendor: [],
  deaf: [],
});

/** The profile `vendor`: edu with vfio-pci, edu with the vendor driver, three mediated devices. */
export const VENDOR: Machine = machine("vendor", {
  devices: [
    "0000:00:10.0",
    "0000:00:11.0",
    "50696e73-0000-4000-8000-000000000001",
    "50696e73-0000-4000-8000-000000000002",
    "50696e73-0000-4000-8000-000000000003",
  ],
  vendor: [1, 1, 2, 2, 2, 3, 3, 4],
  deaf: [4],
});

/** The profile `mock` of the lab's own kernel: iommufd and its mock IOMMU, and no device at all. */
export const MOCK: Machine = {
  devices: [],
  vendor: [],
  deaf: [],
  iommufd: true,
  model: () => new ModelKernel(LAB_SCENES.mock),
};

/** The machine of the lab's profile that runs. */
export function machineHere(): Machine {
  const profile = Deno.env.get("PINSCOPE_LAB_PROFILE");
  if (profile === "plain") return PLAIN;
  if (profile === "vendor") return VENDOR;
  if (profile === "mock") return MOCK;
  throw new Error(`There is no model of the lab's profile ${profile ?? "(not in the lab)"}`);
}
