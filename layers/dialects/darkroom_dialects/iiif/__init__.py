"""IIIF Image API 3.0: ``/iiif/3/{identifier}/{region}/{size}/{rotation}/{quality}.{format}``, and ``…/info.json``.

:mod:`.url` parses requests, :mod:`.image` resolves them for an image of known size and builds the Plan. :mod:`.tiles`
has the sizes and tiles that need no permission; :mod:`.info_json` lists them. Section numbers are those of
https://iiif.io/api/image/3.0/.
"""
