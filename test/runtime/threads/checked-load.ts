/**
 * Load that checks every answer: closed loops over HTTP (small and large requests) and over the stream, in a process other than the
 * daemon's. Each answer must be decided wholly by the version that it names, and by none that had been replaced when it was asked for.
 */
import { connect, type Socket } from "node:net";
import { pack, unpackMultiple } from "msgpackr";

/** The version that serves as far as the load knows: a swap is begun, then over. */
export interface Swaps {
  /** Swaps that are over. */
  done: number;
  /** Swaps that have begun. */
  begun: number;
  /** Short digests by the number of the swap modulo 2. */
  readonly versions: readonly [string, string];
}

/** What has gone wrong, and how much has gone well. */
export class Findings {
  answers = { small: 0, large: 0, stream: 0 };
  readonly byVersion = new Map<string, number>();
  readonly problems: string[] = [];

  problem(text: string): void {
    if (this.problems.length < 20) this.problems.push(text);
  }
}

/** What every resource of the load is answered by each version: the first allows, the second denies. */
const EFFECTS = ["EFFECT_ALLOW", "EFFECT_DENY"] as const;

/** Judges one answer: the version it names and the effects it holds. `asked` is `swaps.done` when it was asked for. */
function judge(
  kind: keyof Findings["answers"],
  bundle: string,
  effects: readonly string[],
  expected: number,
  asked: number,
  swaps: Swaps,
  findings: Findings,
): void {
  findings.answers[kind]++;
  findings.byVersion.set(bundle, (findings.byVersion.get(bundle) ?? 0) + 1);
  const index = swaps.versions.indexOf(bundle);
  if (index < 0) findings.problem(`${kind}: an answer names the version \`${bundle}\``);
  if (effects.length !== expected)
    findings.problem(`${kind}: ${effects.length} effects instead of ${expected}`);
  if (effects.some((effect) => effect !== EFFECTS[index])) {
    findings.problem(`${kind}: an answer of ${bundle} holds ${[...new Set(effects)].join(" and ")}`);
  }
  // Between two swaps there is one version only.
  if (swaps.begun === asked && index !== asked % 2) {
    findings.problem(`${kind}: ${bundle} answered after it had been replaced (swap ${asked})`);
  }
}

/** A connection that asks again and again. */
export interface Asking {
  /** Lets the request in flight end. */
  stop(): Promise<void>;
}

