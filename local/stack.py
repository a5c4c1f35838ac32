"""Start, run and stop the whole local stack."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path

from cli.runbooks import name_local_stack
from cli.settings.stacks import open_local_target
from cloudfront_local.read_config import NotBuiltLocally

from . import (
    changed_defaults,
    deploy,
    derivatives,
    extension_stacks,
    handler_update,
    pidfile,
    restore,
    sam_invoke_template,
    samples,
    settings_file,
    source_digest,
    stack_info,
    tool_venvs,
)
from .aws import Cloud
from .console_api.collector import Collector
from .console_api.traces import Traces
from .console_api.xray_daemon import open_daemon
from .containers import open_relays
from .emulation.invalidations import SECONDS
from .emulation.tracing import DAEMON
from .endpoint import Endpoint, open_endpoint, sdk_variables
from .errors import StartError
from .gateway import open_gateway
from .ministack import MiniStack
from .paths import ROOT, Ports, StackPaths
from .progress import Progress
from .reload import watch
from .settings_file import SettingsFile
from .stack_info import StackInfo


def up(
    paths: StackPaths,
    ports: Ports,
    *,
    watching: bool,
    models: Path | None,
    further: Sequence[str] = (),
    overrides: Sequence[str] = (),
) -> None:
    """Run a stack until SIGINT or SIGTERM, and stop everything it started. Raises StartError.

    ``watching`` deploys changed sources, ``models`` is the folder of the endpoint's models, None for no endpoint,
    ``further`` are flags of extensions, whose stacks that are deployed too; ``overrides`` are
    template parameters (``Name=Value``) or settings (``name=value``) that replace the defaults.
    """
    with pidfile.claim(paths):
        run = _run(paths, ports, watching=watching, models=models, further=further, overrides=overrides)
        asyncio.run(_until_signalled(run))


async def _until_signalled(stack: Coroutine[None, None, None]) -> None:
    task = asyncio.create_task(stack)
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def end() -> None:
        """Stop once: a second Ctrl-C must not interrupt the cleanup."""
        for number in signals:
            loop.add_signal_handler(number, lambda: None)
        task.cancel()

    for number in signals:
        loop.add_signal_handler(number, end)
    with suppress(asyncio.CancelledError):
        await task


async def _run(
    paths: StackPaths,
    ports: Ports,
    *,
    watching: bool,
    models: Path | None,
    further: Sequence[str],
    overrides: Sequence[str],
) -> None:
    progress = Progress()
    for port, option in ((ports.cdn, "--port"), (ports.aws, "--aws-port")):
        require_free(port, option)
    await tool_venvs.ensure(progress)
    packages = await extension_stacks.prepare(further, progress)
    cloud, traces = Cloud(ports.aws_url), Traces()
    async with (
        open_endpoint(paths, models, progress) if models else nullcontext() as endpoint,
        open_daemon(traces) as xray,
        _ministack(paths, ports, endpoint, xray, progress, packages) as ministack,
    ):
        before = await asyncio.to_thread(source_digest.digest, ROOT)
        inference = models is not None
        given = [*extension_stacks.list_overrides(further), *overrides]
        ensure = partial(deploy.ensure, paths, cloud, progress, ministack.save, inference=inference, overrides=given)
        deploy_further = partial(_deploy_further, further, paths, cloud, ports, progress)
        deployed, about = await ensure(), await deploy_further()
        if further:
            await ministack.save()
        if endpoint:
            await asyncio.to_thread(endpoint.declare)
        pids = {"stack": os.getpid(), "ministack": ministack.pid}
        sagemaker_url = endpoint.runtime.url if endpoint else ""
        info = await asyncio.to_thread(stack_info.gather, cloud, ports, sagemaker_url, pids)
        await asyncio.to_thread(
            handler_update.repeat, paths, cloud, {key: one.name for key, one in info.functions.items()}
        )
        if deployed and (count := await asyncio.to_thread(derivatives.delete_all, cloud, info.media_bucket)):
            progress.report(f"Deleted {count} stored derivatives, because the code has changed")
        await asyncio.to_thread(samples.ensure_samples, cloud, info, progress)
        await asyncio.to_thread(restore.restore, cloud, info, ministack.lost_since_s, progress)
        collector = Collector(cloud, info, traces, paths.alarms)
        if endpoint:
            endpoint.runtime.listen(collector.models.note)
        try:
            relayed = (ports.aws, endpoint.runtime.port) if endpoint else (ports.aws,)
            async with (
                open_gateway(cloud, info, ports, paths.state, endpoint, collector, progress.report) as live,
                open_relays(relayed),
            ):
                stack_info.write_atomically(
                    paths.invocable, await asyncio.to_thread(sam_invoke_template.build_template, cloud, info)
                )
                info.write(paths.stack_info)
                changed = await asyncio.to_thread(changed_defaults.list_parameters, cloud)
                changed += await asyncio.to_thread(changed_defaults.list_settings, cloud, info.media_bucket)
                _welcome(info, paths, progress, about, changed)
                async with asyncio.TaskGroup() as group:
                    group.create_task(live.follow())
                    group.create_task(collector.run(progress.report))
                    group.create_task(_require_running(ministack, paths))
                    group.create_task(ministack.save_regularly())
                    if watching:
                        redeploy = partial(_redeploy, ensure, deploy_further)
                        group.create_task(watch(paths, cloud, ministack, progress, live, before, redeploy))
                        file = SettingsFile(paths.settings, open_local_target(asdict(info)))
                        group.create_task(settings_file.watch(file, live, progress.report))
        except NotBuiltLocally as error:
            raise StartError(f"{error}. Use a feature that it has, or test this one on AWS.") from error
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None


async def _deploy_further(
    names: Sequence[str], paths: StackPaths, cloud: Cloud, ports: Ports, progress: Progress
) -> list[str]:
    """Deploy the stacks of the extensions ``names``; return what to print about them."""
    return [line for name in names for line in await extension_stacks.deploy(name, paths, cloud, ports, progress)]


async def _redeploy(ensure: Callable[[], Awaitable[bool]], deploy_further: Callable[[], Awaitable[object]]) -> bool:
    """Deploy the first stack if sources have changed, then the others: they may be in any of their functions."""
    if not await ensure():
        return False
    await deploy_further()
    return True


@asynccontextmanager
async def _ministack(
    paths: StackPaths,
    ports: Ports,
    endpoint: Endpoint | None,
    xray: str,
    progress: Progress,
    packages: Sequence[Path],
) -> AsyncIterator[MiniStack]:
    environment = {DAEMON: xray, SECONDS: os.environ.get(SECONDS, "0")}
    environment |= sdk_variables(endpoint.runtime.url) if endpoint else {}
    ministack = MiniStack(paths, ports, environment, packages)
    try:
        with progress.step(f"Starting MiniStack on port {ports.aws}"):
            await ministack.start()
        yield ministack
    finally:
        progress.report("Stopping; buckets and the deployment are kept for the next start")
        await ministack.stop()


async def _require_running(ministack: MiniStack, paths: StackPaths) -> None:
    while ministack.is_running:
        await asyncio.sleep(0.5)
    raise StartError(f"MiniStack exited unexpectedly. Log: {paths.logs / 'ministack.log'}")


def require_free(port: int, option: str) -> None:
    """Raise StartError if ``port`` of 127.0.0.1 is in use. ``option`` is the command line option that changes it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StartError(
                f"Port {port} is in use ({error.strerror}). Stop the process that uses it, or choose another port: "
                f"./darkroom up {option} {port + 1}"
            ) from error


