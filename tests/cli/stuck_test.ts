import { DEFAULT_MDEV } from "../../lib/model/mod.ts";
import { equal, match } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const PCI = "0000:00:10.0";
const CHILD = new URL("./stuck_child.ts", import.meta.url).pathname;

describe("a read that is stuck in the kernel", () => {
  for (
    const [signal, status, command, device, options, left] of [
      ["SIGINT", 130, "dirty", PCI, ["--source", "type1"], "1 group"],
      ["SIGTERM", 143, "dirty", PCI, ["--source", "hwpt"], "1 device"],
      ["SIGINT", 130, "watch", DEFAULT_MDEV, [], "1 group"],
      ["SIGINT", 130, "heat", DEFAULT_MDEV, ["--count", "2"], "1 group"],
      ["SIGINT", 130, "report", DEFAULT_MDEV, ["--count", "2"], "1 group"],
      ["SIGINT", 130, "converge", DEFAULT_MDEV, ["--count", "2"], "1 group"],
      ["SIGINT", 130, "pins", DEFAULT_MDEV, ["--count", "2"], "1 group"],
    ] as const
  ) {
    it(`does not keep ${signal} from ending ${command} ${options.join(" ")}`, async () => {
      await using child = new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "--quiet", "--cached-only", "--no-prompt", CHILD],
          ...[command, device, "--model", "--interval", "0", ...options],
        ],
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
      let err = "";
      while (!err.includes("reading")) err += (await reader.read()).value ?? "";
      child.kill(signal);
      for (let more; !(more = await reader.read()).done;) err += more.value;
      equal((await child.status).code, status);
      // What the commands had told by then: the costs of what comes before the first read, or nothing.
      const told = command === "pins" ? /^ +OPERATION.*\n.*attach.*\n.*map.*\n$/ : /^$/;
      match(await new Response(child.stdout).text(), told);
      match(err, /a read of dirty pages does not come back from the kernel/);
      match(err, new RegExp(`not released: dirty tracking, 1 mapping, ${left}, the container;`));
    });
  }
});
