"""A subscriber of personio-sync in Python: closes the accounts of leavers, once, and acknowledges.

The signal `personio.lifecycle.v1` has one argument. Its JSON schema is schema/personio.lifecycle.v1.json in the npm
package personio-sync-contracts. personio-sync starts the workflow with the first signal and passes no input.
"""

import asyncio
import os
from collections import deque
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import Worker

TASK_QUEUE = "it"
# Time to listen for more events of the same person before the workflow ends. The next event starts it again.
QUIET_PERIOD = timedelta(hours=1)


@activity.defn
async def disable_accounts(employee_id: str) -> None:
    """Call your directory here. It may be repeated, so closing a closed account must succeed."""
    activity.logger.info("disabling the accounts of employee %s", employee_id)


@workflow.defn(name="offboardEmployee")
class OffboardEmployee:
    @workflow.init
    def __init__(self) -> None:
        self.waiting: deque[dict[str, Any]] = deque()
        self.outcomes: dict[str, str | None] = {}

    @workflow.signal(name="personio.lifecycle.v1")
    async def lifecycle(self, event: dict[str, Any]) -> None:
        delivery_id = event["deliveryId"]
        if delivery_id not in self.outcomes:
            self.outcomes[delivery_id] = None
            self.waiting.append(event)
        elif self.outcomes[delivery_id] == "done":
            # A repeat: the first acknowledgement may have been lost, so it is sent again.
            await self.acknowledge(event, "done")
        elif self.outcomes[delivery_id] == "failed":
            # An operator sent it again after it had failed.
            self.outcomes[delivery_id] = None
            self.waiting.append(event)

    @workflow.run
    async def run(self) -> None:
        while True:
            try:
                await workflow.wait_condition(lambda: len(self.waiting) > 0, timeout=QUIET_PERIOD)
            except asyncio.TimeoutError:
                return
            event = self.waiting.popleft()
            try:
                if event["kind"] in ("leaver.left", "leaver.deleted"):
                    await workflow.execute_activity(
                        disable_accounts, event["employeeId"], start_to_close_timeout=timedelta(minutes=1)
                    )
                await self.acknowledge(event, "done")
            except ActivityError:
                await self.acknowledge(event, "failed", "the directory did not do it; see the workflow")

    async def acknowledge(self, event: dict[str, Any], outcome: str, note: str | None = None) -> None:
        """Signals within one namespace. For another one, call an activity that uses a client of that namespace."""
        self.outcomes[event["deliveryId"]] = outcome
        to = event["acknowledge"]
        acknowledgement = {"deliveryId": event["deliveryId"], "outcome": outcome}
        if note is not None:
            acknowledgement["note"] = note
        try:
            await workflow.get_external_workflow_handle(to["workflowId"]).signal(to["signal"], acknowledgement)
        except ApplicationError:
            # Nobody waits for it any more: the delivery was acknowledged, withdrawn or given up.
            workflow.logger.info("nobody waits for the acknowledgement of %s any more", event["deliveryId"])


async def main() -> None:
    client = await Client.connect(
        os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"), namespace=os.environ.get("TEMPORAL_NAMESPACE", "default")
    )
    await Worker(client, task_queue=TASK_QUEUE, workflows=[OffboardEmployee], activities=[disable_accounts]).run()


if __name__ == "__main__":
    asyncio.run(main())
