import { ModelKernel } from "../../../lib/model/mod.ts";
import { BitmapMemory } from "../../../lib/track/bitmap_memory.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { describeLinux } from "../sys/linux.ts";

describe("the memory of dirty bitmaps", () => {
  it("stays where it is, round by round, and is zeroed", () => {
    using memory = new BitmapMemory(new ModelKernel());
    const { address } = memory.prepare(4096);
    const { words } = memory;
    words.fill(7, 0, 1024);
    for (const bytes of [4096, 8, 4096]) {
      equal([memory.prepare(bytes).address, memory.size], [address, bytes]);
      ok(memory.words === words, "another array each round");
      ok(words.subarray(0, bytes / 4).every((word) => word === 0));
      words.fill(7, 0, 1024);
    }
  });

  it("has slack of two pages behind the largest bitmap, and grows for a larger one", () => {
    using memory = new BitmapMemory(new ModelKernel());
    const small = memory.prepare(8).address;
    equal(memory.words.byteLength, 8 + 8192);
    const large = memory.prepare(1 << 16).address;
    ok(large !== small);
    equal(memory.words.byteLength, (1 << 16) + 8192);
    equal(memory.prepare(8).address, large);
  });

  it("is gone with dispose", () => {
    const memory = new BitmapMemory(new ModelKernel());
    memory.prepare(8);
    const before = memory.generation;
    memory[Symbol.dispose]();
    equal([memory.words.length, memory.generation > before], [0, true]);
    throws(() => memory.address, ReferenceError, "no memory yet");
  });
});

describeLinux("the memory of dirty bitmaps on the kernel that runs", (on) => {
  on("is what it writes into, without a copy", (kernel) => {
    using memory = new BitmapMemory(kernel);
    const { address } = memory.prepare(64);
    const { words } = memory;
    const bytes = new Uint8Array(words.buffer, words.byteOffset, 64);
    equal(kernel.addressOf(bytes).address, address);
    const fd = kernel.memfd("bitmap", 1);
    kernel.write(fd, Uint8Array.of(0, 6, 0, 0, 255));
    equal([kernel.pread(fd, bytes, 0n), words[0], words[1]], [5, 0x600, 255]);
    kernel.close(fd);
  });

  on(
    "gives its pages back with dispose, and when it grows, but not what lies beside them",
    (kernel) => {
      const memory = new BitmapMemory(kernel);
      for (const end of [(): unknown => memory.prepare(1 << 22), () => memory[Symbol.dispose]()]) {
        memory.prepare(1 << 21);
        const { buffer, byteOffset, length } = memory.words;
        const beside = new Uint8Array(buffer, 0, byteOffset).fill(5);
        const words = memory.words.fill(7);
        end();
        // Half a page at each end may stay.
        ok(words.subarray(1 << 14, length - (1 << 14)).every((word) => word === 0));
        ok(beside.every((byte) => byte === 5));
      }
    },
  );
});
