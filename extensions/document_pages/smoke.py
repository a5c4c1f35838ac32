"""Check the stack on AWS, as its users use it, and say when to do so (`./darkroom smoke`)."""

from __future__ import annotations

import secrets

from cli.smoke.further import find_further
from cli.smoke.model import Check
from cli.smoke.plan import Step
from cli.smoke.world import Answer, World

READY_WITHIN_S = 300.0


def show_document(world: World) -> str:
    """Store a PDF, and get the image of its first page."""
    stack = find_further(world, "document-pages")
    name = f"{world.folder}page.pdf"
    world.objects.append((stack.outputs["DocumentsBucketName"], name))
    key = stack.parameters["UploadPrefix"] + name
    world.keys.append(key)
    body = pdf(200, 100, secrets.randbelow(10**9))
    world.client("s3").put_object(Bucket=stack.outputs["DocumentsBucketName"], Key=name, Body=body)
    widths = iter(range(101, 400))

    def look() -> Answer | None:
        answer = world.get(world.signed(f"{world.path(key)}?w={next(widths)}&f=png"))
        return answer if answer.status == 200 else None

    answer = world.wait(look, f"{key} is not served", READY_WITHIN_S)
    return f"{answer.headers.get('content-type')}, {len(answer.body):,} bytes"


def pdf(width_pt: int, height_pt: int, marker: int) -> bytes:
    """Make a PDF of one page whose left half is red. Files of different ``marker`` differ."""
    content = f"1 0 0 rg 0 0 {width_pt // 2} {height_pt} re f".encode()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width_pt} {height_pt}] /Contents 4 0 R >>".encode(),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
    )
    body, offsets = f"%PDF-1.4\n%{marker}\n".encode(), []
    for number, one in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count, start = len(objects) + 1, len(body)
    return body + (
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (count, rows, count, start)
    )


CHECK = Check(
    "document",
    "documents are converted in their sandbox, by S3's events",
    "messages of DocumentsDeadLettersUrl, and the log of the documents function",
    show_document,
)

STEP = Step(
    "Documents: PDFium in a process of its own",
    10,
    "the sandbox limits a child process, which starts with another library path and other limits in Lambda",
    ("the commands of extensions/document_pages/docs/guide.md, section Deploy",),
    "CREATE_COMPLETE of {stack}-document-pages",
    {"document": "image/png, and its bytes"},
    "messages of DocumentsDeadLettersUrl have the reason",
)
