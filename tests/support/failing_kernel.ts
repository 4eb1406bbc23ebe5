import { ERRNO, type Kernel } from "../../mod.ts";

/** Calls that take something, ask or change; those that only give back are let through. */
const ACQUIRES: ReadonlySet<string> = new Set([
  "open",
  "ioctl",
  "ioctlValue",
  "ioctlBuffer",
  "read",
  "pread",
  "pwrite",
  "readlink",
  "list",
  "mmap",
  "memfd",
  "ftruncate",
  "eventfd",
  "prlimit",
]);

/** Requests that give something back: UNSET_CONTAINER, UNMAP_DMA. */
const RELEASES: ReadonlySet<number> = new Set([0x3b69, 0x3b72]);

/** A kernel on top of another, one call of which fails without being made. */
export interface FailingKernel {
  readonly kernel: Kernel;
  /** Calls so far that could have been made to fail. */
  readonly calls: () => number;
}

/**
 * Makes the call number `failing` fail with EIO.
 *
 * @param isStop Tells a DIRTY_PAGES request that stops: it only gives back.
 */
export function failAt(
  inner: Kernel,
  failing: number,
  errno: number = ERRNO.EIO,
): FailingKernel {
  let calls = 0;
  const kernel = new Proxy(inner, {
    get(target, name): unknown {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        if (ACQUIRES.has(String(name)) && !givesBack(String(name), args)) {
          calls += 1;
          if (calls === failing) return -errno;
        }
        return Reflect.apply(member, target, args);
      };
    },
  });
  return { kernel, calls: () => calls };
}

function givesBack(name: string, args: readonly unknown[]): boolean {
  if (!name.startsWith("ioctl")) return false;
  const [, request, argument] = args;
  if (RELEASES.has(Number(request))) return true;
  const DIRTY_PAGES = 0x3b75;
  const STOP = 2;
  return request === DIRTY_PAGES && argument instanceof Uint8Array && argument[4] === STOP;
}
