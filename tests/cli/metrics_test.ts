/** --metrics: what arrives at a collector, which is a process of its own. */
import { equal, match, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { command, records, run, tooWide, unwrapped } from "./capture.ts";

/** A measured value as it is sent; numbers of 64 bits are text in JSON. */
interface Point {
  readonly asDouble?: number;
  readonly asInt?: string;
  readonly sum?: number;
  readonly count?: string | number;
  readonly attributes: readonly { readonly key: string; readonly value: { stringValue: string } }[];
}

interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly gauge?: { readonly dataPoints: readonly Point[] };
  readonly histogram?: { readonly dataPoints: readonly Point[] };
}

interface Body {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: Point["attributes"] };
    readonly scopeMetrics: readonly {
      readonly scope: { readonly name: string };
      readonly metrics: readonly Metric[];
    }[];
  }[];
}

/** Runs a command line that sends to a collector; gives what both have written. */
async function sent(args: readonly string[]): Promise<{ out: string; bodies: Body[] }> {
  const entry = new URL("otlp_receiver.ts", import.meta.url).pathname;
  const receiver = new Deno.Command(Deno.execPath(), {
    args: ["run", "--cached-only", "--no-lock", "--no-check", "--allow-net=127.0.0.1", entry],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = receiver.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) text += (await lines.read()).value ?? "\n";
  const { code, stdout, stderr } = await command(args, [], {
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${text.trim()}`,
    OTEL_RESOURCE_ATTRIBUTES: "host.name=lab7",
    NO_PROXY: "127.0.0.1",
  }).output();
  await receiver.stdin.close();
  text = "";
  for (let read = await lines.read(); !read.done; read = await lines.read()) text += read.value;
  equal((await receiver.status).code, 0);
  equal(code, 0, new TextDecoder().decode(stderr));
  const bodies = text.trimEnd().split("\n").map((line) => JSON.parse(line) as Body);
  return { out: new TextDecoder().decode(stdout), bodies };
}

/** What arrived last of each metric: its unit, its value and what it is said of. */
function lastOf(bodies: readonly Body[]): Map<string, [unit: string, value: number, of: object]> {
  const last = new Map<string, [string, number, object]>();
  for (const { resourceMetrics } of bodies) {
    for (const { scope, metrics } of resourceMetrics.flatMap((one) => one.scopeMetrics)) {
      if (scope.name !== "pinscope") continue;
      for (const { name, unit, gauge, histogram } of metrics) {
        for (const point of (gauge ?? histogram)?.dataPoints ?? []) {
          const of = Object.fromEntries(point.attributes.map((a) => [a.key, a.value.stringValue]));
          last.set(name, [unit, point.asDouble ?? Number(point.asInt ?? point.count), of]);
        }
      }
    }
  }
  return last;
}

const ROUNDS = ["--model", "--interval", "0.01", "--count", "3", "--metrics", "--json"];

describe("--metrics", () => {
  it("of watch sends what the round shows, with unit, source, device and label", async () => {
    const { out, bodies } = await sent(["watch", "group:5", "--source", "type1", ...ROUNDS]);
    const samples = records(out).filter(({ type }) => type === "sample");
    equal(samples.length, 3);
    const { pages, pinned, rate, locked, dmaAvailable, labels } = samples[2]!;
    ok(Number(pages) > 0 && Number(pinned) > 0 && Number(locked) > 0, "the sample says something");
    const of = { "pinscope.devices": "group:5", "pinscope.source": "type1" };
    const labelled = { ...of, "pinscope.labels": (labels as string[]).join(" ") };
    equal(Object.fromEntries(lastOf(bodies)), {
      "pinscope.dirty.pages": ["{page}", pages, labelled],
      "pinscope.dirty.rate": ["By/s", rate, labelled],
      "pinscope.pinned.pages": ["{page}", pinned, of],
      "pinscope.locked": ["By", locked, of],
      "pinscope.dma_available": ["{mapping}", dmaAvailable, of],
      "pinscope.read.duration": ["s", 3, of],
    });
    const resource = bodies[0]!.resourceMetrics[0]!.resource.attributes;
    equal(resource.find(({ key }) => key === "host.name")?.value.stringValue, "lab7");
  });

  it("of dirty does not send what is not known there", async () => {
    const { out, bodies } = await sent(["dirty", "group:5", "--source", "log", ...ROUNDS]);
    const rounds = records(out).filter(({ type }) => type === "round");
    const last = lastOf(bodies);
    equal(last.get("pinscope.dirty.pages")?.[1], rounds[2]?.pages);
    equal(last.get("pinscope.read.duration")?.[1], 3);
    equal(last.has("pinscope.pinned.pages"), false);
  });

  it("says what Deno has to be started with, before anything is opened", async () => {
    for (const name of ["watch", "dirty"]) {
      const { code, out, err } = await run([name, "group:5", ...ROUNDS]);
      equal([code, out], [1, ""]);
      equal(tooWide(err.replace(/^ {2}OTEL_DENO.*/m, "")), []);
      ok(/^ {2}OTEL_DENO=true \S+ pinscope \.\.\.$/m.test(err), err);
      match(unwrapped(err), /--metrics sends through the exporter of Deno.*OTEL_DENO=true/s);
      equal(tooWide(err), []);
    }
  });

  it("is refused with a recording", async () => {
    const { code, err } = await run(["watch", "--from", "x.psr", "--metrics"]);
    equal(code, 2);
    match(err, /--metrics and --from exclude each other/);
  });
});
