/** How Consul is run: one server that elects itself. */
import type { Certificates } from "../../e2e/support/certs.ts";
import type { Program } from "./server.ts";

/** With certificates: TLS alone, clients must show one, too; with a token: nothing is allowed without one. */
export function consul(program: string, certificates?: Certificates, token?: string): Program {
  return {
    name: "consul",
    ports: 4,
    command: (directory, [client, server, lan, wan]) => [
      program,
      ...["agent", "-server", "-bootstrap-expect=1", `-data-dir=${directory}/consul`, "-node=one"],
      ...["-bind=127.0.0.1", `-server-port=${server}`, `-serf-lan-port=${lan}`, `-serf-wan-port=${wan}`],
      ...["-dns-port=-1", "-grpc-port=-1", `-http-port=${certificates ? -1 : client}`],
      ...["-hcl", "performance { raft_multiplier = 1 } disable_update_check = true"],
      ...(certificates
        ? [
            "-hcl",
            `ports { https = ${client} } verify_incoming_https = true ca_file = "${certificates.server}/ca.pem" cert_file = "${certificates.server}/cert.pem" key_file = "${certificates.server}/key.pem"`,
          ]
        : []),
      ...(token
        ? ["-hcl", `acl { enabled = true default_policy = "deny" tokens { master = "${token}" agent = "${token}" } }`]
        : []),
    ],
    async answers([client]) {
      // With TLS its first call tells.
      if (certificates) return true;
      const answer = await fetch(`http://127.0.0.1:${client}/v1/kv/none?consistent`, {
        headers: token ? { "x-consul-token": token } : {},
      });
      return answer.status === 404;
    },
  };
}
