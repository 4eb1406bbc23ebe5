/** Text for pictures and pages: nothing that came from outside is taken for markup. */

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Makes text good for XML and HTML, in an attribute or between tags; control characters go. */
export function escapeText(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f\ufffe\uffff]|\p{Cs}/gu, "\ufffd")
    .replace(/[&<>"']/g, (one) => ENTITIES[one] ?? one);
}

/** Makes a value good for a script element: JSON in which no tag can end or begin. */
export function scriptJson(value: unknown): string {
  const json = JSON.stringify(
    value,
    (_, v: unknown) => typeof v === "bigint" ? `0x${v.toString(16)}` : v,
  );
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A number with at most some decimals, and no zeros behind them. */
export function short(value: number, decimals = 1): string {
  return String(Number(value.toFixed(decimals)));
}

/** Milliseconds as "0.2 ms", "12 s" or "3 min 20 s". */
export function duration(ms: number): string {
  if (ms < 1000) return `${short(ms, ms < 10 ? 2 : 0)} ms`;
  const seconds = ms / 1000;
  if (seconds < 120) return `${short(seconds, 1)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  if (hours === 0) return `${minutes} min${rest === 0 ? "" : ` ${rest} s`}`;
  return `${hours} h${minutes === 0 ? "" : ` ${minutes} min`}`;
}

/** Digits in groups of three. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Text in lines of at most so many characters: broken between words, and within one that is longer. */
export function brokenLines(text: string, most: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > most) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
    for (; line.length > most; line = line.slice(most)) lines.push(line.slice(0, most));
  }
  return [...lines, line];
}
