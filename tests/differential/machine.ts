/** The machines of the lab, as a model is made like them. */
import { DEFAULT_SCENE, ModelKernel, type Scene } from "../../lib/model/mod.ts";
import type { Kernel } from "../../lib/sys/kernel.ts";

/** What QEMU's emulated VT-d can address: 39 bits, without the window of interrupts. */
const RANGES: Scene["ranges"] = [
  { start: 0n, end: 0xfedf_ffffn },
  { start: 0xfef0_0000n, end: 0x7f_ffff_ffffn },
];
const edu = (name: string, group: number): Scene["devices"][number] => ({
  kind: "pci",
  name,
  group,
  id: [0x1234, 0x11e8],
  class: 0x00ff00,
  driver: "vfio-pci",
  model: "edu",
});

/** What a player can use: group and device slot n are those of the n-th name. */
export interface Machine {
  readonly devices: readonly string[];
  /** Slots whose device has the vendor driver. */
  readonly vendor: readonly number[];
  /** A model with the same devices that behaves like the kernel given. */
  model(like: Kernel): Kernel;
}

/** The lab's profile `plain`: two edu devices, each alone in its group. */
export const PLAIN: Machine = {
  devices: ["0000:00:10.0", "0000:00:11.0"],
  vendor: [],
  model: () =>
    new ModelKernel({
      ...DEFAULT_SCENE,
      ranges: RANGES,
      devices: [edu("0000:00:10.0", 3), edu("0000:00:11.0", 4)],
    }),
};

/** The machine of the lab's profile that runs. */
export function machineHere(): Machine {
  const profile = Deno.env.get("PINSCOPE_LAB_PROFILE");
  if (profile === "plain") return PLAIN;
  throw new Error(`There is no model of the lab's profile ${profile ?? "(not in the lab)"}`);
}