_INFERENCE = {
    True: "on; the function's small models are used until the endpoint is ready",
    False: "off",
}


def _welcome(
    found: StackInfo, paths: StackPaths, progress: Progress, about: Sequence[str], changed: Sequence[str]
) -> None:
    """Print addresses, lines ``about`` further stacks, and ``changed``: what differs from the defaults."""
    progress.report("Ready")
    options = name_local_stack(asdict(found), paths.state).options
    if about:
        print("\n  " + "\n  ".join(about))
    print(
        f"""
  Start page   {found.cdn_url}/
  An image     {found.cdn_url}/samples/coffee.png?w=320
  Your own     ./darkroom upload {options} photo.jpg
  Sign a URL   ./darkroom sign {options} '/samples/coffee.png?w=333'
  Info, logs   {paths.stack_info}, {paths.logs}/
  Settings     {paths.settings}, in force when saved
  Inference    {_INFERENCE[bool(found.sagemaker_url)]}
  Not default  {_wrap(changed)}

  Changes in functions/, layers/ and template.yaml are deployed when saved. Stop with Ctrl-C or `make stop`.
""",
        flush=True,
    )


def _wrap(words: Sequence[str]) -> str:
    """Join words into lines for the second column of the banner."""
    if not words:
        return "nothing"
    return textwrap.fill(
        " ".join(words), 100, subsequent_indent=" " * 15, break_long_words=False, break_on_hyphens=False
    )
