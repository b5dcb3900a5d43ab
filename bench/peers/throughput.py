"""Runs one shape against a Temporal and prints one JSON object.

usage: python throughput.py ADDRESS ORDERS CONCURRENCY SHAPE
"""

import asyncio
import json
import sys
import time
import uuid

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import shapes

# The README of the shipping system shows less than its source does: the lighter one.
MODES = {"S003": "readme"}

SIGNALS = {"S000": ["start", "picked", "delivered"], "S001": ["paid"]}


async def main() -> None:
    address, orders, concurrency, shape = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    client = await Client.connect(address)
    queues = ("order-tq", "shipping-tq")
    workers = [
        Worker(
            client,
            task_queue=queue,
            workflows=shapes.WF,
            activities=[shapes.step],
            # The fastest that the Python SDK has.
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        for queue in queues
    ]
    running = [asyncio.create_task(worker.run()) for worker in workers]
    run = uuid.uuid4().hex[:8]
    took: list[float] = []
    at_once = asyncio.Semaphore(concurrency)

    async def one(number: int | str) -> None:
        async with at_once:
            began = time.monotonic()
            handle = await client.start_workflow(
                shape, MODES.get(shape, "source"), id=f"{shape}-{run}-{number}", task_queue="order-tq"
            )
            for signal in SIGNALS.get(shape, []):
                await handle.signal("sig", signal)
            await handle.result()
            took.append(time.monotonic() - began)

    # The first pays for connections and imports.
    await one("first")
    took.clear()
    began = time.monotonic()
    await asyncio.gather(*[one(number) for number in range(orders)])
    elapsed = time.monotonic() - began
    workflows = [f"{shape}-{run}-0"] + ([f"{shape}-{run}-0-ship"] if shape == "S003" else [])
    histories = [await client.get_workflow_handle(id).fetch_history() for id in workflows]
    for worker in workers:
        await worker.shutdown()
    await asyncio.gather(*running)
    took.sort()
    print(
        json.dumps(
            {
                "per_second": orders / elapsed,
                "p50": took[orders // 2],
                "p99": took[int(orders * 0.99)],
                "events": sum(len(history.events) for history in histories),
            }
        )
    )


asyncio.run(main())
