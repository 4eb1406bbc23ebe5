import { DEFAULT_MDEV } from "../../lib/model/mod.ts";
import { readBandwidth, readDowntime } from "../../cli/converge.ts";
import { UsageError } from "../../cli/parse.ts";
import { equal, match, ok, throws } from "../std/assert.ts";
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
      const make = "one is made by: pinscope watch DEVICE --save FILE";
      for (const [text, is] of [["", "empty"], ["no recording", "no recording"]] as const) {
        Deno.writeTextFileSync(path, text);
        const { err } = await run(["watch", "--from", path]);
        const said = unwrapped(err).trimEnd();
        ok(said.endsWith(`pinscope: Cannot read ${path}: it is ${is}; ${make}`), said);
      }
      const [one, text] = await code("heat", "--from", path);
      equal(one, 1);
      match(`${text}`, /12 bytes from byte 0 on not read/);
      equal((await code("dirty", PCI, ...fast, "--save", `${path}/no`))[0], 1);
    });
  });

  it("gives every run as CSV", async () => {
    await withFile(async (path) => {
      const live = await run(["dirty", PCI, ...fast, "--csv", "--save", path]);
      const rows = [1, 2, 3].map((round) => `${round},1048576,1048576,256,all-mapped\n`);
      equal(live.out, `round,iova,size,pages,label\n${rows.join("")}`);
      equal((await run(["dirty", "--csv", "--from", path])).out, live.out);
      equal((await run(["dirty", "--csv", "--json", "--from", path])).code, 2);
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

describe("diff", () => {
  it("finds none between two runs of the same, and tells of those between others", async () => {
    await withFile(async (path) => {
      const [a, b, c] = [path, `${path}.b`, `${path}.c`];
      await run(["dirty", PCI, ...fast, "--save", a]);
      await run(["dirty", PCI, ...fast, "--save", b]);
      const one = [
        "--interval",
        "0",
        "--count",
        "2",
        "--map",
        "1M:8K",
        "--source",
        "type1",
        "--model",
      ];
      await run(["dirty", PCI, ...one, "--save", c]);
      const none = await run(["diff", a, b]);
      equal([none.code, none.out], [0, "no difference: 3 rounds, 256 pages dirty\n"]);
      const some = await run(["diff", a, c]);
      equal([some.code, tooWide(some.out)], [1, []]);
      equal(
        some.out,
        [
          "3 rounds with a difference; 3 rounds in A, 2 in B",
          "  ROUND  ONLY A  ONLY B  BOTH",
          "  1         254       0     2",
          "  2         254       0     2",
          "  3         256       0     0",
          "dirty in any round:",
          "  MAPPING    SIZE  ONLY A  ONLY B  BOTH",
          "  0x100000  8 KiB       0       0     2",
          "  0x100000  1 MiB     254       0     2",
          "  all                 254       0     2",
          "",
        ].join("\n"),
      );
      const json = records((await run(["diff", c, a, "--json"])).out);
      equal(json.at(-1), {
        type: "diff",
        onlyA: 0,
        onlyB: 254,
        both: 2,
        roundsA: 2,
        roundsB: 3,
        differing: 3,
        isEqual: false,
      });
    });
  });
});

describe("converge", () => {
  it("says of a recording what it says live, and exits with the verdict", async () => {
    await withFile(async (path) => {
      const args = ["--interval", "0.001", "--count", "3", "--map", "1M:1M", "--source", "type1"];
      await run(["dirty", PCI, ...args, "--model", "--save", path]);
      const never = await run(["converge", "--from", path, "--downtime", "0.1ms"]);
      equal([never.code, tooWide(never.out)], [1, []]);
      match(
        unwrapped(never.out),
        /^does not converge: it cannot: every mapped page is dirty in each/,
      );
      equal((await run(["converge", "--from", path])).code, 0);
      const [, , last] = records((await run(["converge", PCI, ...args, "--model", "--json"])).out);
      equal([last?.type, last?.verdict, last?.mapped], ["converge", "converges", 1 << 20]);
    });
  });

  it("names a source that would tell more, of those that work with the device", async () => {
    const fast = ["--interval", "0", "--count", "2", "--source", "type1", "--quiet"];
    const advice = async (...args: string[]): Promise<string> =>
      unwrapped((await run(["converge", ...args])).out).split("\n").at(-2) ?? "";
    const unknown = "What the device really writes is not known here. ";
    equal(
      await advice(PCI, ...fast, "--model"),
      `${unknown}The dirty bits of its IOMMU would tell: --source hwpt.`,
    );
    equal(
      await advice(PCI, ...fast, "--model=6.1"),
      `${unknown}No source that works with it would tell.`,
    );
    await withFile(async (path) => {
      await run(["dirty", PCI, ...fast, "--model", "--save", path]);
      match(await advice("--from", path), /pinscope info DEVICE says which sources would tell/);
    });
  });

  it("reads rates and times in their units", () => {
    const rates = ["8Gbit/s", "1GB/s", "1000mbps", "8bit/s"].map(readBandwidth);
    equal(rates, [1e9, 1e9, 1.25e8, 1]);
    equal(["300ms", "1.5s", "20"].map(readDowntime), [300, 1500, 20]);
    for (const text of ["10", "x", "0Gbit/s", "1Xbit/s"]) {
      throws(() => readBandwidth(text), UsageError, "--bandwidth");
    }
    for (const text of ["s", "0ms", "1m"]) {
      throws(() => readDowntime(text), UsageError, "--downtime");
    }
  });
});

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).size > 2000;
  } catch {
    return false;
  }
}
