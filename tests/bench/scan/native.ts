/** The native side of the scan rows: `scan.c` in a process of its own, given the same bytes. */
export class Native implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #folder: string;
  #text = "";

  private constructor(folder: string, program: string) {
    this.#folder = folder;
    this.#child = new Deno.Command(program, { stdin: "piped", stdout: "piped" }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Compiles it for this very processor; undefined where there is no compiler. */
  static async start(): Promise<Native | undefined> {
    const source = new URL("./scan.c", import.meta.url).pathname;
    const folder = await Deno.makeTempDir();
    const program = `${folder}/scan`;
    try {
      const { success, stderr } = await new Deno.Command("cc", {
        args: ["-O3", "-march=native", "-Wall", "-Werror", "-o", program, source],
      }).output();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
      return new Native(folder, program);
    } catch (error) {
      await Deno.remove(folder, { recursive: true });
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
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
    await this.#writer.close();
    await this.#child.status;
    await Deno.remove(this.#folder, { recursive: true });
  }
}
