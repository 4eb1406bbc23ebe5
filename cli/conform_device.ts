/** The devices that `pinscope conform` is told to keep to. */

import { type Kernel, listHost, VfioError } from "../mod.ts";
import { checkDevice } from "./values.ts";

const ENOENT = 2;
const LIST = "pinscope info lists those there are";

/**
 * Names of the devices that an operand means: one, or those of a group. The suite passes over what it
 * cannot use, so what does not exist is refused here, as `pinscope info` refuses it.
 */
export function devicesOf(kernel: Kernel, target: string): string[] {
  checkDevice(target);
  const name = target.toLowerCase();
  const number = /^group:(\d+)$/.exec(name)?.[1];
  if (number !== undefined) {
    const group = listHost({ kernel }).groups.find((one) => one.number === Number(number));
    if (group !== undefined) return group.devices.map((device) => device.name);
    const [action, hint] = [`read IOMMU group ${number}`, `there is no such group; ${LIST}`];
    throw new VfioError({ operation: "open", errno: ENOENT, action, hint });
  }
  const bus = name.includes(".") ? "pci" : "mdev";
  const link = kernel.readlink(`/sys/bus/${bus}/devices/${name}/subsystem`);
  if (typeof link === "string") return [name];
  const [action, hint] = [`find ${name}`, `there is no such device; ${LIST}`];
  throw new VfioError({ operation: "readlink", errno: -link, action, hint });
}
