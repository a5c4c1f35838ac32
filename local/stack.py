"""Bringing the whole stack up, keeping it up, taking it down."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from functools import partial

from cloudfront_local.read_config import NotBuiltLocally

from . import deploy, derivatives, pidfile, sam_invoke_template, samples, source_digest, stack_info, tool_venvs
from .aws import Cloud
from .console_api.collector import Collector
from .console_api.traces import Traces
from .console_api.xray_daemon import open_daemon
from .containers import relays
from .emulation.invalidations import SECONDS
from .emulation.tracing import DAEMON
from .endpoint import Endpoint, open_endpoint, variables
from .errors import StartError
from .gateway import open_gateway
from .ministack import MiniStack
from .paths import ROOT, Ports, StackPaths
from .progress import Progress
from .reload import watch
from .stack_info import StackInfo


def up(place: StackPaths, ports: Ports, *, watching: bool, inference: bool, overrides: Sequence[str] = ()) -> None:
    """Run a stack until SIGINT or SIGTERM; raises CannotStart. Nothing of it is left when this returns.

    ``watching`` deploys what changes, ``inference`` has pictures looked at by models, ``overrides`` are parameters of
    the template (``Name=Value``) that are to be other than usual.
    """
    with pidfile.claim(place):
        run = _run(place, ports, watching=watching, inference=inference, overrides=overrides)
        asyncio.run(_until_signalled(run))


async def _until_signalled(stack: Coroutine[None, None, None]) -> None:
    task = asyncio.create_task(stack)
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def end() -> None:
        """Once: a second Ctrl-C must not break off the tidying up."""
        for number in signals:
            loop.add_signal_handler(number, lambda: None)
        task.cancel()

    for number in signals:
        loop.add_signal_handler(number, end)
    with suppress(asyncio.CancelledError):
        await task


async def _run(place: StackPaths, ports: Ports, *, watching: bool, inference: bool, overrides: Sequence[str]) -> None:
    progress = Progress()
    for port, option in ((ports.cdn, "--port"), (ports.aws, "--aws-port")):
        require_free(port, option)
    await tool_venvs.ensure(progress)
    cloud, traces = Cloud(ports.aws_url), Traces()
    async with (
        open_endpoint(place, progress) if inference else nullcontext() as endpoint,
        open_daemon(traces) as xray,
        _ministack(place, ports, endpoint, xray, progress) as ministack,
    ):
        before = await asyncio.to_thread(source_digest.digest, ROOT)
        deployed = await deploy.ensure(place, cloud, progress, inference=inference, overrides=overrides)
        if deployed:
            ministack.save()
        if endpoint:
            await asyncio.to_thread(endpoint.declare)
        pids = {"stack": os.getpid(), "ministack": ministack.pid}
        sagemaker_url = endpoint.runtime.url if endpoint else ""
        found = await asyncio.to_thread(stack_info.gather, cloud, ports, sagemaker_url, pids)
        if deployed and (count := await asyncio.to_thread(derivatives.delete_all, cloud, found.media_bucket)):
            progress.say(f"Forgot {count} stored prints, because the code that made them has changed")
        await asyncio.to_thread(samples.provide, cloud, found, progress)
        watched = Collector(cloud, found, traces, place.alarms)
        if endpoint:
            endpoint.runtime.listen(watched.models.note)
        try:
            relayed = (ports.aws, endpoint.runtime.port) if endpoint else (ports.aws,)
            async with open_gateway(cloud, found, ports, endpoint, watched, progress.say) as live, relays(relayed):
                stack_info.write_whole(
                    place.invocable, await asyncio.to_thread(sam_invoke_template.build_template, cloud, found)
                )
                found.write(place.facts)
                _welcome(found, place, progress)
                async with asyncio.TaskGroup() as group:
                    group.create_task(live.follow())
                    group.create_task(watched.keep(progress.say))
                    group.create_task(_watch_over(ministack, place))
                    if watching:
                        deploys = partial(
                            deploy.ensure, place, cloud, progress, inference=inference, overrides=overrides
                        )
                        group.create_task(watch(place, cloud, ministack, progress, live, before, deploys))
        except NotBuiltLocally as error:
            raise StartError(f"{error}. Use a feature that it has, or test this one on AWS.") from error
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None


@asynccontextmanager
async def _ministack(
    place: StackPaths, ports: Ports, endpoint: Endpoint | None, xray: str, progress: Progress
) -> AsyncIterator[MiniStack]:
    further = {DAEMON: xray, SECONDS: os.environ.get(SECONDS, "0")}
    ministack = MiniStack(place, ports, further | (variables(endpoint.runtime.url) if endpoint else {}))
    try:
        with progress.step(f"Starting MiniStack on port {ports.aws}"):
            await ministack.start()
        yield ministack
    finally:
        progress.say("Stopping; buckets and what is deployed are kept for the next start")
        await ministack.stop()


async def _watch_over(ministack: MiniStack, place: StackPaths) -> None:
    while ministack.is_running:
        await asyncio.sleep(0.5)
    raise StartError(f"MiniStack has ended by itself. Its log is {place.logs / 'ministack.log'}")


def require_free(port: int, option: str) -> None:
    """Raise CannotStart if something listens on ``port`` of 127.0.0.1, which ``option`` could change."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StartError(
                f"Port {port} is not free ({error.strerror}). Stop what uses it, or take another one: "
                f"./darkroom up {option} {port + 1}"
            ) from error


_INFERENCE = {
    True: "pictures are looked at; until the endpoint is ready, by the small models in the function",
    False: "none: no picture is looked at",
}


def _welcome(found: StackInfo, place: StackPaths, progress: Progress) -> None:
    bucket, endpoint = found.uploads_bucket, found.aws_endpoint_url
    progress.say("Ready")
    print(
        f"""
  Start page   {found.cdn_url}/
  A picture    {found.cdn_url}/samples/coffee.png?w=320
  Your own     aws --endpoint-url {endpoint} s3 cp photo.jpg s3://{bucket}/photo.jpg
  Sign a URL   ./darkroom sign '/samples/coffee.png?w=333'
  Facts, logs  {place.facts}, {place.logs}/
  Inference    {_INFERENCE[bool(found.sagemaker_url)]}

  A change in functions/, layers/ or template.yaml is deployed as you save it. Ctrl-C or `make stop` ends it all.
""",
        flush=True,
    )
