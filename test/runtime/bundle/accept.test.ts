/**
 * The way from bytes to a serving version: each step refuses what it has to, with its code and before anything later has run, and
 * nothing is kept or noted of what does not serve.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SECTION_CORE } from "../../../assembly/abi.ts";
import {
  type Acceptance,
  acceptBundle,
  type AcceptedBundle,
  MemorySequenceStore,
  prepareBundle,
} from "../../../runtime/bundle/accept.ts";
import { readBundle } from "../../../runtime/bundle/bundle-file.ts";
import { SectionDigests } from "../../../runtime/bundle/section-digests.ts";
import { VerifyKeys } from "../../../runtime/bundle/signature.ts";
import { BundleError, type BundleErrorCode } from "../../../runtime/errors.ts";
import { Engine } from "../../../runtime/index.ts";
import { Random } from "../../differential/random.ts";
import {
  buildBundle,
  poisoned,
  withBadSizes,
  withManifest,
  withPoliciesOf,
  withReplaced,
} from "../support/built-bundles.ts";
import { albumRequest, DENYING_POLICIES, IS_BUILT, POLICIES, temporaryDirectory } from "../support/daemon.ts";
import { makeKey, sign, type TestKey } from "../support/signed-bundles.ts";
import { timesEffort } from "../../support/effort.ts";

/** Bits flipped, and bytes between two lengths of a truncated file. */
const FLIPS = timesEffort(2_000);
const STEP = 1024;

