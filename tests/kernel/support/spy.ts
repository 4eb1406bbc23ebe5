/** A kernel that is Linux, and fails a test which asks it for something while it must not. */

import { type Kernel, rawLinux as linux } from "../../../mod.ts";

/** See {@link forbidding}. */
export interface ForbiddingKernel extends Kernel {
  /** From now on every system call throws. */
  forbid(): void;
  /** Lets calls through again. */
  allow(): void;
}

/** Linux behind a gate: shows that a request was refused before any system call. */
export function forbidding(): ForbiddingKernel {
  let open = true;
  const own: Partial<Record<string | symbol, () => void>> = {
    forbid: () => void (open = false),
    allow: () => void (open = true),
  };
  return new Proxy(linux, {
    get: (target, name) => {
      if (Object.hasOwn(own, name)) return own[name];
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        if (!open) throw new Error(`${String(name)} was called, and no system call should be made`);
        return Reflect.apply(value, target, args);
      };
    },
  }) as ForbiddingKernel;
}
