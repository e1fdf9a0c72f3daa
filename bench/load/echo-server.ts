/**
 * The yardstick: a server of the same framework that answers every POST with the bytes it got, and every message of a
 * WebSocket at `/echo` with the same message, and does nothing else.
 * A process of its own: `echo-server.ts <port>`.
 */
import { App } from "uWebSockets.js";

const port = Number(process.argv[2]);

App()
  .post("/*", (response, request) => {
    const type = request.getHeader("content-type");
    let parts: Buffer | undefined;
    response.onAborted(() => {
      parts = undefined;
    });
    response.onData((chunk, isLast) => {
      if (isLast && parts === undefined) {
        response.cork(() => {
          response.writeHeader("Content-Type", type).end(chunk);
        });
        return;
      }
      // The chunk's memory is only lent for this call.
      parts = Buffer.concat([parts ?? Buffer.alloc(0), Buffer.from(chunk)]);
      const whole = parts;
      if (isLast) {
        response.cork(() => {
          response.writeHeader("Content-Type", type).end(whole);
        });
      }
    });
  })
  .ws("/echo", {
    maxPayloadLength: 16 * 1024 * 1024,
    maxBackpressure: 256 * 1024 * 1024,
    compression: 0,
    message(socket, message) {
      socket.send(message, true);
    },
  })
  .get("/healthz", (response) => {
    response.end("ok");
  })
  .listen("127.0.0.1", port, (socket) => {
    if (!socket) {
      process.stderr.write(`cannot listen on port ${port}\n`);
      process.exit(4);
    }
  });

process.on("SIGTERM", () => process.exit(0));
