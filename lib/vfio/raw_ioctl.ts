import type { Kernel } from "../sys/kernel.ts";

/** Makes an ioctl that nothing checks, in the form that its argument asks for. */
export function rawIoctl(
  { kernel, fd }: { readonly kernel: Kernel; readonly fd: number },
  request: number,
  argument: Uint8Array | bigint | undefined,
): number {
  if (argument === undefined) return kernel.ioctl(fd, request);
  if (typeof argument === "bigint") return kernel.ioctlValue(fd, request, argument);
  return kernel.ioctlBuffer(fd, request, argument);
}
