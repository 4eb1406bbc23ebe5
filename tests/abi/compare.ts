/** Compares our tables with what headers say. */
import { evaluate, macros, type Target } from "./compiler.ts";
import { declarations } from "./headers.ts";
import { constants, type Fact, type Form, forms } from "./tables.ts";

/** What a comparison found. */
export interface Comparison {
  /** Numbers compared: values, sizes, alignments, offsets, signs. */
  readonly compared: number;
  /** Each difference in words; must be empty. */
  readonly differences: readonly string[];
  /** What our tables have and the headers do not: names, and structs that the headers have shorter. */
  readonly lacking: readonly string[];
  /** Older forms of structs that these headers have in the newer form. */
  readonly superseded: readonly string[];
  /** What the headers have and our tables do not. */
  readonly unlisted: readonly string[];
  /** The numbers of the headers by key, of everything that was compared. */
  readonly numbers: ReadonlyMap<string, readonly number[]>;
}

/** Counts that grow with what they count: they are compared only where the last one is known. */
const COUNTS: Readonly<Record<string, string>> = {
  VFIO_AP_NUM_IRQS: "VFIO_AP_CFG_CHG_IRQ_INDEX",
  VFIO_DEVICE_STATE_NR: "VFIO_DEVICE_STATE_PRE_COPY_P2P",
};

/**
 * Names in the headers that our tables leave out on purpose: enumerators that the request numbers
 * are made from, and the old name of a reserved number.
 */
const LEFT_OUT = [/^IOMMUFD_CMD_(?!BASE$)/, /^VFIO_TYPE1_NESTING_IOMMU$/];

/** Compares all tables with the headers of a target. */
export async function compare(target: Target): Promise<Comparison> {
  const facts = [...constants, ...forms.flatMap(({ self, members }) => [self, ...members])];
  const known = await evaluate(target, facts);
  const chosen = chooseFacts(known);
  const differences: string[] = [];
  const numbers = new Map<string, readonly number[]>();
  for (const { key, values } of chosen.facts) {
    const real = known.get(key) ?? [];
    numbers.set(key, real);
    if (values.join() !== real.join()) {
      differences.push(`${key}: our table says ${values.join(" ")}, the headers ${real.join(" ")}`);
    }
  }
  const compared = chosen.facts.reduce((sum, { values }) => sum + values.length, 0);
  const { lacking, superseded } = chosen;
  const unlisted = await unlistedNames(target);
  return { compared, differences, lacking, superseded, unlisted, numbers };
}

interface Choice {
  readonly facts: Fact[];
  readonly lacking: string[];
  readonly superseded: string[];
}

/** Which facts can be held against the headers that know `known`. */
function chooseFacts(known: ReadonlyMap<string, readonly number[]>): Choice {
  const choice: Choice = { facts: [], lacking: [], superseded: [] };
  for (const fact of constants) {
    const last = COUNTS[fact.key];
    if (!known.has(fact.key) || (last !== undefined && !known.has(last))) {
      choice.lacking.push(fact.key);
    } else choice.facts.push(fact);
  }
  for (const form of forms) chooseForm(form, known, choice);
  return choice;
}

function chooseForm(
  form: Form,
  known: ReadonlyMap<string, readonly number[]>,
  choice: Choice,
): void {
  if (!known.has(form.self.key)) {
    choice.lacking.push(`struct ${form.name}`);
    return;
  }
  const missing = form.members.filter(({ key }) => !known.has(key));
  if (isOlderInHeaders(form, known) !== form.older && hasOlder(form)) {
    if (form.older) choice.superseded.push(`struct ${form.name}`);
    else choice.lacking.push(...missing.map(({ key }) => key));
    return;
  }
  if (missing.length === 0) {
    choice.facts.push(form.self, ...form.members);
    return;
  }
  choice.lacking.push(...missing.map(({ key }) => key));
  // Padding that got a name later moves nothing, but older headers may end before it.
  choice.facts.push(...form.members.filter(({ key }) => known.has(key)));
}

const hasOlder = (form: Form): boolean => forms.some(({ tag, older }) => tag === form.tag && older);

/** The header has one struct of a tag: it is the older form if it has none of the newer members. */
function isOlderInHeaders(form: Form, known: ReadonlyMap<string, readonly number[]>): boolean {
  const same = forms.filter(({ tag }) => tag === form.tag);
  const old = same.find(({ older }) => older)?.memberNames ?? [];
  const added = same.flatMap((one) => one.memberNames).filter((name) => !old.includes(name));
  return !added.some((name) => known.has(`${form.tag}.${name}`));
}

async function unlistedNames(target: Target): Promise<string[]> {
  const { structs, members, enumerators } = await declarations(target.headers);
  const ours = new Set(constants.map(({ key }) => key));
  const tags = new Set(forms.map(({ tag }) => tag));
  const ourMembers = new Set(forms.flatMap((form) => form.members.map(({ key }) => key)));
  const names = [...await macros(target), ...enumerators].filter((name) => !ours.has(name));
  return [
    ...new Set(names.filter((name) => !LEFT_OUT.some((pattern) => pattern.test(name)))),
    ...structs.filter((tag) => !tags.has(tag)).map((tag) => `struct ${tag}`),
    ...members.filter((name) => tags.has(name.split(".")[0] ?? "") && !ourMembers.has(name)),
  ].sort();
}