describe.skipIf(!IS_BUILT)(
  IS_BUILT ? "accepting a bundle" : "accepting a bundle (run `npm run build`)",
  () => {
    let directory: string;
    let remove: () => Promise<void>;
    let key: TestKey;
    let keys: VerifyKeys;
    let file: Uint8Array;
    let signed: Uint8Array;
    let denying: Uint8Array;

    beforeAll(async () => {
      const temporary = await temporaryDirectory();
      directory = temporary.path;
      remove = () => temporary.remove();
      key = await makeKey(directory, "key");
      keys = await VerifyKeys.load([key.publicFile]);
      file = await buildBundle(POLICIES, 5);
      denying = await buildBundle(DENYING_POLICIES, 6);
      signed = await sign(file, [key]);
    }, 120_000);
    afterAll(() => remove());

    function acceptance(change: Partial<Acceptance> = {}): Acceptance {
      return { engine: {}, verifyKeys: keys, sequences: new MemorySequenceStore(), ...change };
    }

    async function refusal(bundle: Uint8Array, change: Partial<Acceptance> = {}): Promise<BundleErrorCode> {
      try {
        await prepareBundle(bundle, acceptance(change));
      } catch (error) {
        expect(error).toBeInstanceOf(BundleError);
        expect((error as BundleError).message).toMatch(/^[^\n]+[^.\n]$/);
        return (error as BundleError).code;
      }
      throw new Error("the bundle was accepted");
    }

    it("copies a file into shared memory only when it is not there already", async () => {
      const copied = await prepareBundle(signed, acceptance({ shared: true }));
      expect(copied.file.buffer).toBeInstanceOf(SharedArrayBuffer);
      const again = await prepareBundle(copied.file, acceptance({ shared: true }));
      expect(again.file).toBe(copied.file);
      const part = new Uint8Array(new SharedArrayBuffer(signed.length + 8)).subarray(8);
      part.set(signed);
      const alone = await prepareBundle(part, acceptance({ shared: true }));
      expect(alone.file.buffer.byteLength).toBe(signed.length);
    });

    it("refuses what differs from the version before in a single bit, wherever that is", async () => {
      const digests = new SectionDigests();
      await prepareBundle(signed, acceptance({ digests }));
      const random = new Random(7);
      for (let flip = 0; flip < 200; flip++) {
        const broken = Uint8Array.from(file);
        const at = random.below(broken.length);
        broken[at] = (broken[at] ?? 0) ^ (1 << random.below(8));
        expect(() => readBundle(broken, digests), `bit of byte ${at}`).toThrow(BundleError);
      }
      expect(readBundle(file, digests).digest).toBe(readBundle(file).digest);
    });

    it("serves, keeps and notes it, in this order", async () => {
      const sequences = new MemorySequenceStore();
      const steps: string[] = [];
      const note = (step: string) => async (accepted: AcceptedBundle) => {
        expect(accepted.bundle.digest).toBe(readBundle(file).digest);
        steps.push(`${step} ${sequences.highest()}`);
      };
      const { engine, signer } = await acceptBundle(signed, acceptance({ sequences }), {
        serve: note("serve"),
        keep: note("keep"),
      });
      expect(steps).toEqual(["serve null", "keep null"]);
      expect(sequences.highest()).toBe(5);
      expect(signer?.kid).toBe(key.kid);
      expect(engine.check(albumRequest() as never).results[0]?.actions["view"]).toBe("EFFECT_ALLOW");
    });

    it("keeps and notes nothing when it could not be swapped in", async () => {
      const sequences = new MemorySequenceStore();
      let kept = false;
      const accepting = acceptBundle(signed, acceptance({ sequences }), {
        serve: () => Promise.reject(new Error("a thread is gone")),
        keep: async () => {
          kept = true;
        },
      });
      await expect(accepting).rejects.toThrow("a thread is gone");
      expect(kept).toBe(false);
      expect(sequences.highest()).toBeNull();
    });

    it("shares the bytes with other threads when asked to", async () => {
      const { bundle, file: own } = await prepareBundle(signed, acceptance({ shared: true }));
      expect(own.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect(bundle.core.buffer).toBe(own.buffer);
      expect(Buffer.from(own).equals(Buffer.from(signed))).toBe(true);
    });

    describe("refuses", () => {
      it("an unsigned bundle, another's and an expired key's, with the reason", async () => {
        const stranger = await makeKey(directory, "stranger");
        const old = await makeKey(directory, "old", "EdDSA", 1_000_000);
        const both = await VerifyKeys.load([key.publicFile, old.publicFile]);
        expect(await refusal(file)).toBe("EDICT_BUNDLE_UNSIGNED");
        expect(await refusal(await sign(file, [stranger]))).toBe("EDICT_BUNDLE_KEY_UNKNOWN");
        expect(await refusal(await sign(file, [old]), { verifyKeys: both })).toBe("EDICT_BUNDLE_KEY_EXPIRED");
        const shortly = await sign(file, [key], new Date(0), 60);
        expect(await refusal(shortly)).toBe("EDICT_BUNDLE_SIGNATURE_EXPIRED");
        await prepareBundle(shortly, acceptance({ now: () => new Date(59_000) }));
      });

      it("an older sequence and none at all, once a sequence has been accepted", async () => {
        const none = await sign(await buildBundle(POLICIES, null), [key]);
        expect(await refusal(signed, { sequences: new MemorySequenceStore(6) })).toBe(
          "EDICT_BUNDLE_ROLLBACK",
        );
        expect(await refusal(none, { sequences: new MemorySequenceStore(0) })).toBe("EDICT_BUNDLE_ROLLBACK");
        await expect(
          prepareBundle(signed, acceptance({ sequences: new MemorySequenceStore(6) })),
        ).rejects.toThrow(/has sequence 5, and sequence 6 has been accepted before/);
        await prepareBundle(signed, acceptance({ sequences: new MemorySequenceStore(5) }));
        await prepareBundle(none, acceptance());
      });

      it("no older sequence when the bundle is asked for by name, and the highest stays", async () => {
        const sequences = new MemorySequenceStore(9);
        const { digest } = readBundle(signed);
        const mayRollBackTo = (name: string): boolean => name === digest;
        await acceptBundle(signed, acceptance({ sequences, mayRollBackTo }), {
          serve: () => Promise.resolve(),
        });
        expect(sequences.highest()).toBe(9);
        const other = await sign(denying, [key]);
        expect(await refusal(other, { sequences, mayRollBackTo })).toBe("EDICT_BUNDLE_ROLLBACK");
        // By name does not mean without a signature.
        expect(await refusal(file, { mayRollBackTo })).toBe("EDICT_BUNDLE_UNSIGNED");
      });

      it("a signed bundle that decides otherwise than it did when it was built", async () => {
        const swapped = await sign(withPoliciesOf(file, denying), [key]);
        expect(await refusal(swapped)).toBe("EDICT_BUNDLE_SELF_TEST");
        await expect(Engine.load(swapped)).rejects.toMatchObject({ code: "EDICT_BUNDLE_SELF_TEST" });
      });

      it("signed bundles whose content is poisoned, each with its code", async () => {
        for (const [name, bundle, code] of poisoned(file)) {
          // Signing reads the bundle, so those that cannot be read get no further without keys either.
          const one = await sign(bundle, [key]).catch(() => bundle);
          const change = one === bundle ? { verifyKeys: null } : {};
          expect(await refusal(one, change), name).toBe(code);
        }
      });

      it("sizes that are not those of the file, each with its code", async () => {
        for (const [name, bundle, code] of withBadSizes(signed)) {
          expect(await refusal(bundle), name).toBe(code);
        }
      });

      it("every truncation, by bytes of 1 KB and around every border", { timeout: 120_000 }, async () => {
        const lengths = [...Array(Math.ceil(signed.byteLength / STEP)).keys()].map((index) => index * STEP);
        for (const border of [0, 16, 16 + 48, file.byteLength, signed.byteLength - 1]) {
          lengths.push(border, Math.max(0, border - 1), Math.min(border + 1, signed.byteLength - 1));
        }
        for (const length of lengths) {
          const code = await refusal(signed.subarray(0, length));
          expect(code, `${length} bytes`).toMatch(/^EDICT_BUNDLE_(MALFORMED|DIGEST|UNSIGNED|SIGNATURE)$/);
        }
      });

      it(`any flipped bit, ${FLIPS} times`, { timeout: 300_000 }, async () => {
        const random = new Random(20_261_121);
        const borders = [0, 16, 16 + 48 * 8, file.byteLength, signed.byteLength];
        for (let turn = 0; turn < FLIPS; turn++) {
          // A third each in the table and the trailer, the rest anywhere: most of a file is the core.
          const [from, to] =
            [
              [borders[0], borders[2]],
              [borders[3], borders[4]],
              [0, signed.byteLength],
            ][turn % 3] ?? [];
          const at = (from ?? 0) + random.below((to ?? 0) - (from ?? 0));
          const bit = random.below(8);
          const broken = signed.slice();
          broken[at] = (broken[at] ?? 0) ^ (1 << bit);
          expect(await refusal(broken), `bit ${bit} of byte ${at}`).toMatch(/^EDICT_BUNDLE_/);
        }
      });

      it("what is not signed before anything of it is compiled", async () => {
        const poison = withReplaced(file, SECTION_CORE, Uint8Array.of(0));
        expect(await refusal(poison)).toBe("EDICT_BUNDLE_UNSIGNED");
        expect(await refusal(poison, { verifyKeys: null })).toBe("EDICT_BUNDLE_MALFORMED");
        const older = await sign(withManifest(poison, { sequence: 1 }), [key]);
        expect(await refusal(older, { sequences: new MemorySequenceStore(2) })).toBe("EDICT_BUNDLE_ROLLBACK");
      });
    });
  },
);
