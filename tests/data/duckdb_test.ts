/** JSON lines of many hosts and hours, read as they are by an engine that knows nothing of them. */
import { DEFAULT_MDEV } from "../../lib/model/mod.ts";
import { records, run } from "../cli/capture.ts";
import { equal, ok } from "../std/assert.ts";
import { describe, it, skip } from "../std/testing.ts";
import { type DuckDb, loadDuckDb } from "./packages.ts";

const PCI = "0000:00:10.0";
const HOSTS = 50;
const HOURS = 48;
const MAP = ["--map", "1M:1M", "--interval", "0", "--count", "2", "--source", "type1", "--model"];

const DOCS = new URL("../../docs/data.md", import.meta.url);

const loaded = await loadDuckDb();

interface Fleet {
  readonly db: DuckDb;
  readonly folder: string;
  /** What DuckDB reads. */
  readonly files: string;
  /** The lines of a file of an even host, and of an odd one. */
  readonly lines: readonly (readonly Record<string, unknown>[])[];
}

/** Files of two kinds of hosts, as `HOST/HOUR.jsonl`. */
async function withFleet(
  open: () => Promise<DuckDb>,
  body: (fleet: Fleet) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    const texts: string[] = [];
    for (const device of [PCI, DEFAULT_MDEV]) {
      texts.push((await run(["dirty", device, ...MAP, "--json"])).out);
    }
    for (let host = 0; host < HOSTS; host += 1) {
      Deno.mkdirSync(`${folder}/host${host}`);
      for (let hour = 0; hour < HOURS; hour += 1) {
        Deno.writeTextFileSync(`${folder}/host${host}/${hour}.jsonl`, texts[host % 2]!);
      }
    }
    const db = await open();
    try {
      const files = `read_json('${folder}/*/*.jsonl', filename = true)`;
      await body({ db, folder, files, lines: texts.map(records) });
    } finally {
      db.closeSync();
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

describe("DuckDB", () => {
  const name = `reads ${HOSTS * HOURS} files of ${HOSTS} hosts as they are`;
  if (typeof loaded === "string") skip(name, loaded);
  else {
    it(name, async () => {
      await withFleet(loaded, async ({ db, folder, files, lines }) => {
        const rows = async (sql: string): Promise<unknown[][]> =>
          (await db.runAndReadAll(sql)).getRowsJson().map((row) => row.map(String));
        const each = lines.reduce((sum, list) => sum + list.length, 0);
        equal(await rows(`SELECT count(*), count(DISTINCT filename) FROM ${files}`), [
          [`${each * HOSTS * HOURS / 2}`, `${HOSTS * HOURS}`],
        ]);
        const pages = lines.map((list) =>
          list.filter(({ type }) => type === "round")
            .reduce((sum, { pages }) => sum + Number(pages), 0) * HOURS
        );
        ok(pages[0]! > pages[1]! && pages[1]! > 0, `${pages}`);
        const [, sql = ""] = /^```sql\n(.*?)^```$/ms.exec(Deno.readTextFileSync(DOCS)) ?? [];
        ok(sql.includes("'fleet/"), "the query of the documentation");
        const perHost = await rows(sql.replace("'fleet/", `'${folder}/`));
        equal(
          perHost,
          Array.from({ length: HOSTS }, (_, i) => [`host${i}`, `${pages[i % 2]}`]).sort((a, b) =>
            a[0]! < b[0]! ? -1 : 1
          ),
        );
        // Addresses and sizes are numbers after a cast; labels are lists.
        const runs = lines.flat().filter(({ type }) => type === "run");
        const bytes = runs.reduce((sum, { size }) => sum + BigInt(`${size}`), 0n);
        const lowest = runs.map(({ iova }) => BigInt(`${iova}`)).sort((a, b) => a < b ? -1 : 1)[0];
        equal(
          await rows(
            `SELECT sum(size::UBIGINT), min(iova::UBIGINT) FROM ${files} WHERE type = 'run'`,
          ),
          [[`${bytes * BigInt(HOSTS * HOURS / 2)}`, `${lowest}`]],
        );
        equal(
          await rows(
            `SELECT DISTINCT unnest(labels) AS label FROM ${files} WHERE type = 'round' ORDER BY 1`,
          ),
          [["all-mapped"], ["pinned-scope"]],
        );
      });
    });
  }
});
