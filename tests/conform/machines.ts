/** The machines of the lab as scenes of the model: each lets other checks of the suite run. */

import { LAB_SCENE, LAB_SCENES, ModelKernel, type Scene } from "../../lib/model/mod.ts";

/** Scenes by what is special about them. */
export const MACHINES: Readonly<Record<string, Partial<Scene>>> = {
  ...LAB_SCENES,
  "vendor, without CAP_IPC_LOCK": { ...LAB_SCENE, ipcLock: false },
  "own, without CAP_IPC_LOCK": { ...LAB_SCENES.own, ipcLock: false },
  "mock, without CAP_IPC_LOCK": { ...LAB_SCENES.mock, ipcLock: false },
};

/** A model of a machine that behaves as a recorded kernel: with iommufd, if that had it. */
export function modelOf(machine: string, profile: string): ModelKernel {
  const { iommufd, ...scene } = MACHINES[machine] ?? {};
  return new ModelKernel({ ...scene, profile, ...(profile === "own" ? { iommufd } : {}) });
}
