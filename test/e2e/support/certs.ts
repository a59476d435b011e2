/** Certificates of a throw-away authority, and a TLS front for an engine that speaks plain TCP. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createServer } from "node:tls";
import { output } from "./exec.ts";

export interface Certificates {
  /** Holds ca.pem, cert.pem, key.pem, as DOCKER_CERT_PATH wants them. */
  readonly client: string;
  readonly server: string;
  /** Signed by another authority. */
  readonly stranger: string;
}

/** Makes two authorities with openssl; the first signs the server's and the client's certificates for 127.0.0.1. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  mkdirSync(folder, { recursive: true });
  await Promise.all([authority(folder, "ours"), authority(folder, "theirs")]);
  const [client, server, stranger] = await Promise.all([
    signed(folder, "client", "ours"),
    signed(folder, "server", "ours"),
    signed(folder, "stranger", "theirs"),
  ]);
  return { client, server, stranger };
}

const openssl = (folder: string, line: string): Promise<string> => output("openssl", line.split(" "), { cwd: folder });

async function authority(folder: string, name: string): Promise<void> {
  await openssl(
    folder,
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${name} -keyout ${name}.key -out ${name}.pem`,
  );
}

async function signed(folder: string, name: string, by: string): Promise<string> {
  const own = join(folder, name);
  mkdirSync(own);
  writeFileSync(join(own, "ext"), "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n");
  await openssl(
    folder,
    `req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=${name} -keyout ${name}/key.pem -out ${name}/csr`,
  );
  await openssl(
    folder,
    `x509 -req -in ${name}/csr -CA ${by}.pem -CAkey ${by}.key -days 2 -extfile ${name}/ext -out ${name}/cert.pem`,
  );
  // Whoever signed it, it is our authority that its owner trusts.
  writeFileSync(join(own, "ca.pem"), readFileSync(join(folder, "ours.pem")));
  return own;
}

/** Listens with TLS on 127.0.0.1 and passes everything on to `address:2375`, half-closed sides included. */
export async function tlsFront(address: string, certificates: Certificates) {
  const read = (name: string): Buffer => readFileSync(join(certificates.server, name));
  const server = createServer(
    {
      ca: read("ca.pem"),
      cert: read("cert.pem"),
      key: read("key.pem"),
      requestCert: true,
      rejectUnauthorized: true,
      allowHalfOpen: true,
    },
    (outer) => {
      const inner = connect({ host: address, port: 2375, allowHalfOpen: true });
      outer.pipe(inner).pipe(outer);
      outer.on("error", () => inner.destroy());
      inner.on("error", () => outer.destroy());
      outer.on("close", () => inner.destroy());
    },
  );
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  return { entry: `127.0.0.1:${port}`, close: () => server.close() };
}
