"""SVG."""

from ..image_format import DecoderMemory, Loader, SourceFormat

SOURCE = SourceFormat(
    name="svg",
    label="SVG",
    package="svg",
    loader=Loader("VipsForeignLoadSvg", "svgload_source", "error"),
    # It is drawn at the size of the output.
    memory=DecoderMemory(plain=0),
    may_be_drawing=True,
)
