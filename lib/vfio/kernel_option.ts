import { checkOptions } from "../base/argument.ts";
import type { Kernel } from "../sys/kernel.ts";
import { linux } from "../sys/libc.ts";

/** Which kernel to talk to: the one that the options name, or the running one. */
export function kernelOf(options?: { readonly kernel?: Kernel }): Kernel {
  return checkOptions(options, { kernel: "object" }).kernel ?? linux;
}
