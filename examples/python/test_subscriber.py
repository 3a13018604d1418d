"""Runs the subscriber against a real Temporal server (TEMPORAL_CLI_PATH). Run by `npm run check:python`."""

import asyncio
import os
import sys
import unittest
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from subscriber import TASK_QUEUE, OffboardEmployee

PERSON = "personio:default:employee:4711"
disabled: list[str] = []


@activity.defn(name="disable_accounts")
async def disable_accounts(employee_id: str) -> None:
    disabled.append(employee_id)
    if len(disabled) == 1:
        raise RuntimeError("the directory is busy")


@workflow.defn(name="employeeLifecycle")
class Person:
    """Stands in for personio-sync: keeps the acknowledgements it receives."""

    @workflow.init
    def __init__(self) -> None:
        self.acknowledgements: list[Any] = []
        self.is_over = False

    @workflow.signal
    def acknowledge(self, acknowledgement: Any) -> None:
        self.acknowledgements.append(acknowledgement)

    @workflow.signal
    def end(self) -> None:
        self.is_over = True

    @workflow.query
    def received(self) -> list[Any]:
        return self.acknowledgements

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.is_over)


def event(delivery_id: str, kind: str) -> dict[str, Any]:
    return {
        "deliveryId": delivery_id,
        "eventId": "e",
        "connectionId": "default",
        "employeeId": "4711",
        "class": "leaver",
        "kind": kind,
        "episode": 1,
        "effectiveDate": "2026-12-31",
        "effectiveAt": "2026-12-31T23:00:00Z",
        "timeZone": "Europe/Berlin",
        "detectedAt": "2026-11-24T12:00:00Z",
        "late": False,
        "supersedes": None,
        "changes": [],
        "subscriber": "it",
        "purpose": "event",
        "acknowledge": {"namespace": "default", "workflowId": PERSON, "signal": "acknowledge"},
    }


async def at_least(count: int, look: Callable[[], Awaitable[list[Any]]]) -> list[Any]:
    """Waits until there are at least that many, and returns them."""
    for _ in range(300):
        seen = await look()
        if len(seen) >= count:
            return seen
        await asyncio.sleep(0.1)
    raise AssertionError(f"{count} did not arrive in time")


async def failed_signals(handle: WorkflowHandle[Any, Any]) -> list[Any]:
    kind = EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED
    return [event async for event in handle.fetch_history_events() if event.event_type == kind]


class SubscriberTest(unittest.IsolatedAsyncioTestCase):
    async def test_acts_once_and_acknowledges_every_delivery(self) -> None:
        async with await WorkflowEnvironment.start_local(
            dev_server_existing_path=os.environ["TEMPORAL_CLI_PATH"]
        ) as environment:
            client = environment.client
            async with Worker(
                client, task_queue=TASK_QUEUE, workflows=[OffboardEmployee, Person], activities=[disable_accounts]
            ):
                person = await client.start_workflow("employeeLifecycle", id=PERSON, task_queue=TASK_QUEUE)

                async def send(delivery_id: str, kind: str) -> None:
                    await client.start_workflow(
                        "offboardEmployee",
                        id="offboarding:default:4711",
                        task_queue=TASK_QUEUE,
                        start_signal="personio.lifecycle.v1",
                        start_signal_args=[event(delivery_id, kind)],
                    )

                async def acknowledgements(count: int) -> list[Any]:
                    return await at_least(count, lambda: person.query(Person.received))

                await send("d1", "leaver.left")
                self.assertEqual(await acknowledgements(1), [{"deliveryId": "d1", "outcome": "done"}])
                await send("d1", "leaver.left")
                await send("d2", "leaver.rescinded")
                acknowledged = sorted(one["deliveryId"] for one in await acknowledgements(3))
                self.assertEqual(acknowledged, ["d1", "d1", "d2"])
                # Refused once, done once, and not again for the repeat.
                self.assertEqual(disabled, ["4711", "4711"])
                # Nobody waits any more, which is no failure of the subscriber.
                await person.signal(Person.end)
                await person.result()
                await send("d3", "leaver.rescinded")
                await send("d1", "leaver.left")
                handle = client.get_workflow_handle("offboarding:default:4711")
                await at_least(2, lambda: failed_signals(handle))
                self.assertEqual((await handle.describe()).status.name, "RUNNING")


if __name__ == "__main__":
    verdict = unittest.main(exit=False).result
    sys.stdout.flush()
    sys.stderr.flush()
    # Skips the shutdown of the interpreter: a busy thread of the SDK would abort the process in it, after all tests
    # have passed (https://github.com/temporalio/sdk-python/issues/300).
    os._exit(0 if verdict.wasSuccessful() else 1)
