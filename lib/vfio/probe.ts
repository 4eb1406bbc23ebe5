import type { DirtyWindow } from "../dirty/window.ts";
import type { Container } from "./container.ts";
import type { ScopeReport } from "./scope.ts";
import { coreOf } from "../track/tracker.ts";

/**
 * Maps a page that no driver can know of, reads whether it is dirty, and unmaps it. A group that makes
 * every mapped page dirty makes this one dirty too; a clean page proves that none does.
 *
 * Nothing else is read, so a tracker that is on loses nothing.
 */
export function probeScope(container: Container): ScopeReport {
  using memory = container.allocate(container.pageSize);
  using mapping = container.map(memory, { access: "r" });
  using stack = new DisposableStack();
  const tracker = container.tracker ?? stack.use(container.trackDirty());
  return reportOf(container, coreOf(tracker).look(mapping));
}

/** The same, the page being read on a thread of its own. */
export async function probeScopeAside(container: Container): Promise<ScopeReport> {
  using memory = container.allocate(container.pageSize);
  using mapping = container.map(memory, { access: "r" });
  using stack = new DisposableStack();
  const tracker = container.tracker ?? stack.use(container.trackDirty());
  return reportOf(container, await coreOf(tracker).lookAside(mapping));
}

/** What a read of the page shows. That it is clean was learned with the read. */
function reportOf(container: Container, { count }: DirtyWindow): ScopeReport {
  const isDirty = count > 0;
  const report = container.scope();
  if (!isDirty) return report;
  const open = report.groups.filter(({ effect }) => effect === "until-pin");
  const names = open.map(({ group }) => group).join(", ");
  return {
    ...report,
    label: "all-mapped",
    basis: "evidence",
    reason: "a page that no driver knows of was dirty a moment ago, so every mapped page was: " +
      (open.length === 1
        ? `the driver of group ${names} had not pinned by then`
        : `of groups ${names} the driver of one at least had not pinned by then`),
  };
}
