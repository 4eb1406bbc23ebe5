import { ERRNO } from "../../../lib/base/errno.ts";
import type { AsideCall, Kernel } from "../../../lib/sys/kernel.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { describeLinux } from "./linux.ts";

const FIONBIO = 0x5421; //  reads an int through the pointer
const FIONREAD = 0x541b; // writes an int through the pointer

/** Begins a call on a file, with memory that is to be zeroed. */
function begin(kernel: Kernel, fd: number, request: number, bytes = 8192): AsideCall {
  const clear = new Uint8Array(bytes).fill(7);
  return kernel.ioctlAside({ fd, request, argument: new Uint8Array(8), clear });
}

describeLinux("a thread for long calls", (on) => {
  on("makes the call, and zeroes memory before", async (kernel) => {
    const fd = kernel.eventfd(0, 0);
    const clear = new Uint8Array(8192).fill(7);
    const argument = new Uint8Array(8);
    const { done } = kernel.ioctlAside({ fd, request: FIONBIO, argument, clear });
    const { result, milliseconds } = await done;
    equal([result, clear.some((byte) => byte !== 0)], [0, false]);
    ok(milliseconds >= 0 && Number.isFinite(milliseconds));
    kernel.close(fd);
  });

  on("leaves memory beside alone", async (kernel) => {
    const fd = kernel.eventfd(0, 0);
    const memory = new Uint8Array(64).fill(7);
    const clear = memory.subarray(8, 24);
    await kernel.ioctlAside({ fd, request: FIONBIO, argument: new Uint8Array(8), clear }).done;
    equal(
      [...memory.keys()].filter((i) => memory[i] === 0),
      [...Array(16).keys()].map((i) => i + 8),
    );
    kernel.close(fd);
  });

  on("has an errno of its own", async (kernel) => {
    equal((await begin(kernel, -1, FIONBIO).done).result, -ERRNO.EBADF);
    const fd = kernel.eventfd(0, 0);
    equal((await begin(kernel, fd, 0xffff).done).result, -ERRNO.ENOTTY);
    equal(kernel.ioctl(-1, FIONREAD), -ERRNO.EBADF);
    equal((await begin(kernel, fd, FIONBIO, 0).done).result, 0);
    kernel.close(fd);
  });

  on("can be waited for on the spot, and its promise settles all the same", async (kernel) => {
    const call = begin(kernel, -1, FIONBIO);
    equal(call.wait().result, -ERRNO.EBADF);
    equal(call.wait().result, -ERRNO.EBADF);
    const fd = kernel.eventfd(0, 0);
    const next = begin(kernel, fd, FIONBIO); // the thread is free, though its message is not read
    equal([(await call.done).result, next.wait().result], [-ERRNO.EBADF, 0]);
    equal((await next.done).result, 0);
    kernel.close(fd);
  });

  on("is one of several where calls overlap", async (kernel) => {
    const calls = [1, 2, 3].map(() => begin(kernel, -1, FIONBIO));
    const results = await Promise.all(calls.map(({ done }) => done));
    equal(results.map(({ result }) => result), [-9, -9, -9]);
  });
});

describe("a script that forgets to release anything", () => {
  it("ends all the same, without any permission but ffi", async () => {
    const module = new URL("../../../mod.ts", import.meta.url);
    const script = `
      import { rawLinux } from "${module}";
      const call = rawLinux.ioctlAside({
        fd: -1, request: ${FIONBIO}, argument: new Uint8Array(8), clear: new Uint8Array(8),
      });
      console.log((await call.done).result);
    `;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--cached-only", "--no-prompt", "--allow-ffi"],
        `data:application/typescript,${encodeURIComponent(script)}`,
      ],
    }).output();
    equal([code, new TextDecoder().decode(stdout)], [0, "-9\n"], new TextDecoder().decode(stderr));
  });
});
