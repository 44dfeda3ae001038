// A node of iroh that has a file or a folder, and one that gets it. Started by iroh.sh, with the library beside it.
//   node iroh.mjs serve STORE FILE-OR-FOLDER   prints a ticket when it has it, and serves until it is ended
//   node iroh.mjs get STORE TICKET FOLDER      ends when the files are in the folder
import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Iroh, BlobDownloadOptions, BlobTicket, Collection, SetTagOption } from "@number0/iroh";

const [task, store, what, folder] = process.argv.slice(2);
const loopback = { ipv4Addr: "127.0.0.1:0", nodeDiscovery: "None" };

function filesOf(path) {
  return statSync(path).isDirectory()
    ? readdirSync(path, { recursive: true }).filter((name) => statSync(join(path, name)).isFile())
    : [];
}

function whenAllDone(begin) {
  return new Promise((done, failed) => {
    begin((error, progress) => {
      if (error ?? progress?.abort) failed(error ?? new Error(progress.abort.error));
      else if (progress.allDone) done(progress.allDone);
    }).catch(failed);
  });
}

const node = await Iroh.persistent(store, loopback);
if (task === "serve") {
  const collection = new Collection();
  for (const name of filesOf(what)) {
    const added = await whenAllDone((told) =>
      node.blobs.addFromPath(resolve(what, name), true, SetTagOption.auto(), { wrap: false }, told));
    collection.push(name, added.hash);
  }
  const { hash } = await node.blobs.createCollection(collection, SetTagOption.auto(), []);
  console.log((await node.blobs.share(hash, "HashSeq", "Addresses")).toString());
  setInterval(() => {}, 1e9);
} else {
  const ticket = BlobTicket.fromString(what);
  const options = ticket.asDownloadOptions();
  await whenAllDone((told) => node.blobs.download(ticket.hash, options, told));
  await node.blobs.export(ticket.hash, resolve(folder), "Collection", "TryReference");
  process.exit(0); // To shut it down waits three seconds for peers.
}
