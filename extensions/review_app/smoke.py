"""Check the stack on AWS, as its users use it, and say when to do so (`./darkroom smoke`)."""

from __future__ import annotations

from urllib.parse import urlsplit

from cli.smoke.failures import require
from cli.smoke.further import find_further
from cli.smoke.model import Check
from cli.smoke.plan import Step
from cli.smoke.world import World


def open_review(world: World) -> str:
    """Open the review app without a session."""
    stack = find_further(world, "review-app")
    url = stack.outputs["ReviewUrl"]
    page = world.request("GET", url)
    require(page.status == 200, f"the page is answered with {page.status}: {page.body[:200]!r}")
    answer = world.request("GET", url.removesuffix("app") + "sign-in")
    require(answer.status == 303, f"sign-in is answered with {answer.status}: {answer.body[:200]!r}")
    location = answer.headers["location"]
    require("/oauth2/authorize" in location, f"it redirects to {location}")
    form = world.request("GET", location)
    require(form.status in (200, 302), f"Cognito answered {form.status}: {form.body[:200]!r}")
    return f"redirects to {urlsplit(location).netloc}, which answers {form.status}"


CHECK = Check(
    "review",
    "the review app redirects to Cognito's page to sign in, and Cognito accepts the redirect",
    "the callback addresses of the user pool's client; the user pool's domain",
    open_review,
)

STEP = Step(
    "Review app",
    10,
    "Cognito's hosted pages and the domain of the pool",
    ("the commands of extensions/review_app/docs/guide.md, section Deploy",),
    "CREATE_COMPLETE of {stack}-review-app",
    {"review": "redirects to the domain of the pool, which answers 200 or 302"},
    "redirect_mismatch: the callback addresses of the client",
)
