/** What is locked for a process, and what its limit lets through. */

import { RLIMIT_MEMLOCK } from "../../sys/constant.ts";
import type { Bench } from "../bench.ts";
import type { Check, Need, Say } from "../check.ts";
import type { RawContainer } from "../container.ts";
import { answer, Unprepared } from "../raw.ts";
import { all, mapPages, unmapPages } from "./request.ts";

type Show = (step: string) => void;

/** Says how many pages are locked since the start. */
function counted(bench: Bench, say: Say): Show {
  const before = bench.locked();
  return (step) => say(step, `${bench.count(bench.pages(bench.locked() - before))} locked`);
}

const check = (
  name: string,
  rule: string,
  needs: readonly Need[],
  run: (bench: Bench, say: Say, show: Show) => void,
): Check => ({
  name: `account: ${name}`,
  rule,
  needs,
  run: (bench, say) => run(bench, say, counted(bench, say)),
});

/** A limit of some pages above what is locked now; what stood there comes back at scope end. */
function limited(bench: Bench, pages: number): Disposable {
  const { kernel } = bench;
  const before = kernel.prlimit(0, RLIMIT_MEMLOCK);
  if (typeof before === "number") throw new Unprepared("prlimit", answer(before));
  const soft = bench.pages(bench.locked() + pages);
  if (before.hard < soft) throw new Unprepared("prlimit", "the hard limit is lower");
  const set = kernel.prlimit(0, RLIMIT_MEMLOCK, { ...before, soft });
  if (typeof set === "number") throw new Unprepared("prlimit", answer(set));
  return { [Symbol.dispose]: () => void kernel.prlimit(0, RLIMIT_MEMLOCK, before) };
}

/** MAP of pages: the answer. */
function map(bench: Bench, on: RawContainer, first: number, count: number): string {
  const range = { iova: bench.at(first), size: bench.pages(count) };
  return answer(on.map({ argsz: 32, flags: 3, vaddr: bench.places.memory.address, ...range }));
}

const pci: readonly Check[] = [
  check("MAP and UNMAP behind an IOMMU", "account.map", ["container"], (bench, _say, show) => {
    {
      using container = bench.container();
      mapPages(bench, container, 0, 64);
      show("MAP of 64");
      mapPages(bench, container, 64, 16, { flags: 1 });
      show("MAP of 16 to read");
      mapPages(bench, container, 128, 64);
      show("the first 64 at another address");
      unmapPages(bench, container, 0, 64);
      show("UNMAP of the first");
      map(bench, container, 128, 8);
      show("a MAP that was refused");
    }
    show("after close");
  }),
  check("memory that is only half there", "account.map", ["container"], (bench, say, show) => {
    using container = bench.container();
    const { half } = bench.places;
    const request = { argsz: 32, flags: 3, vaddr: half.address, iova: bench.at(0) };
    say("MAP", answer(container.map({ ...request, size: bench.pages(2) })));
    show("after it");
    say("pages mapped", bench.count(container.unmap(all).size));
  }),
  check("a second device behind an IOMMU", "account.map", [
    "container",
    "second",
  ], (bench, _say, show) => {
    using container = bench.container();
    mapPages(bench, container, 0, 16);
    show("one device");
    {
      using _group = container.join(bench.second);
      show("two");
      mapPages(bench, container, 16, 16);
      show("MAP with two");
    }
    show("one again");
  }),
  check("the limit, behind an IOMMU", "map.memlock", [
    "container",
    "memory-limit",
  ], (bench, say, show) => {
    using container = bench.container();
    using _limit = limited(bench, 64);
    say("MAP of 65", map(bench, container, 0, 65));
    show("after it");
    say("MAP of 64", map(bench, container, 0, 64));
    say("one more", map(bench, container, 64, 1));
    say("UNMAP", unmapPages(bench, container, 0, 64));
    say("one again", map(bench, container, 64, 1));
    show("in the end");
  }),
];

