import { equal, match } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const CHILD = new URL("./stuck_child.ts", import.meta.url).pathname;

describe("a read that is stuck in the kernel", () => {
  for (
    const [signal, status, source, left] of [
      ["SIGINT", 130, "type1", "1 group"],
      ["SIGTERM", 143, "hwpt", "1 device"],
    ] as const
  ) {
    it(`does not keep ${signal} from ending pinscope dirty, which says what is left`, async () => {
      await using child = new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "--quiet", "--cached-only", "--no-prompt", CHILD],
          ...["dirty", "0000:00:10.0", "--model", "--interval", "0", "--source", source],
        ],
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
      let err = "";
      while (!err.includes("reading")) err += (await reader.read()).value ?? "";
      child.kill(signal);
      for (let more; !(more = await reader.read()).done;) err += more.value;
      equal([(await child.status).code, await new Response(child.stdout).text()], [status, ""]);
      match(err, /a read of dirty pages does not come back from the kernel/);
      match(err, new RegExp(`not released: dirty tracking, 1 mapping, ${left}, the container;`));
    });
  }
});
