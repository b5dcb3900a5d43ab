// The page: takes the tour when it is opened, and shows each step and the outcome.
//
// Its address says where to go: ?server=http://127.0.0.1:50051&seed=SEED

import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { Tour } from "./tour.js";

const address = new URLSearchParams(location.search);

function say(step: string, text: string): void {
  const item = document.createElement("li");
  item.textContent = `${step}: ${text}`;
  document.getElementById("steps")?.append(item);
}

async function outcome(): Promise<string> {
  const transport = createGrpcWebTransport({ baseUrl: address.get("server") ?? "http://127.0.0.1:50051" });
  try {
    await new Tour(transport, address.get("seed") ?? crypto.randomUUID(), say).run();
    return "passed";
  } catch (error) {
    return `failed: ${error}`;
  }
}

document.getElementById("outcome")?.append(await outcome());
