/**
 * How long a differential test is, and with which seed it draws: a small fixed one, or what the
 * environment says. The lab hands both variables on to its guest.
 *
 * @module
 */

/** Drawn with by default, so that a run can be repeated. */
const SEED = 20_241_117;

function whole(name: string, otherwise: number): number {
  const text = Deno.env.get(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 0x7fff_ffff) {
    throw new RangeError(`${name} is a whole number from 1 to ${0x7fff_ffff}; got ${text}`);
  }
  return value;
}

/** PINSCOPE_SEED and PINSCOPE_STEPS, or the defaults. */
export function settings(steps: number): { readonly seed: number; readonly steps: number } {
  return { seed: whole("PINSCOPE_SEED", SEED), steps: whole("PINSCOPE_STEPS", steps) };
}
