const FOLDER = new URL("../../lib/dirty/wasm/", import.meta.url);

/**
 * The SHA-256 of the kernels' sources. It stands in the generated module, so that a test without the
 * compiler sees a source that was changed and not built.
 */
export async function sourceHash(): Promise<string> {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();
  const text = names.map((name) => `${name}\n${Deno.readTextFileSync(new URL(name, FOLDER))}\n`);
  const bytes = new TextEncoder().encode(text.join(""));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
