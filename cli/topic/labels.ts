import type { Topic } from "../topics.ts";

/** What `pinscope help labels` says. */
export const LABELS: Topic = {
  name: "labels",
  about: "what dirty means: all-mapped, pinned-scope, written",
  commands: ["dirty", "watch", "heat", "report", "converge"],
  text: `A bit of the dirty bitmap means another thing on each source, so everything
that is shown has a label:

all-mapped    every mapped page, by rule. Nothing is known about writes: the
              kernel does not see what the device does. The same every round.
pinned-scope  pages that a driver has or had pinned since the last read, or
              that it wrote for its device: maybe written. No other page was.
written       pages that the device wrote, as its own log or the page table of
              the IOMMU has them. The only exact one.
unknown       all-mapped or pinned-scope, and nothing tells which.
incomplete    every mapped page, after an error that may have lost bits.

Type1 gives all-mapped as soon as one group in the container makes it so:
pinscope help scope-rule. For an exact answer, a source has to know what is
written:
  pinscope info DEVICE                 whether the device keeps a log
  pinscope dirty DEVICE --source log   and what it says`,
};
