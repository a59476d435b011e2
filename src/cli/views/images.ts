/** `shoal images`: each image with the nodes it is on; `--conflicts`: tags that mean different images on different nodes. */
import { Command } from "commander";
import pc from "picocolors";
import { withManager } from "../client.ts";
import { CliError } from "../fail.ts";
import { printRows, type Row, type View, type ViewFlags } from "../format.ts";
import { age, bytes } from "../human.ts";
import type { Io } from "../io.ts";
import { globalsOf, withFormat } from "./flags.ts";

/** An element of GET /shoal/images. Created in seconds, Size in bytes. */
interface ImageEntry {
  readonly ID: string;
  readonly Tags: readonly string[];
  readonly Nodes: readonly string[];
  readonly Created: number;
  readonly Size: number;
}

/** An element of GET /shoal/images?conflicts=1. */
interface ConflictEntry {
  readonly Tag: string;
  readonly Node: string;
  readonly ID: string;
  readonly Meant: boolean | null;
}

const IMAGES: View = {
  key: "ID",
  columns: [
    { header: "TAGS", field: "Tags", rule: { importance: 80, min: 10 } },
    { header: "IMAGE ID", field: "ID", rule: { importance: 60, min: 12 } },
    { header: "CREATED", field: "CreatedSince", rule: { importance: 10, min: 8, droppable: true } },
    { header: "SIZE", field: "Size", rule: { importance: 20, droppable: true } },
    { header: "NODES", field: "Nodes", rule: { importance: 70, min: 8 } },
  ],
};

const CONFLICTS: View = {
  key: "Tag",
  columns: [
    { header: "TAG", field: "Tag", rule: { importance: 80, min: 10 } },
    { header: "NODE", field: "Node", rule: { importance: 70, min: 6 } },
    { header: "IMAGE ID", field: "ID", rule: { importance: 60, min: 12 } },
    { header: "IN THE CLUSTER", field: "Meant", rule: { importance: 50 } },
  ],
  paint(text, field, row) {
    if (field !== "Meant") return text;
    return row.fields.Meant === "this one" ? pc.green(text) : pc.yellow(text);
  },
};

export function imagesCommand(io: Io): Command {
  const command = new Command("images")
    .usage("[OPTIONS]")
    .description("List images and the nodes they are on")
    .option("--conflicts", "tags under which nodes have different images, and which one counts");
  return withFormat(command, "only IDs; with --conflicts only tags").action(
    (flags: ViewFlags & { readonly conflicts?: boolean }) =>
      withManager(globalsOf(command), io, async (manager) => {
        const list = await manager.get(`/shoal/images${flags.conflicts ? "?conflicts=1" : ""}`);
        if (!Array.isArray(list)) throw new CliError("the manager's list of images is not a list");
        if (flags.conflicts) printRows(io, CONFLICTS, (list as ConflictEntry[]).map(conflictRow), flags);
        else
          printRows(
            io,
            IMAGES,
            (list as ImageEntry[]).map((image) => imageRow(image, io.clock.now())),
            flags,
          );
      }),
  );
}

function imageRow(image: ImageEntry, now: number): Row {
  return {
    json: image,
    fields: {
      ID: shortId(image.ID),
      Tags: image.Tags.length === 0 ? "<none>" : image.Tags.join(","),
      Nodes: image.Nodes.join(","),
      CreatedSince: `${age(now - image.Created * 1000)} ago`,
      Size: bytes(image.Size),
    },
  };
}

function conflictRow(conflict: ConflictEntry): Row {
  const { Meant } = conflict;
  return {
    json: conflict,
    fields: {
      Tag: conflict.Tag,
      Node: conflict.Node,
      ID: shortId(conflict.ID),
      Meant: Meant === null ? "undecided" : Meant ? "this one" : "absent",
    },
  };
}

const shortId = (id: string): string => id.replace(/^sha256:/, "").slice(0, 12);
