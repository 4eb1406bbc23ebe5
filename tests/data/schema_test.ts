/** docs/schema.json against what the commands really print. */
import { DEFAULT_MDEV } from "../../lib/model/mod.ts";
import { run } from "../cli/capture.ts";
import { equal, ok } from "../std/assert.ts";
import { describe, it, skip } from "../std/testing.ts";
import { type Ajv, loadAjv } from "./packages.ts";

const PCI = "0000:00:10.0";
const MAP = ["--map", "1M:1M", "--interval", "0", "--count", "2"];
const URL_OF_SCHEMA = new URL("../../docs/schema.json", import.meta.url);

interface Schema {
  readonly $defs: Record<string, {
    oneOf?: { properties: { type: { const: string } } }[];
  }>;
}

const loaded = await loadAjv();

const schema = JSON.parse(Deno.readTextFileSync(URL_OF_SCHEMA)) as Schema & object;

/** Every line of every command, checked; gives the types that were seen by command. */
async function seen(ajv: Ajv, path: string): Promise<Map<string, Set<string>>> {
  const types = new Map<string, Set<string>>();
  const one = async (command: string, ...args: string[]): Promise<void> => {
    const { out, err } = await run([command, ...args, "--json"]);
    const check = ajv.getSchema(`schema#/$defs/${command}`);
    ok(out.length > 0, `${command} ${args.join(" ")} printed nothing: ${err}`);
    for (const line of out.trimEnd().split("\n")) {
      const value = JSON.parse(line) as { type: string };
      const why = (): string => `${command}: ${line}\n${JSON.stringify(check.errors)}`;
      ok(check(value), why());
      // A line with a member that no schema knows is none of them.
      equal(check({ ...value, type: "other" }), false);
      types.set(command, (types.get(command) ?? new Set()).add(value.type));
    }
  };
  for (const device of [PCI, DEFAULT_MDEV]) {
    await one("dirty", device, ...MAP, "--model", "--save", path);
    await one("watch", device, ...MAP, "--model");
    await one("pins", device, ...MAP, "--model");
    await one("converge", device, ...MAP, "--model", "--interval", "0.001");
    await one("info", device, "--model");
  }
  await one("info", "--model");
  await one("pins", "--model");
  await one("quirks", "--model");
  await one("pins", "--model", "--watch", "--count", "1", "--interval", "0");
  await one("diff", path, path);
  Deno.writeFileSync(path, Deno.readFileSync(path).subarray(0, -1));
  for (const command of ["dirty", "watch"]) await one(command, "--from", path);
  await one("converge", "--from", path);
  await one("diff", path, path);
  return types;
}

describe("docs/schema.json", () => {
  it("has the lines of each command under its name", () => {
    for (const command of ["dirty", "watch", "pins", "info", "diff", "converge"]) {
      ok((schema.$defs[command]?.oneOf?.length ?? 0) > 1, command);
    }
  });

  if (typeof loaded === "string") skip("is what the commands print", loaded);
  else {
    it("is what the commands print", async () => {
      const ajv = loaded();
      ajv.addSchema(schema, "schema");
      const path = Deno.makeTempFileSync();
      try {
        const types = await seen(ajv, path);
        for (const [command, { oneOf = [] }] of Object.entries(schema.$defs)) {
          const wanted = new Set(oneOf.map(({ properties }) => properties.type.const));
          const found = types.get(command) ?? new Set();
          equal([...wanted].filter((type) => !found.has(type)), [], `${command}: never seen`);
        }
      } finally {
        Deno.removeSync(path);
      }
    });
  }
});