/** Asks over one keep-alive connection; `resources` is how many the request has, one action each. */
export function askOverHttp(port: number, resources: number, swaps: Swaps, findings: Findings): Asking {
  const kind = resources > 1 ? "large" : "small";
  const body = JSON.stringify(albums(resources));
  const request = Buffer.from(
    `POST /api/check/resources HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  let received: Buffer = Buffer.alloc(0);
  let asked = 0;
  return loop(
    port,
    (socket) => {
      asked = swaps.done;
      socket.write(request);
    },
    (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const head = received.indexOf("\r\n\r\n");
      if (head < 0) return false;
      const headers = received.subarray(0, head).toString();
      const length = Number(/content-length: (\d+)/i.exec(headers)?.[1] ?? Number.NaN);
      if (received.length < head + 4 + length) return false;
      const text = received.subarray(head + 4, head + 4 + length).toString();
      received = received.subarray(head + 4 + length);
      if (!headers.startsWith("HTTP/1.1 200"))
        findings.problem(`${kind}: ${headers.split("\r\n")[0] ?? ""} ${text}`);
      else {
        const bundle = /edict-bundle: (\w+)/i.exec(headers)?.[1] ?? "";
        judge(kind, bundle, text.match(/EFFECT_\w+/g) ?? [], resources, asked, swaps, findings);
      }
      return true;
    },
    (reason) => findings.problem(`${kind}: ${reason}`),
  );
}

/** Asks over one stream, with some requests in flight; the notices say which version answers. */
export function askOverStream(port: number, inFlight: number, swaps: Swaps, findings: Findings): Asking {
  const upgrade = `GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString("base64")}\r\nSec-WebSocket-Version: 13\r\n\r\n`;
  const body = Buffer.from(pack(albums(1)));
  let received: Buffer = Buffer.alloc(0);
  let isOpen = false;
  let bundle = "";
  let id = 0;
  let waiting = 0;
  let asked = 0;
  return loop(
    port,
    (socket) => {
      if (!isOpen) {
        socket.write(upgrade);
        return;
      }
      asked = swaps.done;
      const frames = Array.from({ length: inFlight }, () =>
        Buffer.concat([Buffer.from([0x92]), pack(id++ % 100), pack(body)]),
      );
      waiting = inFlight;
      socket.write(masked(Buffer.concat(frames)));
    },
    (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      if (!isOpen) {
        const head = received.indexOf("\r\n\r\n");
        if (head < 0) return false;
        if (!received.toString().startsWith("HTTP/1.1 101")) findings.problem("stream: it was not opened");
        received = received.subarray(head + 4);
        isOpen = true;
        return true;
      }
      for (let payload = takeMessage(); payload !== null; payload = takeMessage()) {
        for (const frame of unpackMultiple(payload) as readonly unknown[][]) {
          if (frame[0] === null) {
            bundle = (frame[1] as { readonly bundle: string }).bundle;
            continue;
          }
          waiting--;
          const answer = frame[1] instanceof Uint8Array ? Buffer.from(frame[1]).toString("latin1") : "";
          judge("stream", bundle, answer.match(/EFFECT_(?:ALLOW|DENY)/g) ?? [], 1, asked, swaps, findings);
        }
      }
      return waiting === 0;
    },
    (reason) => findings.problem(`stream: ${reason}`),
  );

  /** The next whole message from the server, which does not mask; pings are none. */
  function takeMessage(): Buffer | null {
    if (received.length < 2) return null;
    const short = (received[1] ?? 0) & 0x7f;
    const headLength = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (received.length < headLength) return null;
    const length =
      short === 126 ? received.readUInt16BE(2) : short === 127 ? received.readUInt32BE(6) : short;
    if (received.length < headLength + length) return null;
    const isData = ((received[0] ?? 0) & 0x0f) === 2;
    const payload = received.subarray(headLength, headLength + length);
    received = received.subarray(headLength + length);
    return isData ? payload : Buffer.alloc(0);
  }
}

/** One request after the other; `take` says whether the answer is complete. */
function loop(
  port: number,
  ask: (socket: Socket) => void,
  take: (chunk: Buffer) => boolean,
  lost: (reason: string) => void,
): Asking {
  const socket = connect(port, "127.0.0.1");
  let isStopped = false;
  const ended = new Promise<void>((resolve) => {
    socket.on("close", () => {
      if (!isStopped) lost("the connection was closed");
      resolve();
    });
  });
  socket.setNoDelay(true);
  socket.on("connect", () => ask(socket));
  socket.on("data", (chunk: Buffer) => {
    if (!take(chunk)) return;
    if (isStopped) socket.destroy();
    else ask(socket);
  });
  socket.on("error", (error) => lost(error.message));
  return {
    stop: () => {
      isStopped = true;
      return ended;
    },
  };
}

/** View of as many public albums, each of them somebody else's. */
function albums(count: number): object {
  const attr = { public: true, flagged: false, locked: false, owner: "bob", note: "x".repeat(40) };
  return {
    requestId: "r",
    principal: { id: "alice", roles: ["user"] },
    resources: Array.from({ length: count }, (_, index) => ({
      actions: ["view"],
      resource: { kind: "album", id: String(index), attr },
    })),
  };
}

/** A WebSocket message from a client, with a mask of zeros. */
function masked(payload: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head[0] = 0x82;
  head[1] = 0x80 | 126;
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}
