/** A container whose driver pins, and what it reads: what the checks of dirty scope share. */

import type { Bench } from "../bench.ts";
import type { Check, Need, Say } from "../check.ts";
import type { Member, RawContainer } from "../container.ts";
import type { Pinner } from "../pinner.ts";
import { mapPages, readWords } from "./request.ts";

/** 64 pages are mapped; tracking is off. */
export interface Scene {
  readonly bench: Bench;
  readonly container: RawContainer;
  /** The device that pins. */
  readonly pinner: Pinner;
  /** Says which of the 64 pages are dirty, as one word. */
  readonly read: (step: string) => void;
  readonly say: Say;
}

/** Which device is first, and what else there must be. */
export interface Setting {
  readonly device?: (bench: Bench) => Member;
  readonly needs?: readonly Need[];
}

/** A byte to write. */
export const ONE = Uint8Array.of(1);

/** A check on such a scene. */
export function flow(
  name: string,
  rule: string,
  setting: Setting,
  body: (scene: Scene) => void,
): Check {
  const { device = (bench: Bench) => bench.mdev, needs = ["mdev"] } = setting;
  return {
    name: `scope: ${name}`,
    rule,
    needs,
    run: (bench, say) => {
      const member = device(bench);
      using container = bench.container(member);
      mapPages(bench, container, 0, 64);
      using pinner = bench.pinner(container.group, member);
      const read = (step: string): void => say(step, readWords(bench, container, 0, 64));
      body({ bench, container, pinner, read, say });
    },
  };
}
