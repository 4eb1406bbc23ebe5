import { ERRNO } from "../../../lib/base/errno.ts";
import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MAP_SHARED,
  MFD_CLOEXEC,
  O_RDONLY,
  PROT_READ,
  PROT_WRITE,
} from "../../../lib/sys/constant.ts";
import type { Kernel } from "../../../lib/sys/kernel.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describeLinux } from "./linux.ts";

const RW = PROT_READ | PROT_WRITE;
const PAGE = 4096;

/** Maps fresh memory. */
function anonymous(kernel: Kernel, size: number): bigint {
  const address = kernel.mmap(BigInt(size), RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n);
  ok(typeof address === "bigint", `mmap failed with ${address}`);
  return address;
}

/** Whether an address is mapped, by the word of the kernel. */
function isMapped(address: bigint): boolean {
  return Deno.readTextFileSync("/proc/self/maps").split("\n").some((line) => {
    const [start = "", end = ""] = line.split(" ", 1)[0]!.split("-");
    return BigInt(`0x${start || 0}`) <= address && address < BigInt(`0x${end || 0}`);
  });
}

describeLinux("memory through libc", (on) => {
  on("mmap gives zeroed pages that can be written, munmap takes them back", (kernel) => {
    const address = anonymous(kernel, 4 * PAGE);
    equal(address % BigInt(PAGE), 0n);
    ok(isMapped(address) && isMapped(address + 3n * BigInt(PAGE)));
    const view = new Uint8Array(kernel.viewOf(address, 4 * PAGE));
    ok(view.length === 4 * PAGE && view.every((byte) => byte === 0));
    view[PAGE] = 7;
    equal(new Uint8Array(kernel.viewOf(address + BigInt(PAGE), 1))[0], 7);
    equal(kernel.munmap(address, BigInt(4 * PAGE)), 0);
    ok(!isMapped(address));
  });

  on("detaching a view before munmap leaves it empty instead of dangling", (kernel) => {
    const address = anonymous(kernel, PAGE);
    const buffer = kernel.viewOf(address, PAGE);
    const views = [new Uint8Array(buffer), new Uint8Array(buffer, 8, 8)];
    buffer.transfer(0);
    equal(kernel.munmap(address, BigInt(PAGE)), 0);
    equal([buffer.byteLength, ...views.map((view) => view.length)], [0, 0, 0]);
    equal(views[0]![0], undefined);
  });

  on("mmap and munmap answer with -errno", (kernel) => {
    const flags = MAP_PRIVATE | MAP_ANONYMOUS;
    equal(kernel.mmap(0n, RW, flags, -1, 0n), -ERRNO.EINVAL);
    equal(kernel.mmap(1n << 60n, RW, flags, -1, 0n), -ERRNO.ENOMEM);
    equal(kernel.mmap(BigInt(PAGE), RW, MAP_PRIVATE, -1, 0n), -ERRNO.EBADF);
    const fd = kernel.open("/proc/self/exe", O_RDONLY);
    equal(kernel.mmap(BigInt(PAGE), RW, MAP_SHARED, fd, 0n), -ERRNO.EACCES);
    equal(kernel.mmap(BigInt(PAGE), PROT_READ, MAP_PRIVATE, fd, 1n), -ERRNO.EINVAL);
    kernel.close(fd);
    equal(kernel.munmap(1n, BigInt(PAGE)), -ERRNO.EINVAL);
    equal(kernel.munmap(0n, 0n), -ERRNO.EINVAL);
  });

  on("a shared mapping of a file shows its bytes, at offsets beyond 32 bits too", (kernel) => {
    const fd = kernel.memfd("shared", MFD_CLOEXEC);
    const far = 1n << 33n;
    equal(kernel.ftruncate(fd, far + BigInt(PAGE)), 0);
    kernel.pwrite(fd, Uint8Array.of(1, 2, 3), far);
    const address = kernel.mmap(BigInt(PAGE), RW, MAP_SHARED, fd, far);
    ok(typeof address === "bigint");
    const buffer = kernel.viewOf(address, PAGE);
    const view = new Uint8Array(buffer);
    equal([...view.subarray(0, 4)], [1, 2, 3, 0]);
    view[3] = 9;
    const back = new Uint8Array(4);
    kernel.pread(fd, back, far);
    equal([...back], [1, 2, 3, 9]);
    buffer.transfer(0);
    equal([kernel.munmap(address, BigInt(PAGE)), kernel.close(fd)], [0, 0]);
  });

  on("addressOf is where the kernel writes", (kernel) => {
    const memory = kernel.allocate(64);
    equal([memory.length, memory.every((byte) => byte === 0)], [64, true]);
    const { address, owner } = kernel.addressOf(memory);
    ok(owner === memory, "the view is kept alive");
    new Uint8Array(kernel.viewOf(address, 64))[5] = 77;
    equal(memory[5], 77);
  });

  on("addressOf counts the offset of a view, also over WebAssembly memory", (kernel) => {
    for (const buffer of [new ArrayBuffer(256), new WebAssembly.Memory({ initial: 1 }).buffer]) {
      const whole = kernel.addressOf(new Uint8Array(buffer)).address;
      equal(kernel.addressOf(new Uint8Array(buffer, 40, 8)).address, whole + 40n);
    }
  });

  on("advise means whole pages inside the view, and none beside it", (kernel) => {
    const page = 65536;
    const bytes = new Uint8Array(new WebAssembly.Memory({ initial: 6 }).buffer).fill(9);
    const { address } = kernel.addressOf(bytes);
    const first = Number(-address & BigInt(page - 1)); // where the first of the largest pages begins
    const part = bytes.subarray(first + 1, first + 4 * page - 1);
    kernel.advise!(kernel.addressOf(part), "huge");
    ok(bytes.every((byte) => byte === 9));
    kernel.advise!(kernel.addressOf(part), "done");
    const zero = bytes.subarray(first + page, first + 3 * page);
    ok(zero.every((byte) => byte === 0));
    equal(
      bytes.reduce((count, byte) => count + (byte === 9 ? 1 : 0), 0),
      bytes.length - zero.length,
    );
    // A view within a page has no whole page, and one of nothing neither.
    for (const length of [0, 8, page - 1]) {
      kernel.advise!(kernel.addressOf(bytes.subarray(first + 1, first + 1 + length)), "done");
    }
    ok(bytes.subarray(0, first + page).every((byte) => byte === 9));
  });

  on("addressOf nothing is NULL, and NULL cannot be viewed", (kernel) => {
    equal(kernel.addressOf(new Uint8Array(0)).address, 0n);
    equal(kernel.addressOf(new Uint8Array(8).subarray(8)).address, 0n);
    throws(() => kernel.viewOf(0n, 8), ReferenceError, "address 0");
  });
});

