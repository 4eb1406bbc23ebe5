/** What a driver may pin, and access. */

import type { Check, Need, Say } from "../check.ts";
import type { Bench } from "../bench.ts";
import type { RawContainer } from "../container.ts";
import type { Pinner } from "../pinner.ts";
import { mapPages } from "./request.ts";

const check = (
  name: string,
  rule: string,
  body: (bench: Bench, pinner: Pinner, say: Say, container: RawContainer) => void,
  options: { need?: Need } = {},
): Check => ({
  name: `pin: ${name}`,
  rule,
  needs: [options.need ?? "mdev"],
  run: (bench, say) => {
    const member = options.need === "no-unmap" ? bench.noUnmap : bench.mdev;
    using container = bench.container(member);
    using pinner = bench.pinner(container.group, member);
    const before = bench.locked();
    mapPages(bench, container, 0, 64);
    body(bench, pinner, say, container);
    say("pages pinned, pages locked", `${pinner.state().pinned}, ${bench.locked() - before}`);
  },
});

/** All checks of the file. */
export const pinChecks: readonly Check[] = [
  check("outside mappings", "pin.mapped", (bench, pinner, say) => {
    say("behind a mapping", pinner.pin(bench.at(64)));
    say("before it", pinner.pin(bench.at(-1)));
    say("far away", pinner.pin(1n << 50n));
    say("over the end", pinner.pin(bench.at(60), 8, { oneCall: true }));
    say("its last page", pinner.pin(bench.at(63)));
  }),
  check("over two mappings", "pin.mapped", (bench, pinner, say, container) => {
    mapPages(bench, container, 64, 8);
    mapPages(bench, container, 80, 8);
    say("without a gap", pinner.pin(bench.at(62), 4, { oneCall: true }));
    say("with a gap", pinner.pin(bench.at(70), 12, { oneCall: true }));
  }),
  check("against the rights of a mapping", "pin.rights", (bench, pinner, say, container) => {
    mapPages(bench, container, 100, 8, { flags: 1 });
    mapPages(bench, container, 200, 8, { flags: 2 });
    const read = { write: false };
    say("to write, mapped to read", pinner.pin(bench.at(100)));
    say("to read, mapped to read", pinner.pin(bench.at(100), 1, read));
    say("to read, mapped to write", pinner.pin(bench.at(200), 1, read));
    say("to read, mapped for both", pinner.pin(bench.at(0), 1, read));
  }),
  check("of memory that cannot be had", "pin.memory", (bench, pinner, say, container) => {
    mapPages(bench, container, 300, 1, { vaddr: 0n });
    mapPages(bench, container, 400, 1, { vaddr: bench.places.readOnly });
    mapPages(bench, container, 500, 2, { vaddr: bench.places.half.address });
    say("memory that is not there", pinner.pin(bench.at(300)));
    say("to write, read-only memory", pinner.pin(bench.at(400)));
    say("to read, read-only memory", pinner.pin(bench.at(400), 1, { write: false }));
    say("up to its file's end", pinner.pin(bench.at(500)));
    say("beyond its file's end", pinner.pin(bench.at(501)));
  }),
  check("of many pages in one call", "pin.batch", (bench, pinner, say, container) => {
    mapPages(bench, container, 64, 256);
    mapPages(bench, container, 320, 256);
    say("no page", pinner.pin(bench.at(0), 0, { oneCall: true }));
    say("512", pinner.pin(bench.at(0), 512, { oneCall: true }));
    say("513", pinner.pin(bench.at(0), 513, { oneCall: true }));
    say("513 in two", pinner.pin(bench.at(0), 513));
  }),
  check("by a driver without dma_unmap", "pin.callback", (bench, pinner, say) => {
    say("pin", pinner.pin(bench.at(0)));
    say("pin to read", pinner.pin(bench.at(0), 1, { write: false }));
    say("write", pinner.write(bench.at(1), Uint8Array.of(1)));
    say("read", pinner.read(bench.at(1), 1));
  }, { need: "no-unmap" }),
  check("accesses", "pin.access", (bench, pinner, say, container) => {
    mapPages(bench, container, 100, 8, { flags: 1 });
    mapPages(bench, container, 200, 8, { flags: 2 });
    const bytes = Uint8Array.of(1, 2, 3, 4);
    say("write behind a mapping", pinner.write(bench.at(64), bytes));
    say("read behind a mapping", pinner.read(bench.at(64), 1));
    say("write over its end", pinner.write(bench.at(64) - 2n, bytes));
    const end = Number(bench.pages(64));
    say("what was written", bench.places.memory.bytes.subarray(end - 2, end).join(" "));
    say("write, mapped to read", pinner.write(bench.at(100), bytes));
    say("read, mapped to read", pinner.read(bench.at(100), 4));
    say("read, mapped to write", pinner.read(bench.at(200), 4));
  }),
];
