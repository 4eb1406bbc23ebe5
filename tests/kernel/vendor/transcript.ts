// A driver pins, and what Pinscope sees of it: the transcript in README.md.
// usage: deno task lab run --profile vendor tests/kernel/vendor/transcript.ts
import { Container, formatSize, hex, type PinnedPages, type ScopeReport } from "../../../mod.ts";
import { PINS, VENDOR_PCI } from "./scene.ts";
import { VendorDevice } from "./vendor_device.ts";

const IOVA = 0x100_0000n;
const PAGE = 4096n;

const ofScope = ({ label, basis }: ScopeReport): string =>
  `${label} (${basis === "none" ? "open" : `by ${basis}`})`;

const ofPins = (pinned: PinnedPages): string =>
  pinned.known
    ? [...pinned.pages.runs()].map((run) => `${run.pages} at ${hex(run.iova)}`).join(", ")
    : "cannot be told";

/** Plays it, line by line. */
export function transcript(say: (line: string) => void): void {
  using container = Container.open();
  const ledger = container.keepLedger();
  {
    using group = container.attach(PINS);
    using vendor = new VendorDevice(group);
    using memory = container.allocate(1n << 20n);
    using _mapping = container.map(memory, { iova: IOVA });
    container.recordDriver("pins 5 pages", 5, () => {
      vendor.pin(IOVA, 3);
      vendor.pin(IOVA + 0x40n * PAGE, 2);
    });
    say(`pinned   ${ofPins(container.pinned())}`);
    say(`scope    ${ofScope(container.scope())}`);

    say("a PCI device joins whose driver may pin");
    using joined = container.attach(VENDOR_PCI);
    say(`scope    ${ofScope(container.scope())}; probed: ${ofScope(container.probeScope())}`);
    say(`pinned   ${ofPins(container.pinned())}`);

    say("its driver pins a page");
    using other = new VendorDevice(joined);
    container.recordDriver("pins 1 page", 1, () => other.pin(IOVA + 0x80n * PAGE));
    say(`scope    ${ofScope(container.probeScope())}`);
    say(`pinned   ${ofPins(container.pinned())}`);
  }
  say("everything is released");
  const signed = (bytes: bigint | undefined): string =>
    (bytes === undefined ? "" : bytes < 0n ? `-${formatSize(-bytes)}` : `+${formatSize(bytes)}`)
      .padStart(10);
  say(`operation  subject${" ".repeat(20)} expected    charged`);
  for (const { kind, subject, charged, expected } of ledger.entries) {
    if (subject.startsWith("4 KiB")) continue; // the page of a probe, which comes and goes
    const { locked } = charged;
    say(`${kind.padEnd(9)}  ${subject.padEnd(25)} ${signed(expected?.least)} ${signed(locked)}`);
  }
  say(`total      VmLck ${" ".repeat(30)} ${signed(ledger.total.locked)}`);
}

if (import.meta.main) transcript((line) => console.log(line));