describeLinux("errno", (on) => {
  on("stays right while the garbage collector is busy", (kernel) => {
    const fd = kernel.memfd("errno", MFD_CLOEXEC);
    const calls: readonly (readonly [() => unknown, number])[] = [
      [() => kernel.open("/no/such/file", O_RDONLY), -ERRNO.ENOENT],
      [() => kernel.close(-1), -ERRNO.EBADF],
      [() => kernel.ioctl(fd, 0x3b64), -ERRNO.ENOTTY],
      [() => kernel.readlink("/proc/version"), -ERRNO.EINVAL],
      [() => kernel.mmap(1n << 60n, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n), -ERRNO.ENOMEM],
      [() => kernel.pread(fd, new Uint8Array(1), -1n & 0xffff_ffff_ffff_ffffn), -ERRNO.EINVAL],
      [() => kernel.prlimit(0, 99), -ERRNO.EINVAL],
    ];
    let wrong = 0;
    let garbage: unknown[] = [];
    for (let round = 0; round < 20_000; round += 1) {
      const [call, expected] = calls[round % calls.length]!;
      // Enough is thrown away for a collection every few rounds.
      garbage.push(new Uint8Array(4096), { round });
      if (garbage.length > 200) garbage = [];
      if (call() !== expected) wrong += 1;
    }
    kernel.close(fd);
    equal(wrong, 0);
  });
});
