/** A script that lists pinned pages, and what each operation cost. */
export const PINS = `
try {
  using container = Container.open({ kernel });
  const ledger = container.keepLedger(); // from now on: what each operation should cost, and did
  using group = container.attach(name);
  using _device = group.device(); // a mediated device's driver begins to work when it is opened
  using memory = container.allocate(16n << 20n);
  using _mapping = container.map(memory);

  // No request lists pinned pages: they are read off the dirty bitmap, unless all of it is dirty.
  const pinned = container.pinned();
  if (pinned.known) {
    for (const run of pinned.pages.runs()) console.log("pinned", run.pages, "at", hex(run.iova));
    console.log("but", pinned.caveat);
  } else console.log("pinned pages cannot be told here:", pinned.reason);

  // VmLck against its limit; CAP_IPC_LOCK, as root has it, lifts the limit.
  const { locked, limit, room } = container.pins();
  console.log("VmLck", formatSize(locked), "of", limit.soft ? formatSize(limit.soft) : "no limit");
  console.log("room for", room === undefined ? "any amount" : formatSize(room));
  for (const { kind, subject, charged } of ledger.entries) {
    console.log(kind, subject, "cost", formatSize(charged.locked));
  }
} catch (error) {`;
