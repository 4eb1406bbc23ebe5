/**
 * A VFIO kernel in memory, for examples, tests and experiments without hardware, root or Linux.
 *
 * @example The devices of the default scene
 * ```ts
 * import { DEFAULT_SCENE } from "@pinscope/vfio/model";
 *
 * const names = DEFAULT_SCENE.devices.map((device) => device.name);
 * if (!names.includes("0000:00:10.0")) throw new Error("there is a device for experiments");
 * ```
 *
 * @module
 */

export type { ProposalV9 } from "../rules/proposal.ts";
export { type Behaviour, BEHAVIOURS } from "../rules/behaviour.ts";
export { VENDOR } from "./host_device.ts";
export { DeviceDma, type DmaWay, type DmaWorkload } from "./device_dma.ts";
export { ModelKernel } from "./kernel.ts";
export { LAB_SCENE, LAB_SCENES } from "./lab_scene.ts";
export { VendorDriver, type Workload } from "./vendor_driver.ts";
export {
  DEFAULT_MDEV,
  DEFAULT_SCENE,
  type Scene,
  type SceneIommufd,
  type SceneMdev,
  type SceneMdevDriver,
  type ScenePciDevice,
  type SceneProcess,
  type SceneUse,
} from "./scene.ts";
