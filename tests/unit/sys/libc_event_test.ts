import { ERRNO } from "../../../lib/base/errno.ts";
import { EFD_CLOEXEC, EFD_NONBLOCK, POLLIN, RLIMIT_MEMLOCK } from "../../../lib/sys/constant.ts";
import { UNLIMITED } from "../../../lib/sys/kernel.ts";
import { equal, ok } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { describeLinux, openFiles } from "./linux.ts";

const FLAGS = EFD_CLOEXEC | EFD_NONBLOCK;
const POLLNVAL = 32;

describeLinux("events through libc", (on) => {
  on("an eventfd counts, is read once, and says EAGAIN when nothing happened", (kernel) => {
    const fd = kernel.eventfd(5, FLAGS);
    ok(fd > 2);
    const word = new Uint8Array(8);
    equal([kernel.read(fd, word), word[0]], [8, 5]);
    equal(kernel.read(fd, word), -ERRNO.EAGAIN);
    equal(kernel.write(fd, Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0)), 8);
    equal([kernel.read(fd, word), word[0]], [8, 3]);
    equal([kernel.close(fd), kernel.eventfd(0, 0x40)], [0, -ERRNO.EINVAL]);
  });

  on("poll tells which file has something, in the order of the requests", (kernel) => {
    const [quiet, ready] = [kernel.eventfd(0, FLAGS), kernel.eventfd(1, FLAGS)];
    const ask = (...fds: number[]): number[] | number =>
      kernel.poll(fds.map((fd) => ({ fd, events: POLLIN })), 0);
    equal(ask(quiet, ready), [0, POLLIN]);
    equal(ask(ready, quiet, ready), [POLLIN, 0, POLLIN]);
    equal([kernel.close(quiet), kernel.close(ready)], [0, 0]);
    // A closed file is told of, and one below 0 is left out; neither is an error of the call.
    equal(ask(quiet), [POLLNVAL]);
    equal([ask(-1), kernel.poll([], 0)], [[0], []]);
  });

  on("poll waits for its time, and not longer than for the event", (kernel) => {
    const fd = kernel.eventfd(0, FLAGS);
    const start = performance.now();
    equal(kernel.poll([{ fd, events: POLLIN }], 50), [0]);
    ok(performance.now() - start >= 45, "it waited");
    kernel.write(fd, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
    const again = performance.now();
    equal(kernel.poll([{ fd, events: POLLIN }], 60_000), [POLLIN]);
    ok(performance.now() - again < 30_000, "it did not wait");
    kernel.close(fd);
  });
});

describeLinux("prlimit", (on) => {
  on("reads the limit that /proc shows", (kernel) => {
    const limit = kernel.prlimit(0, RLIMIT_MEMLOCK);
    ok(typeof limit === "object");
    const line = /^Max locked memory +(\S+) +(\S+)/m.exec(
      Deno.readTextFileSync("/proc/self/limits"),
    );
    const value = (text: string | undefined): bigint =>
      text === "unlimited" ? UNLIMITED : BigInt(text ?? -1);
    equal(limit, { soft: value(line?.[1]), hard: value(line?.[2]) });
    equal(kernel.prlimit(Deno.pid, RLIMIT_MEMLOCK), limit);
  });

  on("sets a limit, gives the old one, and can set it back", (kernel) => {
    const before = kernel.prlimit(0, RLIMIT_MEMLOCK);
    ok(typeof before === "object");
    const lower = { soft: 0x1000n, hard: before.hard };
    try {
      equal(kernel.prlimit(0, RLIMIT_MEMLOCK, lower), before);
      equal(kernel.prlimit(0, RLIMIT_MEMLOCK), lower);
    } finally {
      equal(kernel.prlimit(0, RLIMIT_MEMLOCK, before), lower);
    }
    equal(kernel.prlimit(0, RLIMIT_MEMLOCK), before);
  });

  on("answers with -errno", (kernel) => {
    equal(kernel.prlimit(0, 99), -ERRNO.EINVAL);
    equal(kernel.prlimit(0x7fff_fff0, RLIMIT_MEMLOCK), -ERRNO.ESRCH);
    equal(kernel.prlimit(0, RLIMIT_MEMLOCK, { soft: 2n, hard: 1n }), -ERRNO.EINVAL);
  });
});

describeLinux("the library", (on) => {
  on("is opened once for all its users, and closed by the last of them", (kernel) => {
    let opened = 0;
    const dlopen = Object.getOwnPropertyDescriptor(Deno, "dlopen")!;
    const counting = (...args: unknown[]): unknown => {
      opened += 1;
      return dlopen.value(...args);
    };
    Object.defineProperty(Deno, "dlopen", { ...dlopen, value: counting });
    try {
      const second = kernel.retain();
      // Disposed twice it counts once: the first user, of this test, still has it.
      second[Symbol.dispose]();
      second[Symbol.dispose]();
      equal([kernel.close(-1), opened], [-ERRNO.EBADF, 0]);
    } finally {
      Object.defineProperty(Deno, "dlopen", dlopen);
    }
  });

  on("leaves no file open", (kernel) => {
    const before = openFiles();
    for (let i = 0; i < 50; i += 1) {
      kernel.readlink("/proc/self/exe");
      kernel.list("/proc/sys");
      kernel.list("/proc/version");
    }
    equal(openFiles(), before);
  });
});

describe("linux without permission", () => {
  it("is imported, and asks for --allow-ffi in words at the first call", async () => {
    const module = new URL("../../../lib/sys/libc.ts", import.meta.url).href;
    const script = `import { linux } from ${JSON.stringify(module)};
      console.log(linux.name);
      try { linux.close(-1); } catch (error) { console.log(error.name, error.message); }`;
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-check", "--cached-only", "--quiet", "-"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    });
    const child = command.spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(script));
    await writer.close();
    const { stdout } = await child.output();
    equal(
      new TextDecoder().decode(stdout),
      "linux\nNotCapable Cannot call the kernel without --allow-ffi: run the script with deno run --allow-ffi\n",
    );
  });
});
