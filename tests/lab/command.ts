/** Runs the host's small tools (apt-get, dpkg-deb, xz, ldd) with a bounded time. */
import { LabProblem } from "./problem.ts";

/** What a tool answered. */
export interface Answer {
  code: number;
  stdout: Uint8Array;
  stderr: string;
}

/** How a tool is run. */
export interface RunOptions {
  /** Ends the tool: it is killed when this aborts. */
  signal?: AbortSignal;
  /** Seconds after which the tool is killed. */
  seconds?: number;
  cwd?: string;
  env?: Record<string, string>;
  /** The Debian package that holds the tool, for the message when it is missing. */
  from?: string;
}

/** Runs a tool to its end. */
export async function run(
  tool: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Answer> {
  const seconds = options.seconds ?? 60;
  const timer = AbortSignal.timeout(seconds * 1000);
  const signal = options.signal ? AbortSignal.any([timer, options.signal]) : timer;
  options.signal?.throwIfAborted();
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(tool, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
    }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new LabProblem(
      `${tool} is not installed` +
        (options.from === undefined ? "" : `: apt-get install ${options.from}`),
    );
  }
  options.signal?.throwIfAborted();
  if (timer.aborted) {
    throw new LabProblem(`${tool} ${args[0] ?? ""} did not end within ${seconds} s`);
  }
  const stderr = new TextDecoder().decode(output.stderr);
  return { code: output.code, stdout: output.stdout, stderr };
}

/** Runs a tool that must succeed, and gives its standard output. */
export async function mustRun(
  tool: string,
  args: readonly string[],
  options: RunOptions & { what: string },
): Promise<Uint8Array> {
  const answer = await run(tool, args, options);
  if (answer.code !== 0) {
    const text = (answer.stderr || new TextDecoder().decode(answer.stdout)).trim();
    throw new LabProblem(`cannot ${options.what}: ${tool} ended with ${answer.code}: ${text}`);
  }
  return answer.stdout;
}

/** Runs a long tool, and passes on each line of its standard output while it runs. */
export async function follow(
  tool: string,
  args: readonly string[],
  options: RunOptions & { onLine: (line: string) => void },
): Promise<Pick<Answer, "code" | "stderr">> {
  const { onLine, cwd, seconds = 60 } = options;
  const timer = AbortSignal.timeout(seconds * 1000);
  options.signal?.throwIfAborted();
  const child = new Deno.Command(tool, {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: options.signal ? AbortSignal.any([timer, options.signal]) : timer,
    ...(cwd === undefined ? {} : { cwd }),
  }).spawn();
  const stderr = new Response(child.stderr).text();
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(onLine);
  }
  if (rest !== "") onLine(rest);
  // What it started ends before this: it holds the other end of the pipes.
  const answer = { code: (await child.status).code, stderr: await stderr };
  options.signal?.throwIfAborted();
  if (timer.aborted) throw new LabProblem(`${tool} did not end within ${seconds} s`);
  return answer;
}

function missing(error: unknown): boolean {
  return [Deno.errors.NotFound, Deno.errors.NotADirectory, Deno.errors.PermissionDenied]
    .some((type) => error instanceof type);
}

/** Where a program lies, searched along PATH and the folders of system tools. */
export function which(name: string): string | undefined {
  const path = (Deno.env.get("PATH") ?? "").split(":");
  for (const folder of [...path, "/usr/bin", "/bin", "/usr/sbin", "/sbin"]) {
    const file = `${folder}/${name}`;
    try {
      const info = Deno.statSync(file);
      if (info.isFile && ((info.mode ?? 0) & 0o111) !== 0) return file;
    } catch (error) {
      if (!missing(error)) throw error;
    }
  }
  return undefined;
}
