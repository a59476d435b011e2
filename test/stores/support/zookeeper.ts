/** How ZooKeeper is run: one server on the Java machine that is there. */
import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Certificates } from "../../e2e/support/certs.ts";
import type { Program } from "./server.ts";

/**
 * @param jars the folder with ZooKeeper's archives
 * @param certificates TLS alone; clients must show one, too
 */
export function zookeeper(jars: string, certificates?: Certificates): Program {
  return {
    name: "zookeeper",
    ports: 1,
    command(directory, [port]) {
      const lines = ["tickTime=1000", "admin.enableServer=false", "maxClientCnxns=0", `dataDir=${directory}`];
      lines.push("4lw.commands.whitelist=srvr");
      if (certificates) {
        const stores = storesOf(certificates);
        lines.push(`secureClientPort=${port}`, "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory");
        lines.push(`ssl.keyStore.location=${stores.key}`, `ssl.keyStore.password=${PASSWORD}`);
        lines.push(`ssl.trustStore.location=${stores.trust}`, `ssl.trustStore.password=${PASSWORD}`);
      } else lines.push("clientPortAddress=127.0.0.1", `clientPort=${port}`);
      const config = join(directory, "zoo.cfg");
      writeFileSync(config, lines.join("\n"));
      const archives = readdirSync(jars).filter((name) => WANTED.test(name));
      const classes = archives.map((name) => join(jars, name)).join(":");
      const main = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
      // Files that are allotted ahead are not small on a small disk.
      return ["java", "-Xmx128m", "-Dzookeeper.preAllocSize=1024", "-cp", classes, main, config];
    },
    // With TLS its first call tells.
    answers: async ([port = 0]) => (certificates ? true : /^Mode:/m.test(await fourLetters("srvr", port))),
  };
}

const PASSWORD = "shoal-test";
const WANTED = /^(?:zookeeper(?:-jute)?|slf4j-api|slf4j-simple|metrics-core|snappy-java|netty-[a-z-]+)\.jar$/;

/** Java's own form of the certificates. */
function storesOf(certificates: Certificates): { readonly key: string; readonly trust: string } {
  const [key, trust] = [join(certificates.server, "key.p12"), join(certificates.server, "trust.p12")];
  const [cert, ca] = ["cert.pem", "ca.pem"].map((name) => join(certificates.server, name));
  const pem = ["-in", cert ?? "", "-inkey", join(certificates.server, "key.pem")];
  execFileSync("openssl", ["pkcs12", "-export", ...pem, "-out", key, "-passout", `pass:${PASSWORD}`]);
  const store = ["-keystore", trust, "-storepass", PASSWORD, "-storetype", "PKCS12"];
  execFileSync("keytool", ["-importcert", "-noprompt", "-alias", "ca", "-file", ca ?? "", ...store], {
    stdio: "ignore",
  });
  return { key, trust };
}

function fourLetters(word: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(word));
    socket.setTimeout(5_000, () => socket.destroy(new Error("no answer")));
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(text));
  });
}
