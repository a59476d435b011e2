/** S3: a published port is held once a node. */
import { placeCases } from "../support/place-case.ts";

const ALL = ["node-1", "node-2", "node-3"];
const FULL = [/no (?:node|resources)|unable to find a node|port/i];

placeCases("ports", [
  {
    name: "-p 80:80 four times: three nodes, then refused",
    steps: [
      { make: "docker run -d -p 80:80 --name ca nginx", on: ALL },
      { make: "docker run -d -p 80:80 --name cb nginx", on: ALL, apart: "ca" },
      { make: "docker run -d -p 80:80 --name cc nginx", on: ALL, apart: "cb" },
      { make: "docker run -d -p 80:80 --name cd nginx", refused: FULL },
      { make: "docker rm -f cb >/dev/null; docker run -d -p 80:80 --name cd nginx", on: ALL, apart: "ca" },
    ],
  },
  {
    name: "one address does not fit beside all addresses",
    steps: [
      { make: "-p 80:80 --name ca nginx", on: "node-1" },
      { make: "-p 127.0.0.1:80:80 -e constraint:node==node-1 nginx", refused: FULL },
      { make: "-p 127.0.0.1:80:80 -e constraint:node==node-2 --name cb nginx", on: "node-2" },
      { make: "-p 80:80 -e constraint:node==node-2 nginx", refused: FULL },
    ],
  },
  {
    name: "two addresses fit side by side",
    steps: [
      { make: "-p 127.0.0.1:80:80 -e constraint:node==node-1 nginx", on: "node-1" },
      { make: "-p 127.0.0.2:80:80 -e constraint:node==node-1 nginx", on: "node-1" },
      { make: "-p 127.0.0.1:80:81 -e constraint:node==node-1 nginx", refused: FULL },
    ],
  },
  {
    name: "tcp and udp are two ports",
    steps: [
      { make: "-p 53:53/tcp -e constraint:node==node-1 busybox", on: "node-1" },
      { make: "-p 53:53/udp -e constraint:node==node-1 busybox", on: "node-1" },
      { make: "-p 53:53/udp -e constraint:node==node-1 busybox", refused: FULL },
    ],
  },
  {
    name: "the host's network holds the exposed ports",
    steps: [
      { make: "--network host --expose 80 -e constraint:node==node-1 busybox", on: "node-1" },
      { make: "-p 80:80 -e constraint:node==node-1 busybox", refused: FULL },
      { make: "--network host --expose 80 -e constraint:node==node-1 nginx", refused: FULL },
      { make: "--network host --expose 80 -e constraint:node==node-2 nginx", on: "node-2" },
    ],
  },
  {
    name: "the host's network holds the ports that the image exposes",
    steps: [
      { make: "--network host -e constraint:node==node-1 nginx", on: "node-1" },
      { make: "-p 80:80 -e constraint:node==node-1 busybox", refused: FULL },
      { make: "--network host -e constraint:node==node-1 nginx", refused: FULL },
      { make: "--network host -e constraint:node==node-1 redis", on: "node-1" },
      { make: "--network host --name ca nginx", on: ["node-2", "node-3"] },
      { make: "-p 80:80 --name cb busybox", on: ["node-2", "node-3"], apart: "ca" },
      { make: "--network host nginx", refused: FULL },
    ],
  },
  {
    name: "exited ones release their ports, created ones hold them",
    steps: [
      { make: "docker run -d --name ca -p 80:80 -e constraint:node==node-1 busybox true", on: "node-1" },
      {
        make: "docker wait ca >/dev/null; docker create --name cb -p 80:80 -e constraint:node==node-1 busybox",
        on: "node-1",
      },
      { make: "-p 80:80 -e constraint:node==node-1 busybox", refused: FULL },
    ],
  },
  {
    name: "ports that the engine chooses hold nothing",
    steps: [
      { make: "docker run -d -P -e constraint:node==node-1 nginx", on: "node-1" },
      { make: "docker run -d -P -e constraint:node==node-1 nginx", on: "node-1" },
      { make: "docker run -d -p 80 -e constraint:node==node-1 nginx", on: "node-1" },
    ],
  },
]);
