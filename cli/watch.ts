/**
 * `pinscope watch`: dirty and pinned pages live.
 *
 * @module
 */

import { delay } from "../lib/base/wait.ts";
import type { Context } from "./context.ts";
import { type Keys, readKeys } from "./keys.ts";
import { LiveRounds } from "./live_rounds.ts";
import { headOf, readRounds, type RoundPlan } from "./measure.ts";
import { checkMetrics, Metrics } from "./metrics.ts";
import type { Output } from "./output.ts";
import { InputError } from "./input.ts";
import { type FromFile, openSession } from "./recording.ts";
import { SaveFile } from "./save_file.ts";
import { UsageError } from "./parse.ts";
import { Screen } from "./screen.ts";
import { openGround } from "./source.ts";
import { WIDTH, wrap } from "./table.ts";
import { leaveIfStuck } from "./stuck.ts";
import { act, newState, rateOf, type WatchState, withRound } from "./watch_state.ts";
import { renderWatch, roundLine } from "./watch_view.ts";

/** Attaches, maps, tracks, and shows each round. */
export async function watch(context: Context): Promise<number> {
  const { out, kernel, parsed } = context;
  const plan = readRounds(parsed, Infinity);
  if (parsed.flags.has("verbose") && out.isTerminal && out.hasErrorTerminal && !out.json) {
    throw new UsageError("--verbose would write over the screen: send it to a file with 2> FILE");
  }
  const sends = checkMetrics(parsed, out);
  if (plan.from !== undefined) return await watchFile(context, plan, plan.from);
  using ground = openGround(out, kernel, plan);
  const { container, tracker } = ground;
  const { source, pageSize } = tracker;
  const head = headOf(context, { devices: plan.devices, source, pageSize });
  const begun = newState(head, { total: plan.rounds });
  const metrics = sends ? new Metrics(plan.devices, source) : undefined;
  using live = new LiveRounds(container, tracker);
  using file = plan.save === undefined
    ? undefined
    : new SaveFile(plan.save, { ...head, mappings: live.mappings }, context.signal);
  const next = async (state: WatchState): Promise<WatchState> => {
    const round = await live.next(context.signal);
    file?.add(round);
    metrics?.record(round);
    return withRound(state, round, live.unpinned);
  };
  try {
    await show(context, plan, begun, next);
    file?.finish("done");
  } catch (error) {
    await leaveIfStuck(error, { out, container, reader: live });
    throw error;
  }
  return 0;
}

async function show(
  context: Context,
  plan: RoundPlan,
  begun: WatchState,
  next: Next,
): Promise<void> {
  const { out } = context;
  if (out.isTerminal && !out.json) await onScreen(context, plan, begun, next);
  else await inLines(context, plan, begun, next);
}

/** Plays a recording: on a screen a round after each interval, in lines all at once. */
async function watchFile(context: Context, plan: RoundPlan, from: FromFile): Promise<number> {
  const session = await openSession(context, from);
  const rounds = Math.min(plan.rounds, session.rounds);
  const isScreen = context.out.isTerminal && !context.out.json;
  const read = session.read();
  try {
    await show(
      context,
      { ...plan, rounds, seconds: isScreen ? plan.seconds : 0 },
      newState(session.head, { from: session.name, total: rounds }),
      async (state) => {
        const { value } = await read.next();
        if (value === undefined) throw new InputError(`${session.name} has become shorter`);
        return withRound(state, value, value.pinned === undefined ? NOT_KEPT : undefined);
      },
    );
  } finally {
    await read.return();
  }
  return 0;
}

const NOT_KEPT = "the recording does not have them";

type Next = (state: WatchState) => Promise<WatchState>;

/** A line, or a JSON object, for each round. */
async function inLines(
  { out, signal }: Context,
  plan: RoundPlan,
  begun: WatchState,
  next: Next,
): Promise<void> {
  let state = begun;
  for (let round = 1; round <= plan.rounds; round += 1) {
    await delay(plan.seconds * 1000, signal);
    state = await next(state);
    out.record("sample", fieldsOf(state));
    out.line(roundLine(state));
    if (round === 1 && state.unpinned !== undefined && !out.json) {
      out.hint(`pinned pages cannot be told apart: ${state.unpinned}`);
    }
    out.flush();
  }
}

function fieldsOf({ round, change }: WatchState): Parameters<Output["record"]>[1] {
  if (round === undefined) return {};
  const { account, dirty, pinned, mappings } = round;
  const counts = dirty.countEach(mappings);
  const pins = pinned?.countEach(mappings);
  return {
    round: round.round,
    elapsed: round.elapsed,
    pages: dirty.count,
    pinned: pinned?.count ?? null,
    ...change,
    rate: rateOf(round),
    readTime: round.readTime,
    labels: [...round.labels],
    locked: account === undefined ? null : Number(account.locked),
    limit: account?.limit === undefined ? null : Number(account.limit),
    dmaAvailable: account?.dmaAvailable ?? null,
    mappings: mappings.map(({ iova, size }, i) => ({
      iova,
      size,
      pages: counts[i] ?? 0,
      pinned: pins?.[i] ?? null,
    })),
  };
}

/** Paints each round, and does what keys ask for; the last round is left as a line at the end. */
async function onScreen(
  { out, stdin, signal, parsed }: Context,
  plan: RoundPlan,
  begun: WatchState,
  next: Next,
): Promise<void> {
  const look = { color: out.hasColor, ascii: parsed.flags.has("ascii") };
  // At the end of a recording somebody may still want to look around.
  const stays = plan.from !== undefined && stdin.isTerminal?.() === true;
  let state = begun;
  {
    using keys: Keys = readKeys(stdin);
    using screen = new Screen(out, stdin, () => keys.wake());
    let due = performance.now() + plan.seconds * 1000;
    let hasQuit = false;
    for (let left = plan.rounds; !hasQuit && (left > 0 || stays);) {
      screen.show(renderWatch(state, out.terminalSize, look));
      let steps = 0;
      const actions = keys.take();
      for (const action of actions) {
        if (action === "quit") hasQuit = true;
        if (action === "step") steps += 1;
        state = act(state, action);
      }
      if (hasQuit) break;
      if (actions.length > 0 && (steps === 0 || left === 0)) continue;
      if (left === 0) {
        await keys.wait(undefined, signal);
        continue;
      }
      const isDue = !state.isPaused && performance.now() >= due;
      if (steps > 0 || isDue) {
        for (let i = 0; i < Math.max(1, steps) && left > 0; i += 1, left -= 1) {
          state = await next(state);
        }
        due = performance.now() + plan.seconds * 1000;
        if (left > 0) await delay(0, signal);
        continue;
      }
      await keys.wait(state.isPaused ? undefined : due - performance.now(), signal);
    }
    if (state.round !== undefined) screen.show(renderWatch(state, out.terminalSize, look));
  }
  out.lines(wrap(roundLine(state), "  ", Math.min(WIDTH, out.terminalSize.columns - 1)));
}
