/** The manager's PEM files: read and checked before anything listens. Must not open TLS connections. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ManagerTls } from "../../manager/options.ts";
import { CliError, messageOf } from "../fail.ts";
import type { ManageFlags } from "./flags.ts";

type TlsFlags = Pick<ManageFlags, "tls" | "tlsverify" | "tlscacert" | "tlscert" | "tlskey">;

/** Undefined without --tls and --tlsverify. Throws CliError: classic Swarm's refusals, or the file and what is wrong with it. */
export function readTls(flags: TlsFlags): ManagerTls | undefined {
  const { tlscacert, tlscert, tlskey } = flags;
  if (!flags.tls && !flags.tlsverify) {
    if (tlscacert !== undefined || tlscert !== undefined || tlskey !== undefined) {
      throw new CliError("--tlscert, --tlskey and --tlscacert require the use of either --tls or --tlsverify");
    }
    return undefined;
  }
  if (tlscert === undefined || tlskey === undefined) {
    throw new CliError("--tlscert and --tlskey must be provided when using --tls");
  }
  if (flags.tlsverify && tlscacert === undefined) {
    throw new CliError("--tlscacert must be provided when using --tlsverify");
  }
  const cert = readPem("--tlscert", tlscert);
  const key = readPem("--tlskey", tlskey);
  const certificate = parsed("--tlscert", tlscert, () => new X509Certificate(cert));
  const privateKey: KeyObject = parsed("--tlskey", tlskey, () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new CliError(`--tlskey ${tlskey} is not the key of --tlscert ${tlscert}`);
  }
  const verify = flags.tlsverify === true;
  if (tlscacert === undefined) return { cert, key, verify };
  const ca = readPem("--tlscacert", tlscacert);
  parsed("--tlscacert", tlscacert, () => new X509Certificate(ca));
  return { ca, cert, key, verify };
}

function readPem(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CliError(`cannot read ${flag} ${path}: ${messageOf(error)}`);
  }
}

function parsed<T>(flag: string, path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new CliError(`${flag} ${path} is not a usable PEM file: ${messageOf(error)}`);
  }
}
