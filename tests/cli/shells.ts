/** Asks real shells what they complete. */

/** The command line `pinscope` without the right to ask the host, for shells to call. */
async function program(folder: string): Promise<void> {
  const entry = new URL("../../cli/main.ts", import.meta.url).pathname;
  const call = `"${Deno.execPath()}" run --quiet --cached-only --no-prompt "${entry}"`;
  await Deno.writeTextFile(`${folder}/pinscope`, `#!/bin/sh\nexec ${call} "$@"\n`, {
    mode: 0o755,
  });
}

/** Whether a shell is installed. */
export function hasShell(name: string): boolean {
  try {
    return new Deno.Command(name, { args: ["-c", ":"] }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A shell with a script that it can source as `script`, and a folder of its own. */
export class Shell implements AsyncDisposable {
  private constructor(readonly name: string, readonly folder: string) {}

  /** Puts the completion script where the shell finds it. */
  static async make(name: string, script: string): Promise<Shell> {
    const folder = await Deno.makeTempDir({ prefix: "shell-" });
    await program(folder);
    await Deno.writeTextFile(`${folder}/script`, script);
    await Deno.writeTextFile(`${folder}/one.psr`, "");
    return new Shell(name, folder);
  }

  /** Runs a text in the shell, in its folder, and gives what it prints. */
  async run(flags: readonly string[], text: string): Promise<string> {
    const { code, stdout, stderr } = await new Deno.Command(this.name, {
      args: [...flags, "-c", text],
      cwd: this.folder,
      env: {
        PATH: `${this.folder}:${Deno.env.get("PATH")}`,
        HOME: this.folder,
        XDG_CONFIG_HOME: this.folder,
        XDG_DATA_HOME: this.folder,
        NO_COLOR: "1",
        TERM: "dumb",
      },
      stdin: "null",
      signal: AbortSignal.timeout(60_000),
    }).output();
    const error = new TextDecoder().decode(stderr);
    if (code !== 0 || error !== "") throw new Error(`${this.name} ended with ${code}: ${error}`);
    return new TextDecoder().decode(stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** A text as one word of a shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
