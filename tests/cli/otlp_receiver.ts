// A collector for tests: says its port, then each body that is sent to /v1/metrics, as a line of JSON.
// It ends when its stdin does.
const server = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) },
  async (request) => {
    const body = await request.json();
    if (new URL(request.url).pathname === "/v1/metrics") console.log(JSON.stringify(body));
    return Response.json({});
  },
);
for await (const _ of Deno.stdin.readable);
await server.shutdown();
