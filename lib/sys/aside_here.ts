import type { AsideCall, AsideRequest, AsideResult, Kernel } from "./kernel.ts";

/** Makes a call of {@link Kernel.ioctlAside} at once, in this thread: for kernels that have no other. */
export function asideHere(kernel: Kernel, request: AsideRequest): AsideCall {
  request.clear.fill(0);
  const start = performance.now();
  const result: AsideResult = {
    result: kernel.ioctlBuffer(request.fd, request.request, request.argument),
    milliseconds: performance.now() - start,
  };
  return { done: Promise.resolve(result), isDone: true, wait: () => result };
}
