"""The contact sheet of a report: each file with its state, and with the images of its presets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from darkroom.image_keys import DERIVATIVES, quote_key
from darkroom.plan.canonical import derivative_name
from darkroom.plan.url_builder import sign_target
from darkroom.plan.variants import AccessMode
from darkroom.settings import Settings
from darkroom.visible_text import escape_html as escape
from darkroom_pipeline.aws.record import HELD, READY

from .outcomes import UploadOutcome
from .table import describe_master, describe_upload, format_size, totals

VALID_S = 7 * 86_400
"""How long the page's links are valid where images need a signature."""

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #5a6270; --line: #d8dce2; --paper: #fff; --link: #1a5fb4;
  --good: #1a6e33; --bad: #b3261e; --wait: #7a5600; --check: #e6e8eb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaee; --soft: #a3abb6; --line: #363c44; --paper: #16191d;
  --link: #8ab8f5; --good: #6fd08c; --bad: #ff8a80; --wait: #e3b341; --check: #262b31; } }
body { max-width: 75rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; font: 16px/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); }
h1 { font-size: 1.5rem; margin: 0; } a { color: var(--link); } p { margin: .25rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0; overflow-wrap: anywhere; }
.note { color: var(--soft); font-size: .9rem; }
section { border-top: 1px solid var(--line); padding-top: 1rem; margin-top: 1.5rem; }
.state { font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); } .wait { color: var(--wait); }
.images { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: 1rem; margin-top: .75rem; }
figure { margin: 0; min-width: 0; }
.frame { display: flex; align-items: end; height: 9rem; margin-bottom: .25rem; }
.empty { border: 1px dashed var(--line); box-sizing: border-box; }
img { max-width: 100%; max-height: 100%;
  background: repeating-conic-gradient(var(--check) 0 25%, transparent 0 50%) 0/16px 16px; }
figcaption { font-size: .85rem; overflow-wrap: anywhere; } figcaption span { color: var(--soft); display: block; }
"""


@dataclass(frozen=True)
class Links:
    """Addresses of images at the CDN. ``read_key`` is called if the settings require signatures."""

    cdn_url: str
    settings: Settings
    read_key: Callable[[], str]
    now_s: float

    @property
    def are_signed(self) -> bool:
        """Whether the addresses have signatures, which end."""
        return self.settings.access_mode == AccessMode.SIGNED

    @property
    def expires_s(self) -> int:
        """When they end."""
        return int(self.now_s) + VALID_S

    def link(self, key: str, preset: str = "") -> str:
        """Return the address of the image ``key``, or of its preset."""
        target = f"/{quote_key(key)}" + (f"?preset={preset}" if preset else "")
        if self.are_signed:
            target = sign_target(target, self.read_key(), self.expires_s, self.settings.presets)
        return self.cdn_url + target


def format_page(outcomes: Sequence[UploadOutcome], wrong: Mapping[str, str], links: Links) -> str:
    """Return the page, whose images are those of the CDN. ``wrong`` has the problems by file name."""
    sections = (
        _format_section(one, wrong.get(one.sent.name, ""), links)
        for one in sorted(outcomes, key=lambda one: one.sent.key)
    )
    notes = [f"{_format_time(links.now_s)} UTC, {escape(links.cdn_url)}"]
    if links.are_signed:
        notes.append(f"The links are valid until {_format_time(links.expires_s)} UTC.")
    policy = f"default-src 'none'; img-src {links.cdn_url}; style-src 'unsafe-inline'"
    return "".join(
        [
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
            f'<meta http-equiv=Content-Security-Policy content="{escape(policy)}">',
            f"<title>Uploads</title><style>{_STYLE}</style><h1>Uploads</h1>",
            f"<p>{escape(totals(outcomes))}<p class=note>{'. '.join(notes)}",
            *sections,
            "</html>\n",
        ]
    )


def _format_time(time_s: float) -> str:
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d %H:%M}"


def _format_section(outcome: UploadOutcome, complaint: str, links: Links) -> str:
    key, record = outcome.sent.key, outcome.record
    name, kind, reason = _describe_state(outcome)
    lines = [f"<p><span class='state {kind}'>{name}</span>{f': {escape(reason)}' if reason else ''}"]
    title, images = escape(key), ""
    if record is not None and record.state == READY:
        title = f"<a href='{escape(links.link(key))}'>{title}</a>"
        facts = f"{describe_upload(record)} → {describe_master(record)}, {outcome.took_s:.1f} s"
        lines.append(f"<p class=note>{escape(facts)}")
        if complaint:
            lines.append(f"<p class=bad>{escape(complaint)}")
        images = "".join(_format_images(outcome, links))
    grid = f"<div class=images>{images}</div>" if images else ""
    return f"<section><h2>{title}</h2>{''.join(lines)}{grid}</section>"


def _describe_state(outcome: UploadOutcome) -> tuple[str, str, str]:
    """Return the name of the state, the class of its colour, and the reason."""
    record = outcome.record
    if record is None:
        return "no outcome", "bad", "the index had none of this upload in time"
    if record.state == READY:
        return "published", "good", ""
    if record.state == HELD:
        is_flagged = record.held.flagged
        return "held", "wait", "moderation decided against it" if is_flagged else "it waits for moderation"
    return "refused", "bad", f"{outcome.outcome}. {record.refusal.reason}"


def _format_images(outcome: UploadOutcome, links: Links) -> Iterator[str]:
    """Yield a figure for each preset that is rendered at ingest."""
    presets, key = links.settings.presets, outcome.sent.key
    stored = {head.key: head for head in outcome.derivatives}
    for name, plan in presets.build_ingest_plans(key, links.settings.metadata).items():
        url, head = escape(links.link(key, name)), stored.get(DERIVATIVES + derivative_name(plan))
        facts, image = "not rendered at ingest", "<div class='frame empty'></div>"
        if head is not None:
            kind = head.headers.get("Content-Type", "").removeprefix("image/")
            facts = f"{escape(kind)}, {format_size(head.size_bytes)}"
            image = f"<div class=frame><img loading=lazy alt='{escape(f'{name} of {key}')}' src='{url}'></div>"
        yield f"<figure>{image}<figcaption><a href='{url}'>{escape(name)}</a><span>{facts}</span></figcaption></figure>"
