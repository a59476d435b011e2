/** How etcd is run. */

import { readFileSync } from "node:fs";
import { request } from "node:https";
import type { Certificates } from "../../e2e/support/certs.ts";
import type { Program, Server } from "./server.ts";

/** @param clients whether clients must show a certificate, too */
export function etcd(program: string, certificates?: Certificates, clients = false): Program {
  const scheme = certificates ? "https" : "http";
  const tls = certificates
    ? [
        ...["--cert-file", `${certificates.server}/cert.pem`, "--key-file", `${certificates.server}/key.pem`],
        ...(clients ? ["--client-cert-auth", "--trusted-ca-file", `${certificates.server}/ca.pem`] : []),
      ]
    : [];
  return {
    name: "etcd",
    ports: 3,
    command: (directory, [client, peer, metrics]) => [
      program,
      ...["--data-dir", `${directory}/etcd`, "--listen-client-urls", `${scheme}://127.0.0.1:${client}`],
      ...["--advertise-client-urls", `${scheme}://127.0.0.1:${client}`],
      ...["--listen-peer-urls", `http://127.0.0.1:${peer}`],
      ...["--initial-advertise-peer-urls", `http://127.0.0.1:${peer}`],
      ...["--initial-cluster", `default=http://127.0.0.1:${peer}`],
      ...["--listen-metrics-urls", `http://127.0.0.1:${metrics}`],
      ...tls,
    ],
    async answers([, , metrics]) {
      const answer = await fetch(`http://127.0.0.1:${metrics}/health`);
      return ((await answer.json()) as { readonly health?: string }).health === "true";
    },
  };
}

/** One call of the administrator's to a server with TLS. Rejects when it is refused. */
export async function administer(server: Server, path: string, body: object, folder: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const call = request(
      `https://${server.address}/v3/${path}`,
      { method: "POST", ca: readFileSync(`${folder}/ca.pem`) },
      (answer) => {
        answer.resume();
        if (answer.statusCode === 200) resolve();
        else reject(new Error(`${path}: status ${answer.statusCode}`));
      },
    );
    call.on("error", reject);
    call.end(JSON.stringify(body));
  });
}
