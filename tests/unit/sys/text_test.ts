import { ERRNO } from "../../../lib/base/errno.ts";
import type { Kernel } from "../../../lib/sys/kernel.ts";
import { readLine, readText, writeText } from "../../../lib/sys/text.ts";
import { equal, match, ok } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { describeLinux } from "./linux.ts";

/** A kernel with one file that answers reads with these pieces, each bytes or -errno. */
function pieces(...list: readonly (Uint8Array | number)[]): { kernel: Kernel; log: string[] } {
  const log: string[] = [];
  const queue = [...list];
  const kernel = {
    open: (path: string, flags: number): number => {
      log.push(`open ${path} ${flags & 3}`);
      return 5;
    },
    read: (_fd: number, into: Uint8Array): number => {
      const next = queue.shift() ?? 0;
      if (typeof next === "number") return next;
      into.set(next);
      return next.length;
    },
    write: (_fd: number, from: Uint8Array): number => {
      log.push(`write ${new TextDecoder().decode(from)}`);
      const next = queue.shift() ?? from.length;
      return typeof next === "number" ? next : 0;
    },
    close: (fd: number): number => {
      log.push(`close ${fd}`);
      return 0;
    },
  };
  return { kernel: kernel as unknown as Kernel, log };
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("readText", () => {
  it("joins the pieces of a file, also where one ends inside a letter", () => {
    const bytes = utf8("groß 日本\n");
    for (let at = 0; at <= bytes.length; at += 1) {
      const parts = [bytes.subarray(0, at), bytes.subarray(at)].filter((part) => part.length > 0);
      const { kernel, log } = pieces(...parts);
      equal(readText(kernel, "/f"), "groß 日本\n");
      equal(log, ["open /f 0", "close 5"]);
    }
  });

  it("gives -errno of a read, and closes the file", () => {
    const { kernel, log } = pieces(utf8("half"), -ERRNO.EIO);
    equal([readText(kernel, "/f"), log], [-ERRNO.EIO, ["open /f 0", "close 5"]]);
  });

  it("gives -errno of open", () => {
    const kernel = { open: () => -ERRNO.EACCES } as unknown as Kernel;
    equal([readText(kernel, "/f"), writeText(kernel, "/f", "x")], [-ERRNO.EACCES, -ERRNO.EACCES]);
  });
});

describe("readLine", () => {
  it("trims, and is undefined where the file cannot be read", () => {
    equal(readLine(pieces(utf8(" 0x8086 \n")).kernel, "/f"), "0x8086");
    equal(readLine(pieces().kernel, "/f"), "");
    equal(readLine(pieces(-ERRNO.ENODEV).kernel, "/f"), undefined);
  });
});

describe("writeText", () => {
  it("writes all in one call, as sysfs wants it", () => {
    const { kernel, log } = pieces();
    equal(writeText(kernel, "/f", "0000:00:10.0"), 0);
    equal(log, ["open /f 1", "write 0000:00:10.0", "close 5"]);
  });

  it("gives -errno of the write, and closes the file", () => {
    const { kernel, log } = pieces(-ERRNO.EBUSY);
    equal([writeText(kernel, "/f", "x"), log.at(-1)], [-ERRNO.EBUSY, "close 5"]);
  });
});

describeLinux("text of the real kernel", (on) => {
  on("is read whole, whatever size the file claims", (kernel) => {
    // Files of /proc say they have 0 bytes; this one is larger than a read.
    const text = readText(kernel, "/proc/self/maps");
    ok(typeof text === "string" && text.length > 4096 && text.endsWith("\n"));
    match(text, /libc\.so\.6/);
    equal(readLine(kernel, "/proc/sys/kernel/ostype"), "Linux");
    equal(readText(kernel, "/no/such/file"), -ERRNO.ENOENT);
    equal(readText(kernel, "/proc"), -ERRNO.EISDIR);
  });

  on("is written to a file that exists, and to no other", (kernel) => {
    const path = Deno.makeTempFileSync();
    try {
      equal([writeText(kernel, path, "größe"), Deno.readTextFileSync(path)], [0, "größe"]);
    } finally {
      Deno.removeSync(path);
    }
    equal(writeText(kernel, path, "x"), -ERRNO.ENOENT);
  });
});
