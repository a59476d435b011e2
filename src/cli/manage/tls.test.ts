import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readTls } from "./tls.ts";

/** Self-signed, made for this test alone. */
const CERT = `-----BEGIN CERTIFICATE-----
MIIBdTCCARugAwIBAgIUP2yGUCTQC3Yy1wDGeqQeG3ZUxIAwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjAxNjE4NTBaGA8yMTI2MTAyNzE2MTg1
MFowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLLe
KpvGX5lQQLSeCcGSk8LXRLHkrHBnlVFF7yss85dUbeqDudBkusEy0q6TdxgOh/KD
bjxY/qeZYq1M+WyF7LOjUzBRMB0GA1UdDgQWBBS8fEofGCb6e2rMhzRTB2mheIs7
5jAfBgNVHSMEGDAWgBS8fEofGCb6e2rMhzRTB2mheIs75jAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0gAMEUCIBZV2/SRcxU1TqptX9ZxEF7vxA8qUYeSf/RP
V0DIgcKqAiEAhWoZSYgaSm5RmPNy8T9I019SGNp0Xf5q8mi/AcNetSc=
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg2cTfTvzm5OKwrPIK
9ytwJ82jdnW3KY989/9mG2GBZVmhRANCAASy3iqbxl+ZUEC0ngnBkpPC10Sx5Kxw
Z5VRRe8rLPOXVG3qg7nQZLrBMtKuk3cYDofyg248WP6nmWKtTPlsheyz
-----END PRIVATE KEY-----
`;

let dir: string;
const file = (name: string, text: string): string => {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "shoal-tls-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe("the manager's TLS files", () => {
  it("are read as they are", () => {
    const tlscert = file("cert.pem", CERT);
    const tlskey = file("key.pem", KEY);
    expect(readTls({ tls: true, tlscert, tlskey })).toEqual({
      cert: Buffer.from(CERT),
      key: Buffer.from(KEY),
      verify: false,
    });
    expect(readTls({ tlsverify: true, tlscert, tlskey, tlscacert: tlscert })).toMatchObject({
      ca: Buffer.from(CERT),
      verify: true,
    });
    expect(readTls({})).toBeUndefined();
  });

  it("must belong together", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const tlscert = file("cert.pem", CERT);
    const tlskey = file("other.pem", privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    expect(() => readTls({ tls: true, tlscert, tlskey })).toThrow(
      `--tlskey ${tlskey} is not the key of --tlscert ${tlscert}`,
    );
  });

  it("are named when they are something else", () => {
    const tlscert = file("cert.pem", CERT);
    expect(() => readTls({ tls: true, tlscert, tlskey: tlscert })).toThrow(
      `--tlskey ${tlscert} is not a usable PEM file`,
    );
    expect(() => readTls({ tls: true, tlscert: join(dir, "none"), tlskey: tlscert })).toThrow(
      /cannot read --tlscert .*none: ENOENT/,
    );
  });
});
