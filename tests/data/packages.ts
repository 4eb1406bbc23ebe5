/**
 * The one module that reaches the packages that the tests of data are done with: ajv, which checks
 * JSON against a schema, and DuckDB, which reads JSON lines. Where one is not in Deno's cache, a
 * text says so, and what enables it.
 *
 * @module
 */

// Here and not in deno.json, for the same reason as in tests/differential/fast_check.ts.
export const AJV = "npm:ajv@8.20.0";
export const DUCKDB = "npm:@duckdb/node-api@1.5.4-r.1";

const MISSING =
  "is not in Deno's cache: deno run -A tests/data/fetch.ts fetches it, with a network";

/** The part of ajv that is used here. */
export interface Ajv {
  addSchema(schema: object, key: string): unknown;
  getSchema(ref: string): ((value: unknown) => boolean) & { errors?: unknown };
}

/** The part of DuckDB that is used here. */
export interface DuckDb {
  runAndReadAll(sql: string): Promise<{ getRowsJson(): unknown[][] }>;
  closeSync(): void;
}

/** Makes a validator for JSON Schema 2020-12; a text where that is not possible. */
export async function loadAjv(): Promise<(() => Ajv) | string> {
  try {
    const { Ajv2020 } = await import(`${AJV}/dist/2020.js`) as {
      Ajv2020: new (options: object) => Ajv;
    };
    return () => new Ajv2020({ strict: true, strictTypes: false, allErrors: true });
  } catch {
    return `ajv ${MISSING}`;
  }
}

/** Opens databases in memory; a text where that is not possible. */
export async function loadDuckDb(): Promise<(() => Promise<DuckDb>) | string> {
  try {
    const { DuckDBInstance } = await import(DUCKDB) as {
      DuckDBInstance: { create(path: string): Promise<{ connect(): Promise<DuckDb> }> };
    };
    return async () => await (await DuckDBInstance.create(":memory:")).connect();
  } catch {
    return `DuckDB ${MISSING}`;
  }
}
