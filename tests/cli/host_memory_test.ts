/** More memory than there is: refused before it is mapped, for a kernel would end programs to pin it. */
import { dirty } from "../../cli/dirty.ts";
import type { Command } from "../../cli/context.ts";
import { InputError } from "../../cli/input.ts";
import { converge } from "../../cli/converge.ts";
import { heat } from "../../cli/heat.ts";
import { pins } from "../../cli/pins.ts";
import { report } from "../../cli/report.ts";
import { watch } from "../../cli/watch.ts";
import { Output } from "../../cli/output.ts";
import { plan } from "../../cli/plan.ts";
import { DEFAULT_MDEV, ModelKernel } from "../../lib/model/mod.ts";
import { equal, match, rejects } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { instead } from "../unit/trace/support.ts";
import { Kept } from "./capture.ts";

const PCI = "0000:00:10.0";
/** A descriptor that the model never gives. */
const MEMINFO = 1_000_000;
const SMALL = "MemTotal:         501000 kB\nMemFree:  9 kB\nMemAvailable:     307200 kB\n";

interface Done {
  readonly code: number;
  readonly out: string;
  readonly calls: readonly string[];
}

/** Runs a command on a model whose host has 300 MiB available; keeps what is mapped. */
async function onSmall(
  command: Command,
  devices: readonly string[],
  map: string,
  flags: readonly string[] = [],
): Promise<Done> {
  const model = new ModelKernel();
  const calls: string[] = [];
  const kernel = instead(model, {
    open: (path) => path === "/proc/meminfo" ? MEMINFO : model.open(path),
    read: (fd, into) =>
      fd === MEMINFO ? new TextEncoder().encodeInto(SMALL, into).written : model.read(fd, into),
    close: (fd) => fd === MEMINFO ? 0 : model.close(fd),
    mmap: (...args) => {
      calls.push("mmap");
      return model.mmap(...args);
    },
  });
  const stdout = new Kept();
  using out = new Output({ stdout, stderr: new Kept() }, flags.includes("json"));
  const code = await command({
    out,
    kernel,
    stdin: { readSync: () => null },
    signal: new AbortController().signal,
    parsed: {
      flags: new Set(flags),
      values: new Map([["interval", "0"], ["count", "1"], ["source", "type1"]]),
      lists: new Map([["map", [map]]]),
      positional: devices,
    },
  });
  out.flush();
  return { code, out: stdout.text, calls };
}

describe("more memory than is available", () => {
  for (const [name, command] of Object.entries({ dirty, watch, heat, report, converge, pins })) {
    it(`is refused by ${name} before anything is mapped`, async () => {
      const error = await rejects(() => onSmall(command, [PCI], "4G:1G"), InputError);
      equal(
        (error as Error).message,
        "Cannot map 1 GiB: all of it would be pinned, 1 GiB, and of the host's 489.3 MiB of " +
          "memory 300 MiB are available. Map less, or insist with --overcommit",
      );
    });

    it(`is mapped by ${name} with --overcommit, and for a device that pins little`, async () => {
      const { calls } = await onSmall(command, [PCI], "4G:1G", ["overcommit"]);
      equal(calls.length > 0, true);
      equal((await onSmall(command, [DEFAULT_MDEV], "4G:1G")).calls.length > 0, true);
      equal((await onSmall(command, [PCI], "4G:300M")).calls.length > 0, true);
    });
  }
});

describe("pinscope plan with more memory than is available", () => {
  it("says that it does not fit, with or without a device", async () => {
    for (const devices of [[PCI], []]) {
      const { code, out, calls } = await onSmall(plan, devices, "4G:512M,2");
      equal([code, calls], [1, []]);
      match(out, /^does not fit into memory: 2 mappings, 1 GiB\n/);
      match(
        out.replaceAll("\n    ", " "),
        /^ {2}memory: all of it would be pinned, 1 GiB, and of the host's 489\.3 MiB of memory/m,
      );
      equal((await onSmall(plan, devices, "4G:300M")).code, 0);
    }
  });

  it("says that it fits where nothing is pinned, or pages are mapped twice", async () => {
    equal((await onSmall(plan, [DEFAULT_MDEV], "4G:1G")).code, 0);
    const { code, out } = await onSmall(plan, [PCI], "4G:1G", ["overcommit"]);
    equal([code, out.split("\n")[0]], [0, "fits: 1 mapping, 1 GiB"]);
  });

  it("has the reason in JSON", async () => {
    const { out } = await onSmall(plan, [PCI], "4G:1G", ["json"]);
    const { fits, stop, shortage } = JSON.parse(out) as Record<string, unknown>;
    equal([fits, stop], [false, null]);
    match(`${shortage}`, /^all of it would be pinned, 1 GiB/);
  });
});
