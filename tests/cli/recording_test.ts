import { DEFAULT_MDEV } from "../../lib/model/mod.ts";
import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { records, run, tooWide, unwrapped } from "./capture.ts";

const PCI = "0000:00:10.0";
const fast = ["--interval", "0", "--count", "3", "--map", "1M:1M", "--source", "type1", "--model"];

/** Runs with a name of a file that is gone afterwards. */
async function withFile(body: (path: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    await body(`${folder}/a.psr`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

describe("dirty --save and --from", () => {
  for (const device of [PCI, DEFAULT_MDEV]) {
    it(`shows of ${device} what it showed live, for people and for programs`, async () => {
      await withFile(async (path) => {
        const live = await run(["dirty", device, ...fast, "--save", path]);
        equal(live.code, 0);
        const again = await run(["dirty", "--from", path]);
        equal([again.code, again.out, tooWide(again.err)], [0, live.out, []]);
        const json = await run(["dirty", device, ...fast, "--json", "--save", path]);
        equal((await run(["dirty", "--from", path, "--json"])).out, json.out);
        match(
          (await run(["dirty", "--from", path])).err.replace(/\n {2}/g, " "),
          /session 2 of 2, the last; --session takes another/,
        );
        equal((await run(["dirty", "--from", path, "--session", "1"])).out, live.out);
      });
    });
  }

  it("tells of a tail that is cut, and shows what stands before it", async () => {
    await withFile(async (path) => {
      const live = await run(["dirty", PCI, ...fast, "--save", path]);
      const bytes = Deno.readFileSync(path);
      Deno.writeFileSync(path, bytes.subarray(0, -1));
      const cut = await run(["dirty", "--from", path]);
      equal([cut.code, cut.out], [0, live.out]);
      match(unwrapped(cut.err), /not read: the last record is not complete/);
      match(unwrapped(cut.err), /the session has no end: the program died, or still runs/);
      const [gap] = records((await run(["dirty", "--from", path, "--json"])).out);
      equal(gap?.type, "gap");
    });
  });

  it("keeps what was read until Ctrl-C, and says how it ended", async () => {
    await withFile(async (path) => {
      const controller = new AbortController();
      const args = ["dirty", PCI, "--interval", "0", "--model", "--save", path];
      const running = run(args, controller.signal);
      while (!isThere(path)) await new Promise((go) => setTimeout(go, 1));
      const { Interrupted } = await import("../../cli/interrupt.ts");
      controller.abort(new Interrupted());
      const live = await running;
      equal(live.code, 130);
      const { code, out, err } = await run(["dirty", "--from", path]);
      equal([code, err.includes("no end")], [0, false]);
      ok(out.length > 0 && live.out.startsWith(out), out);
    });
  });

  it("says what is wrong", async () => {
    await withFile(async (path) => {
      const code = async (...args: string[]): Promise<unknown[]> => {
        const { code, err } = await run(args);
        return [code, unwrapped(err).split("\n")[0]];
      };
      equal(await code("dirty"), [2, "pinscope: a DEVICE is needed, or --from FILE"]);
      equal((await code("dirty", PCI, "--from", path))[0], 2);
      equal((await code("dirty", "--map", "1M:1M", "--from", path))[0], 2);
      equal((await code("dirty", "--from", path))[0], 1);
      Deno.writeTextFileSync(path, "no recording");
      const [one, text] = await code("heat", "--from", path);
      equal(one, 1);
      match(`${text}`, /12 bytes from byte 0 on not read/);
      equal((await code("dirty", PCI, ...fast, "--save", `${path}/no`))[0], 1);
    });
  });

  it("serves every view", async () => {
    await withFile(async (path) => {
      equal((await run(["heat", DEFAULT_MDEV, ...fast, "--save", path])).code, 0);
      match((await run(["heat", "--from", path])).out, /3 rounds in /);
      match((await run(["report", "--from", path])).out, /<h2>Pinned runs<\/h2>/);
      const watched = await run(["watch", "--from", path]);
      equal([watched.code, watched.out.trim().split("\n").length], [0, 3]);
      equal((await run(["watch", DEFAULT_MDEV, ...fast, "--save", path])).code, 0);
      const dirty = await run(["dirty", "--from", path]);
      match(dirty.out, /^round 1: /);
    });
  });
});

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).size > 2000;
  } catch {
    return false;
  }
}
