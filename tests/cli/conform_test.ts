import { conform } from "../../lib/conform/mod.ts";
import { RECORDINGS } from "../../lib/conform/recordings.ts";
import { conformCommand } from "../../cli/conform.ts";
import { junit, tap } from "../../cli/conform_report.ts";
import { listVerdicts } from "../../cli/conform_verdict.ts";
import { Output } from "../../cli/output.ts";
import { ModelKernel } from "../../lib/model/mod.ts";
import { modelOf } from "../conform/machines.ts";
import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { Kept, records, run, tooWide, unwrapped } from "./capture.ts";

/** A report of a 6.12 that is compared with 7 alone, so that something differs. */
function different(): {
  report: ReturnType<typeof conform>;
  verdicts: ReturnType<typeof listVerdicts>;
} {
  const recordings = RECORDINGS.filter(({ name }) => name === "7");
  const report = conform(modelOf("vendor", "6.12"), { recordings });
  return { report, verdicts: listVerdicts(report) };
}

describe("pinscope conform", () => {
  it("says which recorded kernel the model behaves like", async () => {
    for (const { name, release } of RECORDINGS) {
      const { code, out } = await run(["conform", `--model=${name}`]);
      equal([code, tooWide(out)], [0, []]);
      match(
        unwrapped(out),
        new RegExp(`The kernel behaves like Linux ${RegExp.escape(release)} .* none differ`),
      );
    }
  });

  it("takes a recorded release, or its beginning, for its profile", async () => {
    const whole = RECORDINGS.map(({ name, release }) => [release, name] as const);
    for (
      const [text, name] of [["7.2", "7"], ["7.2.13", "7"], ["6.12.95+deb12", "6.12"], ...whole]
    ) {
      const { code, out } = await run(["info", `--model=${text}`]);
      equal(code, 0);
      match(out, new RegExp(`^kernel +${RegExp.escape(name ?? "")}-model$`, "m"));
    }
    equal((await run(["info", "--model=7.2", "--profile", "7"])).code, 0);
    const { out } = await run(["info", "--help"]);
    match(out, /--profile NAME +recorded kernel: 6.1, 6.12, own, 7; or --model=NAME$/m);
    equal(tooWide(out), []);
  });

  it("says why a check cannot run", async () => {
    const { out } = await run(["conform", "--model"]);
    match(out, /^1 check cannot run: interrupts are remapped/m);
  });

  it("says of a recording that lacks checks that it does", async () => {
    const { out } = await run(["conform", "--model=7"]);
    match(
      unwrapped(out),
      /^56 checks not in the recording of 7.2.13\S*: the lab's vendor driver was not built for it$/m,
    );
    match(unwrapped(out), / answers compared, none differ; 56 checks not recorded\./m);
    match(out, /^ {2}6.1.0\S+: [\d,]+ answers compared, \d+ differ$/m);
    const lacking = await run(["conform", "--model=6.1"]);
    equal(tooWide(lacking.out), []);
    match(
      lacking.out,
      /^ {2}7.2.13\S+: \d+ answers compared, \d+ differ \(56 checks not recorded\)$/m,
    );
  });

  it("shows each check with --answers", async () => {
    const { out } = await run(["conform", "--model", "--answers"]);
    match(out, /^map: the same page again: as recorded\n {2}MAP: EEXIST\n/m);
    equal(tooWide(out), []);
  });

  it("gives JSON lines: checks, then recordings", async () => {
    const lines = records((await run(["conform", "--model", "--json"])).out);
    const types = Map.groupBy(lines, ({ type }) => type);
    equal([...types.keys()], ["check", "recording"]);
    equal(types.get("recording")?.map((line) => [line["name"], line["nearest"]]).sort(), [
      ["6.1", false],
      ["6.12", true],
      ["7", false],
      ["own", false],
    ]);
    const one = lines.find((line) => line["name"] === "map: size 0");
    equal([one?.["verdict"], one?.["rule"], one?.["answers"]], ["as recorded", "map.size", {
      "MAP": "EINVAL",
      "pages mapped": "1 page",
    }]);
  });

  it("gives TAP with a line for each check", async () => {
    const { code, out } = await run(["conform", "--model", "--tap"]);
    const lines = out.trimEnd().split("\n");
    const [, count = ""] = /^1\.\.(\d+)$/.exec(lines[2] ?? "") ?? [];
    equal([code, lines[0]], [0, "TAP version 14"]);
    equal(lines.filter((line) => /^ok \d+ - /.test(line)).length, Number(count));
    match(out, /^ok \d+ - group: not viable # SKIP cannot run: no group holds/m);
  });

  it("writes JUnit beside what it prints", async () => {
    const path = await Deno.makeTempFile();
    try {
      equal((await run(["conform", "--model", "--junit", path])).code, 0);
      const text = await Deno.readTextFile(path);
      match(text, /^<\?xml .*\?>\n<testsuites name="pinscope conform" tests="\d+" failures="0"/);
      equal(
        text.match(/<testcase /g)?.length,
        text.match(/tests="(\d+)"/)?.[1] && Number(text.match(/tests="(\d+)"/)?.[1]),
      );
    } finally {
      await Deno.remove(path);
    }
  });

  it("fails where it cannot write that", async () => {
    const { code, err } = await run(["conform", "--model", "--junit", "/nowhere/x.xml"]);
    equal(code, 1);
    match(err, /Cannot write \/nowhere\/x.xml/);
  });

  it("refuses two forms at once, a profile without the model, and an unknown one", async () => {
    const cases: [string[], RegExp][] = [
      [["conform", "--model", "--tap", "--json"], /take one/],
      [["conform", "--profile", "6.1"], /it goes with --model/],
      [
        ["info", "--model=5"],
        /There is no profile 5: there are 6.1, 6.12, own, 7, recorded on 6.1.0\S+, /,
      ],
      [["info", "--model=6"], /There is no profile 6:/],
      [["info", "--model=7.3"], /There is no profile 7.3:/],
      [["info", "--model=6.1", "--profile", "7"], /one kernel at a time; got 6.1 and 7/],
      [["conform", "--model", "--tap", "--answers"], /it goes without --answers/],
    ];
    for (const [args, text] of cases) {
      const { code, err } = await run(args);
      equal(code, 2);
      match(unwrapped(err), text);
    }
  });

  it("leaves a device out that is not ready, and fails where none is left", () => {
    // The model's usual host, which has a device without a driver.
    const unbound = "0000:00:11.0";
    const [stdout, stderr] = [new Kept(), new Kept()];
    using out = new Output({ stdout, stderr }, false);
    const { signal } = new AbortController();
    const parsed = {
      flags: new Set(""),
      values: new Map(),
      lists: new Map(),
      positional: [unbound],
    };
    const stdin = { readSync: () => null };
    const kernel = new ModelKernel({ iommufd: undefined });
    equal(conformCommand({ out, parsed, signal, stdin, kernel }), 1);
    const text = unwrapped(stderr.text);
    match(text, /0000:00:11.0 is left out: .*nothing could be compared: no PCI device/s);
    match(text, /no PCI device of those named is bound to vfio-pci and free/);
  });

  it("refuses at once what is no device, or none of this host's", async () => {
    const cases: [string[], number, RegExp][] = [
      [["6.1"], 2, /A device is a PCI address like .* got "6.1"; did you mean --model=6.1\?/],
      [["7"], 2, /did you mean group:7 or --model=7\?/],
      [["7.2"], 2, /did you mean --model=7\?/],
      [["0000:00:99.0"], 2, /A device is a PCI address like .* got "0000:00:99.0"; a slot/],
      [["0000:00:19.0"], 1, /Cannot find 0000:00:19.0: .*ENOENT.* there is no such device/],
      [["group:99"], 1, /Cannot read IOMMU group 99: .*ENOENT.* there is no such group/],
    ];
    for (const [args, status, text] of cases) {
      const { code, out, err } = await run(["conform", "--model", ...args]);
      equal([code, out], [status, ""], args.join(" "));
      match(unwrapped(err), text);
    }
  });

  it("keeps to the devices of a group", async () => {
    const lone = await run(["conform", "--model", "0000:00:10.0"]);
    const group = await run(["conform", "--model", "group:5"]);
    equal([group.code, group.out], [lone.code, lone.out]);
    match(unwrapped(group.out), /none differ/);
  });
});

describe("reports of what differs", () => {
  it("name check, step, both answers, rule and function in TAP", () => {
    const { report, verdicts } = different();
    const text = tap(report, verdicts);
    match(
      text,
      /^not ok \d+ - map: iova beyond 2\^64\n {2}---\n {2}differences:\n {4}- step: "MAP"\n/m,
    );
    match(text, /\n {6}recorded: "EOVERFLOW"\n {6}answered: "EINVAL"\n {6}rule: "map.wrap"\n/);
    match(
      text,
      /# SKIP not recorded: not in the recording of 7.2.13\S*: the lab's vendor driver was not built/,
    );
    equal(
      text.match(/^not ok /gm)?.length,
      verdicts.filter(({ kind }) => kind === "differs").length,
    );
  });

  it("do so in JUnit, and escape what XML keeps for itself", () => {
    const { report, verdicts } = different();
    const [first] = verdicts;
    ok(first);
    const odd = { ...first, name: `a<b> & "c"`, kind: "cannot run", reason: "1 < 2" } as const;
    const text = junit(report, [odd, ...verdicts]);
    match(text, /<testcase name="a&lt;b&gt; &amp; &quot;c&quot;" /);
    match(text, /<skipped message="cannot run: 1 &lt; 2"\/>/);
    const failed = verdicts.filter(({ kind }) => kind === "differs").length;
    equal(text.match(/<failure /g)?.length, failed);
    match(text, new RegExp(`failures="${failed}"`));
    match(text, /<failure message="MAP: EINVAL, recorded EOVERFLOW">step: &quot;MAP&quot;&#10;/);
  });
});
