/** A script that lists dirty pages, round by round. */
export const DIRTY = `
try {
  using container = Container.open({ kernel });
  using group = container.attach(name);
  using _device = group.device(); // a mediated device's driver begins to work when it is opened
  using memory = container.allocate(16n << 20n);
  using _mapping = container.map(memory, { iova: 0x1_0000_0000n });
  using tracker = container.trackDirty(); // START now, STOP at the end of the block

  // Reading clears: each round has what became dirty, or still is, since the round before.
  for await (const round of tracker.rounds({ interval: model ? 0 : 1000, count: 3 })) {
    console.log("round", round.round, "has", round.pages, "dirty pages, new:", round.fresh);
  }

  // One round more, run by run. The label says what a page being dirty means: all-mapped is every
  // mapped page, by rule; pinned-scope what a driver pinned or wrote; written what the device wrote.
  for (const run of tracker.runs()) console.log(hex(run.iova), run.pages, "pages", run.label);
} catch (error) {`;
