/** What waits on stdin: that it says so, and that a signal ends it. */
import { Interrupted } from "../../cli/interrupt.ts";
import { main } from "../../cli/main.ts";
import type { Source } from "../../cli/input.ts";
import { equal, match } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { command, Kept } from "./capture.ts";

/** Somebody at a terminal who types nothing. */
function silent(): Source & { closed: number } {
  const { promise, reject } = Promise.withResolvers<never>();
  const source = {
    closed: 0,
    isTerminal: (): boolean => true,
    readSync: (): never => {
      throw new Error("it would block the thread");
    },
    read: (): Promise<never> => promise,
    close: (): void => {
      source.closed += 1;
      reject(new Error("canceled"));
    },
  };
  return source;
}

describe("waiting on stdin", () => {
  for (const args of [["decode"], ["replay", "-", "--model"]]) {
    it(`tells somebody at a terminal, and ends with the signal: ${args[0]}`, async () => {
      const [stdout, stderr, stdin] = [new Kept(), new Kept(), silent()];
      const stop = new AbortController();
      const done = main(args, { stdout, stderr, stdin, signal: stop.signal });
      while (stderr.text === "") await new Promise((resolve) => setTimeout(resolve));
      stop.abort(new Interrupted(130));
      equal([await done, stdout.text, stdin.closed], [130, "", 1]);
      equal(stderr.text, "pinscope: reading stdin; end with Ctrl-D\n");
    });
  }

  for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    it(`ends with ${status} after ${signal} while a pipe gives nothing`, async () => {
      const entry = new URL("../../cli/main.ts", import.meta.url).pathname;
      await using child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--cached-only", "--no-prompt", "--no-lock", entry, "decode"],
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const writer = child.stdin.getWriter();
      // What comes back shows that it reads, and listens.
      await writer.write(new TextEncoder().encode("ioctl(3, VFIO_SET_IOMMU, 0x3) = 0\n"));
      const reader = child.stdout.getReader();
      const { value } = await reader.read();
      match(new TextDecoder().decode(value), /^VFIO_SET_IOMMU/);
      child.kill(signal);
      equal((await child.status).code, status);
      await reader.cancel();
      await writer.abort();
    });
  }

  it("ends with 0 where stdin has nothing", async () => {
    equal((await command(["decode"]).output()).code, 0);
  });
});
