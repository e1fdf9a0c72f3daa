/**
 * CheckResources in protocol buffers: as much of Cerbos's messages as the load-test requests and their answers use, described
 * for protobufjs by field numbers. Attributes are strings only.
 */
import { optionalCommonJs } from "./peer.ts";
import type { CheckRequest } from "./rules.ts";

interface MessageType {
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  toObject(message: object, options: object): object;
}
interface Protobuf {
  readonly Root: {
    fromJSON(description: object): { lookupType(name: string): MessageType };
  };
}

const field = (type: string, id: number): object => ({ type, id });
const list = (type: string, id: number): object => ({ rule: "repeated", type, id });
const map = (type: string, id: number): object => ({ keyType: "string", type, id });

const DESCRIPTION = {
  nested: {
    Effect: { values: { EFFECT_UNSPECIFIED: 0, EFFECT_ALLOW: 1, EFFECT_DENY: 2, EFFECT_NO_MATCH: 3 } },
    // google.protobuf.Value, strings only.
    Value: { fields: { stringValue: field("string", 3) } },
    Principal: {
      fields: {
        id: field("string", 1),
        policyVersion: field("string", 2),
        roles: list("string", 3),
        attr: map("Value", 4),
        scope: field("string", 5),
      },
    },
    Resource: {
      fields: {
        kind: field("string", 1),
        policyVersion: field("string", 2),
        id: field("string", 3),
        attr: map("Value", 4),
        scope: field("string", 5),
      },
    },
    ResourceEntry: { fields: { actions: list("string", 1), resource: field("Resource", 2) } },
    Request: {
      fields: {
        requestId: field("string", 1),
        principal: field("Principal", 3),
        resources: list("ResourceEntry", 4),
      },
    },
    ResultResource: { fields: { id: field("string", 1), kind: field("string", 3) } },
    ResultEntry: { fields: { resource: field("ResultResource", 1), actions: map("Effect", 2) } },
    Response: { fields: { requestId: field("string", 1), results: list("ResultEntry", 2) } },
  },
};

export interface GrpcMessages {
  encode(request: CheckRequest): Uint8Array;
  /** Effects by action, per resource. */
  decode(bytes: Uint8Array): readonly Readonly<Record<string, string>>[];
}

function values(attributes: Readonly<Record<string, string>>): object {
  return Object.fromEntries(Object.entries(attributes).map(([name, stringValue]) => [name, { stringValue }]));
}

/** Undefined when protobufjs is not installed. */
export async function grpcMessages(): Promise<GrpcMessages | undefined> {
  const library = await optionalCommonJs<Protobuf>("protobufjs");
  if (library === undefined) return undefined;
  const root = library.Root.fromJSON(DESCRIPTION);
  const requestType = root.lookupType("Request");
  const responseType = root.lookupType("Response");
  return {
    encode: ({ requestId, principal, resources }) =>
      requestType
        .encode({
          requestId,
          principal: { ...principal, attr: values(principal.attr) },
          resources: resources.map(({ actions, resource }) => ({
            actions,
            resource: { ...resource, attr: values(resource.attr) },
          })),
        })
        .finish(),
    decode: (bytes) => {
      const response = responseType.toObject(responseType.decode(bytes), { enums: String, arrays: true });
      const { results } = response as {
        readonly results: readonly { readonly actions?: Readonly<Record<string, string>> }[];
      };
      return results.map(({ actions }) => actions ?? {});
    },
  };
}
