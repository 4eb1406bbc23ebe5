const here = (name: string): string => new URL(name, import.meta.url).pathname;

async function compile(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("cc", {
    args: ["-O3", "-march=native", "-Wall", "-Werror", ...args],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Another side of the scan rows, in a process of its own, given the same bytes: C, or numpy. */
export class Native implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #folder: string | undefined;
  #text = "";

  private constructor(program: string, args: readonly string[], folder?: string) {
    this.#folder = folder;
    const pipes = { stdin: "piped", stdout: "piped" } as const;
    this.#child = new Deno.Command(program, { args: [...args], ...pipes }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Compiles C for this very processor; undefined where there is no compiler. */
  static async start(): Promise<Native | undefined> {
    const folder = await Deno.makeTempDir();
    const program = `${folder}/scan`;
    try {
      const vectors = here("scan_simd.c");
      const names = (name: string): string[] => [`-DRUNS=runs_${name}`, `-DLEVEL_OF=${name}_level`];
      const [simd, bytes] = [`${folder}/simd.o`, `${folder}/bytes.o`];
      await compile("-c", "-mno-avx512vbmi2", ...names("simd"), "-o", simd, vectors);
      await compile("-c", ...names("bytes"), "-o", bytes, vectors);
      await compile("-o", program, here("scan.c"), simd, bytes);
      return new Native(program, [], folder);
    } catch (error) {
      await Deno.remove(folder, { recursive: true });
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Starts numpy; undefined where it, or Python, is not installed. */
  static async numpy(): Promise<Native | undefined> {
    let numpy: Native;
    try {
      numpy = new Native("python3", [here("numpy_runs.py")]);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
    try {
      await numpy.run("hello", 0);
      return numpy;
    } catch {
      await numpy[Symbol.asyncDispose]();
      return undefined;
    }
  }

  /** Gives it a bitmap. */
  async load(slot: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(`load ${slot} ${bytes.length}\n`));
    for (let at = 0; at < bytes.length; at += 1 << 20) {
      await this.#writer.write(bytes.slice(at, at + (1 << 20)));
    }
    await this.#answer();
  }

  /** Runs one function once: milliseconds, and its result. */
  async run(what: string, slot: number, other = 0): Promise<[number, bigint]> {
    await this.#writer.write(new TextEncoder().encode(`${what} ${slot} ${other}\n`));
    const [ns = "", result = ""] = (await this.#answer()).split(" ");
    return [Number(ns) / 1e6, BigInt(result)];
  }

  async #answer(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      const { value, done } = await this.#reader.read();
      if (done) throw new Error(`The native side has ended: ${(await this.#child.status).code}`);
      this.#text += value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // One that has ended by itself has closed its input.
    await this.#writer.close().catch(() => {});
    await this.#child.status;
    await this.#reader.cancel();
    if (this.#folder !== undefined) await Deno.remove(this.#folder, { recursive: true });
  }
}
