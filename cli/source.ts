/**
 * Where a command reads dirty pages: from type1, or from the log that a device keeps itself.
 *
 * @module
 */

import { type Container, type DirtyTracker, VfioError } from "../mod.ts";
import type { Output } from "./output.ts";
import { UsageError } from "./parse.ts";
import { meantWord } from "./values.ts";

/** The sources by their names, the most exact one first. */
export const SOURCES = ["log", "type1"] as const;

/** A name of {@link SOURCES}. */
export type SourceName = typeof SOURCES[number];

/** A tracker with what has to be open for it. */
export interface Tracking extends Disposable {
  readonly tracker: DirtyTracker;
}

/** Reads --source; undefined, if it was not given. */
export function readSource(text: string | undefined): SourceName | undefined {
  if (text === undefined) return undefined;
  const found = SOURCES.find((name) => name === text);
  if (found !== undefined) return found;
  throw new UsageError(
    `--source takes ${SOURCES.join(" or ")}; got ${JSON.stringify(text)}${
      meantWord(text, SOURCES)
    }`,
  );
}

/**
 * Begins to track, with the source that was asked for; else with the most exact one that works, and
 * says why the other does not.
 *
 * @throws {UsageError} If a log is asked for, and there is not one device.
 */
export function track(out: Output, container: Container, wanted?: SourceName): Tracking {
  using stack = new DisposableStack();
  const found = wanted === "type1" ? undefined : tryLog(container, wanted === "log");
  const tracking = stack.use(
    found !== undefined && "tracker" in found ? found : type1(container),
  );
  const { source, pageSize } = tracking.tracker;
  out.record("source", { source, pageSize });
  if (!out.json && found !== undefined) {
    out.hint(
      "why" in found
        ? `source ${source}; --source log would not do: ${found.why}`
        : `source ${source}: ${found.text}`,
    );
  }
  stack.move();
  return tracking;
}

function type1(container: Container): Tracking {
  const tracker = container.trackDirty();
  return { tracker, [Symbol.dispose]: () => tracker[Symbol.dispose]() };
}

/** The log of the only device, or why there is none; what a script has asked for fails with it. */
function tryLog(
  container: Container,
  mustWork: boolean,
): (Tracking & { readonly text: string }) | { readonly why: string } {
  const [group, ...more] = container.groups;
  if (group === undefined || more.length > 0 || group.devices.length !== 1) {
    const why = "a log is that of one device, and there are several";
    if (mustWork) throw new UsageError(`--source log takes one device, alone in its group: ${why}`);
    return { why };
  }
  using stack = new DisposableStack();
  try {
    const device = stack.use(group.device());
    const support = device.dmaLogSupport();
    if (!support.works && !mustWork) return { why: support.text };
    const log = stack.use(device.logDma({ ranges: container.mappings }));
    const owned = stack.move();
    return { tracker: log.tracker, text: `${log}`, [Symbol.dispose]: () => owned.dispose() };
  } catch (error) {
    if (mustWork || !(error instanceof VfioError)) throw error;
    return { why: error.message };
  }
}
