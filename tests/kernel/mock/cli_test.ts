/**
 * `pinscope dirty --source hwpt` on real dirty bits: those of the mock IOMMU, whose device gets a node
 * from the test (node.ts). All that the command asks of iommufd is answered by the kernel.
 */
import { commandNamed } from "../../../cli/commands.ts";
import { optionsOf } from "../../../cli/option.ts";
import { Output } from "../../../cli/output.ts";
import { loadParser } from "../../../cli/parse.ts";
import { type Kernel, rawLinux as linux } from "../../../mod.ts";
import { Kept, type Ran, records, unwrapped } from "../../cli/capture.ts";
import { equal, match } from "../../std/assert.ts";
// It reads on a thread, whose event loop has files of its own for a second: nothing counts them.
import { describe, it } from "../../std/testing.ts";
import { APERTURE, makeDirty, MOCK_PAGE } from "./mock.ts";
import { NODE_DEVICE, withNode } from "./node.ts";

/** Runs a command as `main` does, on a kernel of the test's. */
async function on(kernel: Kernel, word: string, ...args: string[]): Promise<Ran> {
  const command = commandNamed(word)!;
  const parsed = (await loadParser())(optionsOf(command), args);
  const [stdout, stderr] = [new Kept(), new Kept()];
  const { signal } = new AbortController();
  using out = new Output({ stdout, stderr }, parsed.flags.has("json"));
  const stdin = { readSync: () => null };
  const action = await command.load();
  const code = await action({ out, parsed, signal, kernel, stdin, args });
  out.flush();
  return { code, out: stdout.text, err: stderr.text };
}

/** The device writes pages 3 to 5 and 200 of what is mapped at 16 MiB, once tracking is on. */
const node = (): Kernel =>
  withNode((iommufd, hwpt) => {
    const bits = linux.allocate(64);
    for (const page of [3, 4, 5, 200]) bits[page >> 2]! |= 1 << (page % 4 * 2);
    const range = { iova: APERTURE.start, size: 256n * 4096n, pageSize: MOCK_PAGE };
    const made = makeDirty(iommufd, hwpt, range, linux.addressOf(bits));
    equal(made, { result: "OK", count: 4n });
  });

const MAP = ["--map", "16M:1M", "--interval", "0", "--count", "2"];

describe("pinscope dirty --source hwpt, on a page table of the real kernel", () => {
  it("shows each page that the device wrote, once", async () => {
    const { code, out, err } = await on(node(), "dirty", NODE_DEVICE, ...MAP, "--source", "hwpt");
    equal(code, 0);
    match(err, /written: pages that the device wrote/);
    match(out, /round 1: 4 pages dirty.*\n(.*\n)*.*0x1003000 .*3 .*written\n.*0x10c8000 .*1 /);
    match(out, /round 2: clean/);
  });

  it("tells them to programs, with source and label", async () => {
    const args = [NODE_DEVICE, ...MAP, "--source", "hwpt", "--json"];
    const { code, out } = await on(node(), "dirty", ...args);
    equal(code, 0);
    const all = records(out);
    const of = (type: string): Record<string, unknown>[] => all.filter((one) => one.type === type);
    equal(of("source").map(({ source, pageSize }) => [source, pageSize]), [["hwpt", "0x1000"]]);
    equal(of("run").map(({ iova, pages, label }) => [iova, pages, label]), [
      ["0x1003000", 3, "written"],
      ["0x10c8000", 1, "written"],
    ]);
  });

  it("is what is taken by itself where no log is, with the reason", async () => {
    const { code, out, err } = await on(node(), "dirty", NODE_DEVICE, ...MAP);
    equal(code, 0);
    match(out, /round 1: 4 pages dirty/);
    match(unwrapped(err), /source hwpt: the dirty bits of the IOMMU, in pages of 4 KiB/);
    match(unwrapped(err), /--source log would not do: /);
  });
});