const mediated: readonly Check[] = [
  check("MAP and pins with a mediated device", "account.pin", ["mdev"], (bench, _say, show) => {
    using container = bench.container(bench.mdev);
    using pinner = bench.pinner(container.group, bench.mdev);
    mapPages(bench, container, 0, 64);
    show("MAP");
    pinner.pin(bench.at(0), 5);
    show("5 pins");
    pinner.pin(bench.at(0));
    show("one of them again");
    pinner.pin(bench.at(8), 3, { write: false });
    show("3 to read");
    mapPages(bench, container, 128, 64);
    pinner.pin(bench.at(128));
    show("the first page at another address");
    pinner.pin(bench.at(60), 8);
    show("a pin that was refused");
    pinner.write(bench.at(20), new Uint8Array(8));
    show("a write");
    pinner.unpin(bench.at(0), 5);
    show("unpin of 5");
    pinner.unpin(bench.at(0));
    show("unpin of the one again");
    unmapPages(bench, container, 128, 64);
    show("UNMAP of the other address");
    pinner[Symbol.dispose]();
    show("device closed");
  }),
  check("two mediated devices pin the same", "account.pin", [
    "mdev",
    "mdev2",
  ], (bench, _say, show) => {
    using container = bench.container(bench.mdev);
    using pinner = bench.pinner(container.group, bench.mdev);
    using group = container.join(bench.mdev2);
    using other = bench.pinner(group, bench.mdev2);
    mapPages(bench, container, 0, 64);
    pinner.pin(bench.at(7), 2);
    show("by one");
    other.pin(bench.at(7), 2);
    show("by both");
    pinner.unpin(bench.at(7), 2);
    show("by the other");
    other.unpin(bench.at(7), 2);
    show("by none");
  }),
  check("a PCI device joins a mediated one", "account.join", [
    "container",
    "mdev",
  ], (bench, _say, show) => {
    using container = bench.container(bench.mdev);
    using pinner = bench.pinner(container.group, bench.mdev);
    mapPages(bench, container, 0, 256);
    mapPages(bench, container, 1024, 16, { flags: 1 });
    pinner.pin(bench.at(0), 5);
    show("5 pins");
    {
      using _group = container.join(bench.pci);
      show("it joined");
      pinner.pin(bench.at(5), 5);
      show("5 more pins");
      pinner.unpin(bench.at(0), 2);
      show("2 unpinned");
    }
    show("it left");
  }),
  check("a PCI device whose driver pins", "account.pin", [
    "vendor-pci",
  ], (bench, _say, show) => {
    using container = bench.container(bench.vendorPci);
    using pinner = bench.pinner(container.group, bench.vendorPci);
    mapPages(bench, container, 0, 64);
    show("MAP");
    pinner.pin(bench.at(0), 8);
    show("pins");
    pinner.unpin(bench.at(0), 8);
    show("unpinned");
  }),
  check("the limit, with a mediated device", "pin.memlock", [
    "mdev",
    "memory-limit",
  ], (bench, say, show) => {
    using container = bench.container(bench.mdev);
    using pinner = bench.pinner(container.group, bench.mdev);
    using _limit = limited(bench, 4);
    say("MAP of 64", map(bench, container, 0, 64));
    say("4 pins", pinner.pin(bench.at(0), 4));
    say("one of them again", pinner.pin(bench.at(0)));
    say("a fifth", pinner.pin(bench.at(4)));
    show("then");
    say("unpin of one", pinner.unpin(bench.at(1)));
    say("another one", pinner.pin(bench.at(9)));
  }),
  check("a PCI device joins above the limit", "group.memlock", [
    "container",
    "mdev",
    "memory-limit",
  ], (bench, say, show) => {
    using container = bench.container(bench.mdev);
    using group = bench.group(bench.pci);
    using _limit = limited(bench, 16);
    say("MAP of 17", map(bench, container, 0, 17));
    say("SET_CONTAINER", answer(group.join(container.file.fd)));
    show("after it");
    say("UNMAP", unmapPages(bench, container, 0, 17));
    say("MAP of 16", map(bench, container, 0, 16));
    say("SET_CONTAINER again", answer(group.join(container.file.fd)));
    show("in the end");
  }),
];

/** All checks of the file. */
export const accountChecks: readonly Check[] = [...pci, ...mediated];
