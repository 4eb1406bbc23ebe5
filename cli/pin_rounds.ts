/**
 * `pinscope pins DEVICE...`: what attaching, mapping and pinning do to the accounts, round by round.
 *
 * @module
 */

import { type Container, formatSize, type PinHistory, type PinRound, VfioError } from "../mod.ts";
import { delay } from "../lib/base/wait.ts";
import { showLedger, signed } from "./ledger.ts";
import { checkMemory } from "./host_memory.ts";
import { attachAll, mapAll, readMaps } from "./maps.ts";
import type { Output } from "./output.ts";
import type { Context } from "./context.ts";
import { orLeave } from "./stuck.ts";
import { counted, wrap } from "./table.ts";
import { checkDevice } from "./values.ts";

/** How often, and how long. */
export interface Rounds {
  readonly seconds: number;
  readonly rounds: number;
}

/** Follows the accounts of devices. */
export async function pinRounds(
  { out, kernel, parsed, signal }: Context,
  { seconds, rounds }: Rounds,
): Promise<number> {
  for (const device of parsed.positional) checkDevice(device);
  const maps = readMaps(parsed.lists.get("map"));
  using container = attachAll(kernel, []);
  const ledger = container.keepLedger();
  for (const device of parsed.positional) container.attach(device);
  using devices = new DisposableStack();
  for (const group of container.groups) {
    for (const { name } of group.devices) {
      if (parsed.positional.some((given) => given.toLowerCase() === name)) {
        devices.use(group.device(name));
      }
    }
  }
  if (!parsed.flags.has("overcommit")) checkMemory(kernel, container, maps);
  using _mapped = mapAll(out, container, maps);
  showLedger(out, ledger.entries);
  using stack = new DisposableStack();
  const history = await follow(out, stack, container, signal);
  let before = container.pins();
  for (let round = 1; round <= rounds; round += 1) {
    out.flush();
    await delay(seconds * 1000, signal);
    const pins = container.pins();
    const account = { locked: pins.locked, change: pins.since(before).locked };
    const read = history?.nextAsync({ signal }) ?? Promise.resolve(undefined);
    showRound(out, round, account, await orLeave(read, signal, { out, container }));
    before = pins;
  }
  return 0;
}

/** The history of pins; undefined, with the reason, where pins cannot be told from the rest. */
async function follow(
  out: Output,
  stack: DisposableStack,
  container: Container,
  signal: AbortSignal,
): Promise<PinHistory | undefined> {
  const begun = container.pinHistoryAsync({ signal });
  try {
    return stack.use(await orLeave(begun, signal, { out, container }));
  } catch (error) {
    if (!(error instanceof VfioError) || error.code !== "EOPNOTSUPP") throw error;
    out.hint(`pinned pages cannot be told apart: ${error.hint}`);
    return undefined;
  }
}

function showRound(
  out: Output,
  round: number,
  account: { readonly locked: bigint; readonly change: bigint },
  pins: PinRound | undefined,
): void {
  out.record("round", {
    round,
    locked: Number(account.locked),
    change: Number(account.change),
    pinned: pins?.pinned.count ?? null,
    fresh: pins?.fresh.count ?? null,
    released: pins?.released.count ?? null,
    once: pins?.once.count ?? null,
  });
  const locked = `VmLck ${formatSize(account.locked)} (${signed(account.change)})`;
  const told = pins === undefined
    ? ""
    : `; ${counted(pins.pinned.count, "page")} pinned, ${pins.fresh.count} new, ` +
      `${pins.released.count} released, ${pins.once.count} once`;
  out.lines(wrap(`round ${round}: ${locked}${told}`, "  "));
}
