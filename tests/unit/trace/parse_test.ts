import { DEFAULT_MDEV, ModelKernel } from "../../../lib/model/mod.ts";
import { formatLine, parseRecord, parseTrace, TraceError } from "../../../lib/trace/mod.ts";
import { Container } from "../../../mod.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";
import { recorded } from "./support.ts";

const HEADER = '{"pinscope":"trace","version":1,"kernel":"linux"}';
const CLOSE = '{"seq":0,"call":"close","fd":3,"kind":"group","result":0}';

describe("parseRecord", () => {
  it("needs no header before it: a part of a trace has none", () => {
    equal(parseRecord(CLOSE, 1)?.call, "close");
    equal(parseRecord(HEADER, 1), undefined);
  });
});

describe("parseTrace", () => {
  it("reads what formatLine wrote", () => {
    const { kernel, lines } = recorded(new ModelKernel());
    {
      using container = Container.open({ kernel });
      using _group = container.attach(DEFAULT_MDEV);
      using memory = container.allocate(1n << 20n);
      using _mapping = container.map(memory);
      using tracker = container.trackDirty();
      equal([...tracker.runs()].length > 0, true);
      container.pins();
      using event = container.event();
      event.wait(0);
    }
    ok(lines.length > 20);
    const { header, records, isCut } = parseTrace(lines.map(formatLine).join(""));
    equal([header, ...records], [...lines]);
    equal(isCut, false);
  });

  it("leaves out a last line that a crash cut off", () => {
    const whole = parseTrace(`${HEADER}\n${CLOSE}\n`);
    equal([whole.records.length, whole.isCut], [1, false]);
    const cut = parseTrace(`${HEADER}\n${CLOSE}\n${CLOSE.slice(0, 20)}`);
    equal([cut.records.length, cut.isCut], [1, true]);
    const bare = parseTrace(`${HEADER}\n${CLOSE}`);
    equal([bare.records.length, bare.isCut], [1, false]);
  });

  const wrong: readonly (readonly [string, number, string])[] = [
    ["", 1, "the trace is empty"],
    [`${CLOSE}\n`, 1, "a trace begins with"],
    ["hello", 0, "this is no trace (line 1 is not JSON)"],
    ["# Pinscope\n{\n", 0, "this is no trace (line 1 is not JSON); --trace FILE writes one"],
    [`${HEADER.replace("1", "2")}\n`, 1, "version 1 is understood; got 2"],
    ['{"pinscope":"trace","version":1}\n', 1, '"kernel" is missing'],
    [`${HEADER}\n{\n${CLOSE}\n`, 2, "no JSON: "],
    [`${HEADER}\n[]\n`, 2, "no JSON object"],
    [`${HEADER}\n${CLOSE.replace("close", "toString")}\n`, 2, 'got "toString"'],
    [
      `${HEADER}\n${CLOSE}\n${CLOSE.replace('"fd":3', '"fd":"3"')}\n`,
      3,
      '"fd" of close should be a whole number; got "3"',
    ],
    [`${HEADER}\n${CLOSE.replace('"fd":3,', "")}\n`, 2, 'close lacks "fd"'],
    [`${HEADER}\n${CLOSE.replace('"group"', '"grop"')}\n`, 2, '"kind" of close should be one of '],
    [
      `${HEADER}\n${CLOSE.replace("0}", "0.5}")}\n`,
      2,
      '"result" of close should be a whole number; got 0.5',
    ],
  ];
  for (const [text, line, message] of wrong) {
    it(`refuses ${JSON.stringify(text.slice(-70))}`, () => {
      const error = throws(() => parseTrace(text), TraceError, message);
      equal(error.line, line);
      equal(error.message.startsWith(`Line ${line} of the trace: `), line > 0);
    });
  }

  const ioctl = { seq: 0, call: "ioctl", fd: 3, kind: "device", request: "0x3b6f", name: "x" };
  const parts: readonly (readonly [string, unknown])[] = [
    ["request", "3b6f"],
    ["in", "f"],
    ["in", "00*99999999999"],
    ["pointers", [{ at: -1, field: "a", length: "0x1" }]],
    ["pointers", {}],
    ["fds", [{ at: 0, fd: 1, made: "nothing" }]],
    ["fields", { a: 1 }],
    ["value", 3],
  ];
  for (const [name, value] of parts) {
    it(`refuses an ioctl whose ${name} is ${JSON.stringify(value)}`, () => {
      const text = JSON.stringify({ ...ioctl, result: 0, [name]: value });
      throws(
        () => parseRecord(text, 7),
        TraceError,
        `Line 7 of the trace: "${name}" of ioctl should be `,
      );
      ok(parseRecord(JSON.stringify({ ...ioctl, result: 0 }), 7) !== undefined);
    });
  }
});
