// Forecasts single pages up to the limit, maps as many as are said to fit, and one more.
// usage: forecast_child.ts DEVICE
import { Container, VfioError } from "@pinscope/vfio";
import { report } from "./child.ts";

const PAGE = 4096n;
const [device = ""] = Deno.args;

using container = Container.open();
using _group = container.attach(device);
using memory = container.allocate(PAGE);
const forecast = container.forecast([{ iova: 0n, size: PAGE, count: 200 }]);
for (let i = 0n; i < BigInt(forecast.mappings); i += 1n) container.map(memory, { iova: i * PAGE });
const lockedThen = container.pins().locked;
let refused: VfioError | undefined;
try {
  container.map(memory, { iova: BigInt(forecast.mappings) * PAGE });
} catch (error) {
  if (!(error instanceof VfioError)) throw error;
  refused = error;
}
container.unmapAll();
report({
  fits: forecast.mappings,
  locked: forecast.locked,
  predicted: forecast.stop?.code,
  reason: forecast.stop?.reason,
  lockedThen,
  code: refused?.code,
  message: refused?.message,
});
