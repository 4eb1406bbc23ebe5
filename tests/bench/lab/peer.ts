import type { Extent } from "../../../mod.ts";
import type { Parts } from "./report.ts";

/** The C program beside us: it reads the same container, through its own copy of the same file. */
export class Peer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #windows: Promise<void>;
  #text = "";

  /**
   * Starts it.
   *
   * @param fd The container's file in this process.
   * @param ranges What a drain reads.
   * @param table A page table of iommufd, if the file is one.
   */
  constructor(program: string, fd: number, ranges: readonly Extent[], table?: number) {
    this.#child = new Deno.Command(program, {
      args: [Deno.pid, fd, ...(table === undefined ? [] : [table])].map(String),
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#windows = this.#send(
      ranges.map(({ iova, size }) => `window ${iova} ${size}\n`).join(""),
    );
  }

  async #send(text: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(text));
  }

  /** Runs a command; what it took, and what it found. */
  async run(what: "next" | "edges" | "pages", times: number): Promise<Parts & { found: number }> {
    await this.#windows;
    await this.#send(`${what} ${times}\n`);
    const [kernel = NaN, scan = NaN, rest = NaN, found = NaN] = (await this.#line()).split(" ")
      .map(Number);
    return { kernel: kernel / 1e6, scan: scan / 1e6, rest: rest / 1e6, found };
  }

  async #line(): Promise<string> {
    while (!this.#text.includes("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error(`The C program has ended: ${(await this.#child.status).code}`);
      this.#text += value;
    }
    const end = this.#text.indexOf("\n");
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#child.status;
  }
}
